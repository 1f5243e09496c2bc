package sql92

import "fmt"

// DepthMax bounds the nesting of an expression, so that no input can exhaust the stack of Compile
// or Match. Chains of AND and of OR are not nesting, however long.
const DepthMax = 1000

// Filter is a compiled expression. It is immutable and safe for concurrent use.
type Filter struct {
	root expression // Boolean
}

// Lookup finds a property of the message at hand. The name is lent and must not be changed; the
// value is borrowed until the evaluation ends.
type Lookup = func(name []byte) (value []byte, ok bool)

// SyntaxError says why an expression was refused.
type SyntaxError struct {
	Offset int    // in bytes, where what was found begins
	Want   string // what would have been accepted
	Got    string // what was found
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("sql92: at offset %d: expected %s, found %s", e.Offset, e.Want, e.Got)
}

// Compile makes a Filter of an expression. The error is a *SyntaxError.
func Compile(text string) (*Filter, error) {
	p := parser{lexer: lexer{text: text}}
	root := p.selector()
	if p.err != nil {
		return nil, p.err
	}
	return &Filter{root: root}, nil
}

// Match tells whether the expression is TRUE of the message. Null and failed evaluations do not
// match. It does not allocate, save for numbers of more than 32 characters or beyond a Double.
func (f *Filter) Match(lookup Lookup) bool {
	return truthOf(f.root, lookup) == isTrue
}
