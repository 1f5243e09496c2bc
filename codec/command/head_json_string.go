package command

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// string reads to the closing quote; the opening one has been read. Text without escapes, which
// is nearly all of it, is borrowed. Control characters are accepted as they are: some writers
// of other languages do not escape the separators of message properties.
func (r *jsonReader) string() []byte {
	rest := r.b[r.at:]
	end := stringEnd(rest)
	if end == len(rest) {
		r.fail("string does not end")
		return nil
	}
	if rest[end] == '"' {
		r.at += end + 1
		return rest[:end:end]
	}
	return r.unescape()
}

// stringEnd is where the first quote or backslash is, len(b) without one. It looks at eight
// bytes at a time: half of the bytes of a head are inside of strings, most of them short.
func stringEnd(b []byte) int {
	const each, tops = 0x0101010101010101, 0x8080808080808080
	rest := b
	for ; len(rest) >= 8; rest = rest[8:] {
		word := binary.LittleEndian.Uint64(rest)
		quote, backslash := word^each*'"', word^each*'\\'
		// The lowest top bit of either marks the first byte that is zero.
		found := ((quote-each)&^quote | (backslash-each)&^backslash) & tops
		if found != 0 {
			return len(b) - len(rest) + bits.TrailingZeros64(found)/8
		}
	}
	at := len(b) - len(rest)
	for at < len(b) && b[at] != '"' && b[at] != '\\' {
		at++
	}
	return at
}

// unescape copies a string that has escapes into the scratch. When the scratch grows, earlier
// text stays where it is, in the array it left.
func (r *jsonReader) unescape() []byte {
	from := len(r.text)
	for r.at < len(r.b) {
		c := r.b[r.at]
		r.at++
		switch c {
		case '"':
			return r.text[from:len(r.text):len(r.text)]
		case '\\':
			r.escape()
		default:
			r.text = append(r.text, c)
		}
	}
	r.fail("string does not end")
	return nil
}

// escape reads one escape behind its backslash.
func (r *jsonReader) escape() {
	if r.at == len(r.b) {
		return // the caller reports it
	}
	c := r.b[r.at]
	r.at++
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		r.text = utf8.AppendRune(r.text, r.unicode())
		return
	default:
		r.fail("unknown escape")
	}
	r.text = append(r.text, c)
}

// unicode reads the digits of \uXXXX, and a second escape where they are half of a surrogate
// pair. A half without the other becomes U+FFFD.
func (r *jsonReader) unicode() rune {
	high := r.hex4()
	if !utf16.IsSurrogate(high) {
		return high
	}
	if !bytes.HasPrefix(r.b[r.at:], []byte(`\u`)) {
		return utf8.RuneError
	}
	at := r.at
	r.at += len(`\u`)
	if pair := utf16.DecodeRune(high, r.hex4()); pair != utf8.RuneError || r.reason != "" {
		return pair
	}
	r.at = at // the second one stands for itself
	return utf8.RuneError
}

func (r *jsonReader) hex4() (c rune) {
	if len(r.b)-r.at < 4 {
		r.fail("escape does not end")
		return utf8.RuneError
	}
	for range 4 {
		d := hexValue(r.b[r.at])
		if d < 0 {
			r.fail("not a hexadecimal digit")
			return utf8.RuneError
		}
		c = c<<4 | d
		r.at++
	}
	return c
}

func hexValue(c byte) rune {
	switch {
	case c-'0' <= 9:
		return rune(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return rune(c|0x20-'a') + 10
	}
	return -1
}
