package sql92

import (
	"math"
	"strconv"
	"strings"
)

// parser makes expressions of tokens by recursive descent, one method per rule of the grammar. It
// latches the first error and then sees only tokenFailed.
type parser struct {
	lexer  lexer
	tok    token // the one token looked ahead
	end    int   // of the token before it
	nested int   // rules within rules, now
	err    *SyntaxError
}

// tree is an expression under construction.
type tree struct {
	expression
	at     int // where it begins
	height int // of nested expressions
}

func (p *parser) selector() expression {
	p.advance()
	return p.boolean(p.or())
}

func (p *parser) or() tree {
	return p.chain(tokenOr, p.and, func(of []expression) expression { return &or{of: of} })
}

func (p *parser) and() tree {
	return p.chain(tokenAnd, p.equality, func(of []expression) expression { return &and{of: of} })
}

// chain is one operand, or several with a logical operator between them.
func (p *parser) chain(operator tokenKind, operand func() tree, join func([]expression) expression) tree {
	first := operand()
	if p.tok.kind != operator {
		return first
	}
	of, height := []expression{p.boolean(first)}, first.height
	for p.accept(operator) {
		next := operand()
		of, height = append(of, p.boolean(next)), max(height, next.height)
	}
	return p.grown(join(of), first.at, height)
}

func (p *parser) equality() tree {
	left := p.comparison()
	for {
		switch p.tok.kind {
		case tokenEqual:
			p.advance()
			left = p.equal(left, p.comparison())
		case tokenNotEqual:
			p.advance()
			left = p.not(p.equal(left, p.comparison()))
		case tokenIs:
			p.advance()
			left = p.isNull(left)
		default:
			return left
		}
	}
}

// isNull is what follows IS.
func (p *parser) isNull(of tree) tree {
	negated := p.accept(tokenNot)
	p.expect(tokenNull, "NULL")
	is := p.grown(&equality{of.expression, nullLiteral}, of.at, of.height)
	if negated {
		return p.not(is)
	}
	return is
}

func (p *parser) comparison() tree {
	left := p.unary()
	for {
		switch kind := p.tok.kind; kind {
		case tokenGreater, tokenGreaterEqual, tokenLess, tokenLessEqual:
			p.advance()
			left = p.ordered(kind, left, p.unary())
		case tokenNot, tokenContains, tokenStartsWith, tokenEndsWith, tokenBetween, tokenIn:
			left = p.predicate(left, p.accept(tokenNot))
		default:
			return left
		}
	}
}

// predicate is an operator that may have a NOT before it, and what follows.
func (p *parser) predicate(left tree, negated bool) tree {
	switch kind := p.tok.kind; kind {
	case tokenContains, tokenStartsWith, tokenEndsWith:
		p.advance()
		return p.grown(&search{of: left.expression, kind: kind, text: p.string(), not: negated}, left.at, left.height)
	case tokenBetween:
		p.advance()
		low := p.unary()
		p.expect(tokenAnd, "AND")
		return p.between(left, low, p.unary(), negated)
	case tokenIn:
		p.advance()
		return p.in(left, negated)
	default:
		p.unexpected("CONTAINS, STARTSWITH, ENDSWITH, BETWEEN or IN")
		return left
	}
}

// in is what follows IN.
func (p *parser) in(left tree, negated bool) tree {
	p.expect(tokenOpen, "(")
	words := [][]byte{p.string()}
	for p.accept(tokenComma) {
		words = append(words, p.string())
	}
	p.expect(tokenClose, ", or )")
	of, ok := left.expression.(*property)
	if !ok {
		p.refuse(left, "a property before IN")
	}
	return p.grown(newMembership(of, words, negated), left.at, left.height)
}

func (p *parser) unary() tree {
	if p.nested++; p.nested > DepthMax {
		p.tooDeep(p.tok.at)
	}
	defer func() { p.nested-- }()
	at := p.tok.at
	switch {
	case p.accept(tokenPlus):
		return p.unary()
	case p.accept(tokenMinus):
		of := p.unary()
		return p.grown(&negation{of.expression}, at, of.height)
	case p.accept(tokenNot):
		of := p.not(p.unary())
		of.at = at
		return of
	default:
		return p.primary()
	}
}

func (p *parser) primary() tree {
	t := p.tok
	if p.accept(tokenOpen) {
		inner := p.or()
		p.expect(tokenClose, ")")
		return inner
	}
	leaf := p.leaf(t)
	p.advance()
	return tree{leaf, t.at, 1}
}

// leaf is the expression that is one token.
func (p *parser) leaf(t token) expression {
	switch t.kind {
	case tokenProperty:
		return &property{name: []byte(t.text)}
	case tokenString:
		return &constant{value: textValue(unescaped(t.text))}
	case tokenInteger, tokenFloat:
		return &constant{value: p.number(t)}
	case tokenTrue:
		return trueLiteral
	case tokenFalse:
		return falseLiteral
	case tokenNull:
		return nullLiteral
	default:
		p.unexpected("a property, a literal, NOT, +, - or (")
		return nil
	}
}

// string is the string literal that must come next.
func (p *parser) string() []byte {
	t := p.tok
	p.expect(tokenString, "a string literal")
	if p.err != nil {
		return nil
	}
	return unescaped(t.text)
}

// unescaped is what a string literal stands for.
func unescaped(literal string) []byte {
	return []byte(strings.ReplaceAll(literal[1:len(literal)-1], "''", "'"))
}

// number is what an integer or float literal stands for. An integer that fits into 32 bits is an
// Integer; a float is a positive Double (ConstantExpression#createFromDecimal, #createFloat).
func (p *parser) number(t token) value {
	if t.kind == tokenFloat {
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil || f == 0 {
			p.fail(t.at, "a float between 4.9E-324 and 1.7976931348623157E308", t.String())
		}
		return doubleValue(f)
	}
	n, err := strconv.ParseInt(strings.TrimRight(t.text, "lL"), 10, 64)
	if err != nil {
		p.fail(t.at, "an integer up to 9223372036854775807", t.String())
	}
	if n <= math.MaxInt32 {
		return integerValue(n)
	}
	return longValue(n)
}

func (p *parser) advance() {
	p.end = p.tok.at + len(p.tok.text)
	if p.err != nil {
		return
	}
	t, err := p.lexer.next()
	if err != nil {
		p.fail(err.Offset, err.Want, err.Got)
		return
	}
	p.tok = t
}

func (p *parser) accept(kind tokenKind) bool {
	if p.tok.kind != kind {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(kind tokenKind, want string) {
	if !p.accept(kind) {
		p.unexpected(want)
	}
}

func (p *parser) unexpected(want string) { p.fail(p.tok.at, want, p.tok.String()) }

// fail latches the first error.
func (p *parser) fail(at int, want, got string) {
	if p.err == nil {
		p.err = &SyntaxError{Offset: at, Want: want, Got: got}
	}
	p.tok = token{kind: tokenFailed, at: at}
}
