package sql92

// property is a property of the message (PropertyExpression).
type property struct{ name []byte }

func (e *property) value(lookup Lookup) value {
	text, ok := lookup(e.name)
	if !ok {
		return value{kind: kindNull}
	}
	return textValue(text)
}

// constant is a literal (ConstantExpression, BooleanConstantExpression).
type constant struct{ value value }

var (
	trueLiteral  = &constant{isTrue.value()}
	falseLiteral = &constant{isFalse.value()}
	nullLiteral  = &constant{isNull.value()}
)

// boolean tells whether the literal is TRUE, FALSE or NULL.
func (e *constant) boolean() bool { return e.value.kind == kindBoolean || e.value.kind == kindNull }

// negation is a minus sign (UnaryExpression#createNegate). It does not turn text into a number.
type negation struct{ of expression }

func (e *negation) value(lookup Lookup) value {
	switch of := valueOf(e.of, lookup); of.kind {
	case kindInteger:
		return integerValue(-of.integer()) // literals are not negative: no overflow
	case kindLong:
		return longValue(-of.integer())
	case kindDouble:
		return doubleValue(-of.double())
	case kindFailed:
		return of
	default:
		return value{kind: kindNull}
	}
}
