package sql92

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// FuzzCompile: no panic whatever the text; an error points into it; and what was understood, written
// down anew with all its parentheses, is understood and evaluated as before.
func FuzzCompile(f *testing.F) {
	n := 0
	readGolden(f, *goldenPath, func(c *goldenCase) {
		if n++; n%10 == 0 {
			f.Add(c.expression, string(c.properties["a"]), string(c.properties["b"]))
		}
	})
	f.Fuzz(func(t *testing.T, text, a, b string) {
		filter, err := Compile(text)
		if err != nil {
			checkError(t, text, err.(*SyntaxError))
			return
		}
		again, err := Compile(written(filter.root))
		if err != nil {
			if strings.Contains(err.Error(), "levels of nesting") {
				return // more parentheses than before
			}
			t.Fatalf("%q is %q, and that is refused: %v", text, written(filter.root), err)
		}
		for _, of := range []properties{{}, {"a", a}, {"a", a, "b", b}, {"a", b, "b", a, "TAGS", a, "c", b}} {
			was, is := truthOf(filter.root, of.lookup), truthOf(again.root, of.lookup)
			if was != is || filter.Match(of.lookup) != (was == isTrue) {
				t.Fatalf("%q is %s, as %q it is %s", text, truthNames[was], written(filter.root), truthNames[is])
			}
		}
	})
}

func checkError(t *testing.T, text string, err *SyntaxError) {
	t.Helper()
	if err.Offset < 0 || err.Offset > len(text) || err.Want == "" || err.Got == "" || len(err.Error()) > 500 {
		t.Fatalf("%q: %v", text, err)
	}
}

// written is an expression as text, with parentheses around every part.
func written(e expression) string {
	switch e := e.(type) {
	case *property:
		return string(e.name)
	case *constant:
		return writtenValue(e.value)
	case *negation:
		return "-" + parenthesised(e.of)
	case *not:
		return "NOT " + parenthesised(e.of)
	case *cast:
		return string(e.of.name)
	case *and:
		return writtenChain(" AND ", e.of)
	case *or:
		return writtenChain(" OR ", e.of)
	case *equality:
		if c, ok := e.right.(*constant); ok && c.value.kind == kindNull {
			return parenthesised(e.left) + " IS NULL"
		}
		return parenthesised(e.left) + " = " + parenthesised(e.right)
	case *ordering:
		return parenthesised(e.left) + map[tokenKind]string{tokenGreater: ">", tokenGreaterEqual: ">=", tokenLess: "<", tokenLessEqual: "<="}[e.operator] + parenthesised(e.right)
	case *membership:
		return string(e.of.name) + writtenNot(e.not) + " IN (" + strings.Join(wordsOf(e), ", ") + ")"
	case *search:
		operator := map[tokenKind]string{tokenContains: " CONTAINS ", tokenStartsWith: " STARTSWITH ", tokenEndsWith: " ENDSWITH "}[e.kind]
		return parenthesised(e.of) + writtenNot(e.not) + operator + literal(string(e.text))
	default:
		return fmt.Sprintf("unknown %T", e)
	}
}

func parenthesised(e expression) string { return "(" + written(e) + ")" }

func writtenNot(not bool) string {
	if not {
		return " NOT"
	}
	return ""
}

func writtenChain(operator string, of []expression) string {
	parts := make([]string, len(of))
	for i, e := range of {
		parts[i] = parenthesised(e)
	}
	return strings.Join(parts, operator)
}

func writtenValue(v value) string {
	switch v.kind {
	case kindText:
		return literal(string(v.text))
	case kindInteger, kindLong:
		return strconv.FormatInt(v.integer(), 10)
	case kindDouble:
		return strconv.FormatFloat(v.double(), 'e', -1, 64)
	default:
		return truthNames[v.truth()]
	}
}

func wordsOf(e *membership) (words []string) {
	for _, word := range e.words {
		words = append(words, literal(string(word)))
	}
	for word := range e.set {
		words = append(words, literal(word))
	}
	return words
}

func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
