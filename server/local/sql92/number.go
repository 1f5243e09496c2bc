package sql92

import (
	"math"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// parseInteger is Integer.valueOf (bits 32) or Long.valueOf (bits 64): a sign or none, and decimal
// digits of any script, as Character.digit knows them.
func parseInteger(text []byte, bits int) (n int64, ok bool) {
	negative := false
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		negative = text[0] == '-'
		text = text[1:]
	}
	if len(text) == 0 {
		return 0, false
	}
	limit := uint64(1)<<(bits-1) - 1
	if negative {
		limit++
	}
	total := uint64(0)
	for len(text) > 0 {
		digit, size := digitOf(text)
		if size == 0 || total > (limit-digit)/10 {
			return 0, false
		}
		total = total*10 + digit
		text = text[size:]
	}
	if negative {
		return -int64(total), true
	}
	return int64(total), true
}

// digitOf is the value of the decimal digit that text begins with; size is 0 when it is none.
// Java looks at UTF-16 units, so digits beyond the basic plane are none.
func digitOf(text []byte) (digit uint64, size int) {
	if isDigit(text[0]) {
		return uint64(text[0] - '0'), 1
	}
	if text[0] < utf8.RuneSelf {
		return 0, 0
	}
	r, size := utf8.DecodeRune(text)
	for _, set := range unicode.Nd.R16 {
		if lo, hi := rune(set.Lo), rune(set.Hi); lo <= r && r <= hi {
			return uint64(r-lo) % 10, size // ranges of Nd are whole rows from 0 to 9
		}
	}
	return 0, 0
}

// parseDouble is Double.valueOf. Its language is not that of strconv: text is trimmed, a suffix
// f, F, d or D is allowed, Infinity and NaN are of that spelling only, and underscores are none.
func parseDouble(text []byte) (f float64, ok bool) {
	text = trimmed(text)
	negative := false
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		negative = text[0] == '-'
		text = text[1:]
	}
	switch {
	case string(text) == "NaN":
		f = math.NaN()
	case string(text) == "Infinity":
		f = math.Inf(1)
	default:
		number, ok := doubleIn(text)
		if !ok {
			return 0, false
		}
		// The only error left is that of the range, and then f is what Java has: infinity.
		f, _ = strconv.ParseFloat(string(number), 64)
	}
	if negative {
		f = -f
	}
	return f, true
}

// trimmed is String.trim.
func trimmed(text []byte) []byte {
	for len(text) > 0 && text[0] <= ' ' {
		text = text[1:]
	}
	for len(text) > 0 && text[len(text)-1] <= ' ' {
		text = text[:len(text)-1]
	}
	return text
}

// doubleIn is text without its suffix, if it is a decimal or hexadecimal number without a sign.
func doubleIn(text []byte) (number []byte, ok bool) {
	isFigure, mark, start, exponentRequired := isDigit, byte('e'), 0, false
	if len(text) > 1 && text[0] == '0' && text[1]|0x20 == 'x' {
		isFigure, mark, start, exponentRequired = isHexDigit, 'p', 2, true
	}
	n, ok := skipFigures(text, start, isFigure)
	if !ok {
		return nil, false
	}
	end, ok := skipExponent(text, n, mark)
	if !ok || exponentRequired && end == n {
		return nil, false
	}
	number, suffix := text[:end], text[end:]
	return number, len(suffix) == 0 || len(suffix) == 1 && isSuffix(suffix[0])
}

// skipFigures steps over figures with at most one point among them, of which there must be one.
func skipFigures(text []byte, n int, isFigure func(byte) bool) (end int, ok bool) {
	point := false
	for ; n < len(text); n++ {
		switch {
		case isFigure(text[n]):
			ok = true
		case text[n] == '.' && !point:
			point = true
		default:
			return n, ok
		}
	}
	return n, ok
}

// skipExponent steps over an exponent, if there is one; it is not ok when that has no figures.
func skipExponent(text []byte, n int, mark byte) (end int, ok bool) {
	if n == len(text) || text[n]|0x20 != mark {
		return n, true
	}
	n++
	if n < len(text) && (text[n] == '-' || text[n] == '+') {
		n++
	}
	start := n
	for n < len(text) && isDigit(text[n]) {
		n++
	}
	return n, n > start
}

func isHexDigit(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

func isSuffix(c byte) bool { return c|0x20 == 'f' || c|0x20 == 'd' }
