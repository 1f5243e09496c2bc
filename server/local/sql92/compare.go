package sql92

import (
	"bytes"
	"cmp"
	"math"
)

// equality is = and, with NULL on the right, IS NULL (ComparisonExpression#doCreateEqual). Both
// sides are evaluated, so either can fail it.
type equality struct{ left, right expression }

func (e *equality) truth(lookup Lookup) truth {
	l, r := valueOf(e.left, lookup), valueOf(e.right, lookup)
	switch {
	case l.kind == kindFailed || r.kind == kindFailed:
		return isFailed
	case l.kind == kindNull && r.kind == kindNull:
		return isTrue
	case l.kind == kindNull:
		return isNull
	case r.kind == kindNull:
		return isFalse
	}
	order, ok := compare(l, r)
	if !ok {
		return isFailed
	}
	return truthIf(order == 0)
}

// ordering is >, >=, < or <= (ComparisonExpression#evaluate).
type ordering struct {
	operator    tokenKind
	left, right expression
}

func (e *ordering) truth(lookup Lookup) truth {
	l := valueOf(e.left, lookup)
	if l.kind == kindNull || l.kind == kindFailed {
		return l.truth()
	}
	r := valueOf(e.right, lookup)
	if r.kind == kindNull || r.kind == kindFailed {
		return r.truth()
	}
	if l.kind == kindText && r.kind == kindText {
		l, r = converted(l.text, kindDouble), converted(r.text, kindDouble)
	}
	order, ok := compare(l, r)
	if !ok {
		return isFailed
	}
	return truthIf(holds(e.operator, order))
}

func holds(operator tokenKind, order int) bool {
	switch operator {
	case tokenGreater:
		return order > 0
	case tokenGreaterEqual:
		return order >= 0
	case tokenLess:
		return order < 0
	default:
		return order <= 0
	}
}

// unlike is the order of values that cannot be compared, such as a Boolean and a number.
const unlike = -1

// compare orders two values that are not null, and is not ok when that fails
// (ComparisonExpression#__compare).
func compare(l, r value) (order int, ok bool) {
	switch {
	case l.kind == r.kind:
	case l.kind == kindBoolean && r.kind == kindText:
		return 0, false // the reference casts the wrong side: a ClassCastException
	case l.kind == kindBoolean || r.kind == kindBoolean && l.kind != kindText:
		return unlike, true
	case l.kind == kindText:
		l = converted(l.text, r.kind)
	case r.kind == kindText:
		r = converted(r.text, l.kind)
	}
	if l.kind == kindFailed || r.kind == kindFailed {
		return 0, false
	}
	return compareAlike(l, r), true
}

// compareAlike orders two texts, two Booleans or two numbers.
func compareAlike(l, r value) int {
	switch {
	case l.kind == kindText:
		return bytes.Compare(l.text, r.text)
	case l.kind == kindDouble || r.kind == kindDouble:
		return compareDoubles(l.double(), r.double())
	default:
		return cmp.Compare(l.integer(), r.integer())
	}
}

// compareDoubles is Java's total order (Double#compareTo): -0.0 is below 0.0, NaN above all and
// equal to itself.
func compareDoubles(l, r float64) int {
	switch {
	case math.IsNaN(l) || math.IsNaN(r):
		return cmp.Compare(boolToInt(math.IsNaN(l)), boolToInt(math.IsNaN(r)))
	case l == r:
		return cmp.Compare(boolToInt(math.Signbit(r)), boolToInt(math.Signbit(l)))
	default:
		return cmp.Compare(l, r)
	}
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// converted is text as a value of another kind, or the failure to make it one.
func converted(text []byte, kind valueKind) value {
	switch kind {
	case kindBoolean:
		return truthIf(isTrueText(text)).value()
	case kindInteger:
		if n, ok := parseInteger(text, 32); ok {
			return integerValue(n)
		}
	case kindLong:
		if n, ok := parseInteger(text, 64); ok {
			return longValue(n)
		}
	case kindDouble:
		if f, ok := parseDouble(text); ok {
			return doubleValue(f)
		}
	}
	return value{kind: kindFailed}
}

// isTrueText is Boolean.valueOf.
func isTrueText(text []byte) bool { return bytes.EqualFold(text, []byte("true")) }
