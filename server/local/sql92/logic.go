package sql92

// and is a chain of AND, evaluated from the left up to the first FALSE or failure
// (LogicExpression#createAND). A chain is flat here: the order of evaluation, and with it the
// result, is that of the reference's nested pairs.
type and struct{ of []expression }

func (e *and) truth(lookup Lookup) truth {
	result := isTrue
	for _, of := range e.of {
		switch t := truthOf(of, lookup); t {
		case isFalse, isFailed:
			return t
		case isNull:
			result = isNull
		}
	}
	return result
}

// or is a chain of OR, evaluated from the left up to the first TRUE or failure
// (LogicExpression#createOR).
type or struct{ of []expression }

func (e *or) truth(lookup Lookup) truth {
	result := isFalse
	for _, of := range e.of {
		switch t := truthOf(of, lookup); t {
		case isTrue, isFailed:
			return t
		case isNull:
			result = isNull
		}
	}
	return result
}

// not is NOT of a Boolean expression (UnaryExpression#createNOT).
type not struct{ of expression }

// cast is a property as a Boolean expression (UnaryExpression#createBooleanCast): text is FALSE,
// even 'true'.
type cast struct{ of *property }

func (e *cast) truth(lookup Lookup) truth {
	if e.of.value(lookup).kind == kindNull {
		return isNull
	}
	return isFalse
}
