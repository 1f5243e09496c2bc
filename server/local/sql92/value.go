package sql92

import "math"

// truth is a value of three-valued logic, or the failure of an evaluation.
type truth uint8

const (
	isNull truth = iota
	isFalse
	isTrue
	isFailed
)

func truthIf(b bool) truth {
	if b {
		return isTrue
	}
	return isFalse
}

// negated keeps null and failed.
func (t truth) negated() truth {
	switch t {
	case isTrue:
		return isFalse
	case isFalse:
		return isTrue
	default:
		return t
	}
}

type valueKind uint8

const (
	kindNull valueKind = iota
	kindFailed
	kindBoolean
	kindInteger
	kindLong
	kindDouble
	kindText
)

// value is what an expression evaluates to: one of the reference's Java objects.
type value struct {
	text []byte // of kindText; borrowed from the expression or the message
	bits uint64 // of the others
	kind valueKind
}

func textValue(text []byte) value { return value{kind: kindText, text: text} }
func integerValue(n int64) value  { return value{kind: kindInteger, bits: uint64(n)} }
func longValue(n int64) value     { return value{kind: kindLong, bits: uint64(n)} }
func doubleValue(f float64) value { return value{kind: kindDouble, bits: math.Float64bits(f)} }

func (t truth) value() value {
	switch t {
	case isNull:
		return value{kind: kindNull}
	case isFailed:
		return value{kind: kindFailed}
	default:
		return value{kind: kindBoolean, bits: uint64(t - isFalse)}
	}
}

func (v value) integer() int64 { return int64(v.bits) }

// double is a number as a Double.
func (v value) double() float64 {
	if v.kind == kindDouble {
		return math.Float64frombits(v.bits)
	}
	return float64(v.integer())
}

// truth is the opposite of truth.value.
func (v value) truth() truth {
	switch v.kind {
	case kindFailed:
		return isFailed
	case kindBoolean:
		return isFalse + truth(v.bits)
	default:
		return isNull
	}
}
