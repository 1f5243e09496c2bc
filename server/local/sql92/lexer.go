package sql92

import (
	"fmt"
	"strings"
)

type tokenKind uint8

const (
	tokenEnd    tokenKind = iota // of the expression
	tokenFailed                  // after the first error; fits nowhere, so every loop ends

	tokenProperty
	tokenString
	tokenInteger
	tokenFloat

	tokenNot
	tokenAnd
	tokenOr
	tokenBetween
	tokenIn
	tokenTrue
	tokenFalse
	tokenNull
	tokenIs
	tokenContains
	tokenStartsWith
	tokenEndsWith

	tokenEqual
	tokenNotEqual
	tokenGreater
	tokenGreaterEqual
	tokenLess
	tokenLessEqual
	tokenOpen
	tokenClose
	tokenComma
	tokenPlus
	tokenMinus
)

// keywords are upper case here and of any case in expressions.
var keywords = map[string]tokenKind{
	"NOT": tokenNot, "AND": tokenAnd, "OR": tokenOr, "BETWEEN": tokenBetween, "IN": tokenIn,
	"TRUE": tokenTrue, "FALSE": tokenFalse, "NULL": tokenNull, "IS": tokenIs,
	"CONTAINS": tokenContains, "STARTSWITH": tokenStartsWith, "ENDSWITH": tokenEndsWith,
}

// keywordLengthMax is that of STARTSWITH; longer words are not looked up.
const keywordLengthMax = len("STARTSWITH")

// symbols are tried in this order, longer ones first.
var symbols = []struct {
	text string
	kind tokenKind
}{
	{"<>", tokenNotEqual}, {">=", tokenGreaterEqual}, {"<=", tokenLessEqual},
	{"=", tokenEqual}, {">", tokenGreater}, {"<", tokenLess},
	{"(", tokenOpen}, {")", tokenClose}, {",", tokenComma}, {"+", tokenPlus}, {"-", tokenMinus},
}

type token struct {
	kind tokenKind
	at   int
	text string // as written
}

func (t token) String() string {
	if t.kind == tokenEnd {
		return "the end"
	}
	return quoted(t.text)
}

// quotedMax bounds what an error repeats of the expression, in bytes.
const quotedMax = 40

func quoted(text string) string {
	if len(text) > quotedMax {
		return fmt.Sprintf("%q...", text[:quotedMax])
	}
	return fmt.Sprintf("%q", text)
}

// lexer takes an expression apart, one token after the other.
type lexer struct {
	text string
	pos  int
	// lastLine is true when no line ends at or after pos: without it, a row of minus signs would
	// be searched to its end for each of them.
	lastLine bool
}

// next is the next token, or what is wrong with the text.
func (l *lexer) next() (token, *SyntaxError) {
	if err := l.skipBlank(); err != nil {
		return token{kind: tokenFailed, at: err.Offset}, err
	}
	rest := l.text[l.pos:]
	if rest == "" {
		return token{kind: tokenEnd, at: l.pos}, nil
	}
	switch c := rest[0]; {
	case isNameStart(c):
		return l.word(rest)
	case c == '\'':
		return l.string(rest)
	case isDigit(c) || c == '.':
		return l.number(rest)
	}
	for _, s := range symbols {
		if strings.HasPrefix(rest, s.text) {
			return l.take(s.kind, len(s.text))
		}
	}
	return l.refuse(l.pos, "a token", quoted(firstRune(rest)))
}

func (l *lexer) take(kind tokenKind, length int) (token, *SyntaxError) {
	t := token{kind: kind, at: l.pos, text: l.text[l.pos : l.pos+length]}
	l.pos += length
	return t, nil
}

func (l *lexer) refuse(at int, want, got string) (token, *SyntaxError) {
	return token{kind: tokenFailed, at: at}, &SyntaxError{Offset: at, Want: want, Got: got}
}

// skipBlank steps over white space and comments.
func (l *lexer) skipBlank() *SyntaxError {
	for l.pos < len(l.text) {
		rest := l.text[l.pos:]
		switch {
		case strings.IndexByte(" \t\n\r\f", rest[0]) >= 0:
			l.pos++
		case strings.HasPrefix(rest, "--"):
			if !l.skipLine(rest) {
				return nil
			}
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return &SyntaxError{Offset: l.pos, Want: "a comment that ends with */", Got: "the end"}
			}
			l.pos += 2 + end + 2
		default:
			return nil
		}
	}
	return nil
}

// skipLine steps over a line comment, or tells that it is none because its line does not end.
func (l *lexer) skipLine(rest string) bool {
	if l.lastLine {
		return false
	}
	end := strings.IndexAny(rest, "\n\r")
	if end < 0 {
		l.lastLine = true
		return false
	}
	l.pos += end + 1
	return true
}

func (l *lexer) word(rest string) (token, *SyntaxError) {
	n := 1
	for n < len(rest) && (isNameStart(rest[n]) || isDigit(rest[n])) {
		n++
	}
	kind := tokenProperty
	if n <= keywordLengthMax {
		if k, ok := keywords[strings.ToUpper(rest[:n])]; ok {
			kind = k
		}
	}
	return l.take(kind, n)
}

// string is a string literal. When the text ends within it, the longest one that did end is it, and
// the quote after it begins nothing.
func (l *lexer) string(rest string) (token, *SyntaxError) {
	ended := 0
	for n := 1; ; n += 2 {
		quote := strings.IndexByte(rest[n:], '\'')
		if quote < 0 {
			break
		}
		n += quote
		ended = n + 1
		if ended == len(rest) || rest[ended] != '\'' {
			return l.take(tokenString, ended)
		}
	}
	if ended > 0 {
		return l.take(tokenString, ended)
	}
	return l.refuse(l.pos, "a string that ends with a quote", quoted(rest))
}

// number is a number literal, an integer or a float, whichever is longer.
func (l *lexer) number(rest string) (token, *SyntaxError) {
	whole := digits(rest)
	n := whole
	if n < len(rest) && rest[n] == '.' {
		fraction := digits(rest[n+1:])
		if whole == 0 && fraction == 0 {
			return l.refuse(l.pos, "a token", quoted("."))
		}
		n += 1 + fraction
	}
	n += exponent(rest[n:])
	if n > whole {
		return l.take(tokenFloat, n)
	}
	if rest[0] == '0' {
		return l.take(tokenInteger, 1)
	}
	if n < len(rest) && (rest[n] == 'l' || rest[n] == 'L') {
		n++
	}
	return l.take(tokenInteger, n)
}

// digits counts the decimal digits that text begins with.
func digits(text string) int {
	n := 0
	for n < len(text) && isDigit(text[n]) {
		n++
	}
	return n
}

// exponent is the length of the exponent that text begins with, 0 without one.
func exponent(text string) int {
	if text == "" || text[0]|0x20 != 'e' {
		return 0
	}
	sign := 0
	if len(text) > 1 && (text[1] == '+' || text[1] == '-') {
		sign = 1
	}
	n := digits(text[1+sign:])
	if n == 0 {
		return 0
	}
	return 1 + sign + n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isNameStart(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || c == '$'
}

func firstRune(text string) string {
	for i := range text {
		if i > 0 {
			return text[:i]
		}
	}
	return text
}
