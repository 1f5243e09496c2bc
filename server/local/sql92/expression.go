package sql92

// expression is a node of a compiled expression, one of the types that the two functions below list.
//
// Both go by type and call no method through an interface, so that the compiler sees where a lookup
// goes, and a closure handed to Match stays on its caller's stack.
type expression interface{ expression() }

// truthOf evaluates a Boolean expression.
func truthOf(e expression, lookup Lookup) truth {
	switch e := e.(type) {
	case *and:
		return e.truth(lookup)
	case *or:
		return e.truth(lookup)
	case *not:
		return truthOf(e.of, lookup).negated()
	case *cast:
		return e.truth(lookup)
	case *equality:
		return e.truth(lookup)
	case *ordering:
		return e.truth(lookup)
	case *membership:
		return e.truth(lookup)
	case *search:
		return e.truth(lookup)
	case *constant:
		return e.value.truth()
	default:
		return isFailed
	}
}

// valueOf evaluates any expression.
func valueOf(e expression, lookup Lookup) value {
	switch e := e.(type) {
	case *property:
		return e.value(lookup)
	case *constant:
		return e.value
	case *negation:
		return e.value(lookup)
	default:
		return truthOf(e, lookup).value()
	}
}

// isBoolean tells whether truthOf can evaluate e.
func isBoolean(e expression) bool {
	switch e := e.(type) {
	case *property, *negation:
		return false
	case *constant:
		return e.boolean()
	default:
		return true
	}
}

func (*property) expression()   {}
func (*constant) expression()   {}
func (*negation) expression()   {}
func (*and) expression()        {}
func (*or) expression()         {}
func (*not) expression()        {}
func (*cast) expression()       {}
func (*equality) expression()   {}
func (*ordering) expression()   {}
func (*membership) expression() {}
func (*search) expression()     {}
