package sql92

import (
	"errors"
	"strings"
	"sync"
	"testing"
)

// properties are a message's, for tests: name, value, name, value.
type properties []string

func (p properties) lookup(name []byte) ([]byte, bool) {
	for i := 0; i < len(p); i += 2 {
		if p[i] == string(name) {
			return []byte(p[i+1]), true
		}
	}
	return nil, false
}

func mustCompile(tb testing.TB, expression string) *Filter {
	tb.Helper()
	f, err := Compile(expression)
	if err != nil {
		tb.Fatalf("%.80s: %v", expression, err)
	}
	return f
}

func TestErrorsSayWhereAndWhat(t *testing.T) {
	for _, c := range []struct{ expression, want string }{
		{"", `at offset 0: expected a property, a literal, NOT, +, - or (, found the end`},
		{"a = ", `at offset 4: expected a property, a literal, NOT, +, - or (, found the end`},
		{"a = 'x", `at offset 4: expected a string that ends with a quote, found "'x"`},
		{"a = 1 #", `at offset 6: expected a token, found "#"`},
		{"a = é", `at offset 4: expected a token, found "é"`},
		{"a.b = 1", `at offset 1: expected a token, found "."`},
		{"a /* b", `at offset 2: expected a comment that ends with */, found the end`},
		{"(a = 1", `at offset 6: expected ), found the end`},
		{"a IS 1", `at offset 5: expected NULL, found "1"`},
		{"a NOT 1", `at offset 6: expected CONTAINS, STARTSWITH, ENDSWITH, BETWEEN or IN, found "1"`},
		{"a IN (1)", `at offset 6: expected a string literal, found "1"`},
		{"a IN ('x' 'y')", `at offset 10: expected , or ), found "'y'"`},
		{"a = 1 AND 'x' IN ('x')", `at offset 10: expected a property before IN, found "'x' IN ('x')"`},
		{"a BETWEEN 1 OR 2", `at offset 12: expected AND, found "OR"`},
		{"a BETWEEN 2 AND 1", `at offset 16: expected a bound that is not below the first, found "1"`},
		{"a > 'x'", `at offset 4: expected a number or a property, found "'x'"`},
		{"a = NULL", `at offset 4: expected IS NULL, or an operand other than NULL, found "NULL"`},
		{"TRUE = 1", `at offset 7: expected a Boolean expression or a property, found "1"`},
		{"a AND 1", `at offset 6: expected a Boolean expression, found "1"`},
		{"a = 9223372036854775808", `at offset 4: expected an integer up to 9223372036854775807, found "9223372036854775808"`},
		{"a > 0.0", `at offset 4: expected a float between 4.9E-324 and 1.7976931348623157E308, found "0.0"`},
		{"NOT '" + strings.Repeat("x", 50) + "'", `at offset 4: expected a Boolean expression, found "'` + strings.Repeat("x", 39) + `"...`},
	} {
		_, err := Compile(c.expression)
		if err == nil || err.Error() != "sql92: "+c.want {
			t.Errorf("%q: %v, want %s", c.expression, err, c.want)
		}
	}
}

func TestDepthMax(t *testing.T) {
	nested := map[string]func(int) string{
		"parentheses": func(n int) string { return strings.Repeat("(", n-1) + "a" + strings.Repeat(")", n-1) },
		"signs":       func(n int) string { return strings.Repeat("-", n-2) + "a IS NULL" },
		"pluses":      func(n int) string { return strings.Repeat("+", n-1) + "a" },
		"NOT":         func(n int) string { return strings.Repeat("NOT ", n-1) + "a" },
		"equals":      func(n int) string { return "a" + strings.Repeat(" = b", n-1) },
		"searches":    func(n int) string { return "a" + strings.Repeat(" CONTAINS 'x'", n-1) },
	}
	for name, of := range nested {
		mustCompile(t, of(DepthMax)).Match(properties{}.lookup)
		_, err := Compile(of(DepthMax + 1))
		var refused *SyntaxError
		if !errors.As(err, &refused) || refused.Want != "at most 1000 levels of nesting" {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Compile(of(1_000_000)); err == nil {
			t.Errorf("%s: a million levels are accepted", name)
		}
	}
}

func TestChainsAreNotNested(t *testing.T) {
	for _, operator := range []string{" OR ", " AND "} {
		f := mustCompile(t, "a = '1'"+strings.Repeat(operator+"a = '1'", 100*DepthMax))
		if !f.Match(properties{"a", "1"}.lookup) {
			t.Errorf("a long chain of%sdoes not match", operator)
		}
	}
}

// TestMinusSignsTakeLinearTime would not end if every minus sign looked for the end of its line.
func TestMinusSignsTakeLinearTime(t *testing.T) {
	mustCompile(t, "a = '1' "+strings.Repeat("/**/ ", 1<<20)+strings.Repeat("-", 1<<22))
	if _, err := Compile(strings.Repeat("--\n", 1<<20) + strings.Repeat("-", 1<<22)); err == nil {
		t.Error("minus signs alone are accepted")
	}
}

func TestFilterIsSafeForConcurrentUse(t *testing.T) {
	f := mustCompile(t, "a IN ('1','2','3','4','5','6','7','8','9') AND b BETWEEN -5 AND 5.5 OR NOT c CONTAINS 'x'")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				if !f.Match(properties{"a", "9", "b", "5"}.lookup) || f.Match(properties{"a", "0"}.lookup) {
					t.Error("results differ between goroutines")
					return
				}
			}
		})
	}
	all.Wait()
}
