package sql92

import "bytes"

// membership is IN and NOT IN (UnaryExpression#createInExpression).
type membership struct {
	of    *property
	words [][]byte
	set   map[string]struct{} // instead of words, when they are many
	not   bool
}

// wordsListedMax is how many words are compared one by one before a set is faster.
const wordsListedMax = 8

func newMembership(of *property, words [][]byte, not bool) *membership {
	if len(words) <= wordsListedMax {
		return &membership{of: of, words: words, not: not}
	}
	set := make(map[string]struct{}, len(words))
	for _, word := range words {
		set[string(word)] = struct{}{}
	}
	return &membership{of: of, set: set, not: not}
}

func (e *membership) truth(lookup Lookup) truth {
	of := e.of.value(lookup)
	if of.kind == kindNull {
		return isNull
	}
	return truthIf(e.has(of.text) != e.not)
}

func (e *membership) has(text []byte) bool {
	for _, word := range e.words {
		if bytes.Equal(word, text) {
			return true
		}
	}
	_, ok := e.set[string(text)]
	return ok
}

// search is CONTAINS, STARTSWITH or ENDSWITH, or its NOT (ComparisonExpression.ContainsExpression
// and the like). Where there is nothing to search it is FALSE, with NOT as without.
type search struct {
	of   expression
	kind tokenKind
	text []byte
	not  bool
}

func (e *search) truth(lookup Lookup) truth {
	if len(e.text) == 0 {
		return isFalse // before the operand is evaluated, and may fail
	}
	switch of := valueOf(e.of, lookup); of.kind {
	case kindFailed:
		return isFailed
	case kindText:
		return truthIf(e.finds(of.text) != e.not)
	default:
		return isFalse
	}
}

func (e *search) finds(text []byte) bool {
	switch e.kind {
	case tokenContains:
		return bytes.Contains(text, e.text)
	case tokenStartsWith:
		return bytes.HasPrefix(text, e.text)
	default:
		return bytes.HasSuffix(text, e.text)
	}
}
