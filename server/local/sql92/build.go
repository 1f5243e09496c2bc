package sql92

import "fmt"

// What stands here makes expressions of their parts, and refuses the parts that the reference
// refuses although they fit the grammar.

// grown is an expression over parts, the highest of which is height.
func (p *parser) grown(e expression, at, height int) tree {
	if height++; height > DepthMax {
		p.tooDeep(at)
	}
	return tree{e, at, height}
}

func (p *parser) tooDeep(at int) {
	p.fail(at, fmt.Sprintf("at most %d levels of nesting", DepthMax), "more")
}

// refuse says that t, which has just been read, is not what can stand there.
func (p *parser) refuse(t tree, want string) {
	if p.err == nil {
		p.fail(t.at, want, quoted(p.lexer.text[t.at:max(t.at, p.end)]))
	}
}

// boolean is t as an operand of AND, OR or NOT, or as the result (SelectorParser#asBooleanExpression).
func (p *parser) boolean(t tree) expression {
	if of, ok := t.expression.(*property); ok {
		return &cast{of}
	}
	if !isBoolean(t.expression) {
		p.refuse(t, "a Boolean expression")
	}
	return t.expression
}

func (p *parser) not(t tree) tree {
	return p.grown(&not{p.boolean(t)}, t.at, t.height)
}

// equal is left = right (ComparisonExpression#checkEqualOperand, #checkEqualOperandCompatability).
func (p *parser) equal(left, right tree) tree {
	l, leftConstant := left.expression.(*constant)
	r, rightConstant := right.expression.(*constant)
	switch {
	case leftConstant && l.value.kind == kindNull:
		p.refuse(left, "IS NULL, or an operand other than NULL")
	case rightConstant && r.value.kind == kindNull:
		p.refuse(right, "IS NULL, or an operand other than NULL")
	case leftConstant && rightConstant && l.boolean() && !r.boolean():
		p.refuse(right, "a Boolean expression or a property")
	}
	return p.grown(&equality{left.expression, right.expression}, left.at, max(left.height, right.height))
}

// ordered is left > right and the like.
func (p *parser) ordered(operator tokenKind, left, right tree) tree {
	p.checkOrderOperand(left)
	p.checkOrderOperand(right)
	return p.grown(&ordering{operator, left.expression, right.expression}, left.at, max(left.height, right.height))
}

// checkOrderOperand refuses Boolean expressions and string literals (ComparisonExpression#checkLessThanOperand).
func (p *parser) checkOrderOperand(t tree) {
	c, ok := t.expression.(*constant)
	if isBoolean(t.expression) || ok && c.value.kind == kindText {
		p.refuse(t, "a number or a property")
	}
}

// between is of >= low AND of <= high, or of < low OR of > high (ComparisonExpression#createBetween,
// #createNotBetween). Only the former looks at its bounds.
func (p *parser) between(of, low, high tree, negated bool) tree {
	height := max(of.height, low.height, high.height) + 1
	if negated {
		below, above := p.ordered(tokenLess, of, low), p.ordered(tokenGreater, of, high)
		return p.grown(&or{of: []expression{below.expression, above.expression}}, of.at, height)
	}
	above, below := p.ordered(tokenGreaterEqual, of, low), p.ordered(tokenLessEqual, of, high)
	l, lowConstant := low.expression.(*constant)
	h, highConstant := high.expression.(*constant)
	if p.err == nil && lowConstant && highConstant && ordersOf(l.value, h.value) > 0 {
		p.refuse(high, "a bound that is not below the first")
	}
	return p.grown(&and{of: []expression{above.expression, below.expression}}, of.at, height)
}

// ordersOf compares two numbers.
func ordersOf(l, r value) int {
	order, _ := compare(l, r)
	return order
}
