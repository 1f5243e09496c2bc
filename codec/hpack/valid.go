package hpack

import "encoding/binary"

// nameBytes are the bytes a field name may hold (RFC 9113 section 8.2.1): no controls, no
// space, no upper case, nothing from 0x7f on. The colon of a pseudo-header is looked at
// apart.
var nameBytes = func() (ok [256]bool) {
	for c := 0x21; c < 0x7f; c++ {
		ok[c] = c != ':' && (c < 'A' || c > 'Z')
	}
	return ok
}()

func validName(name []byte) bool {
	if len(name) > 0 && name[0] == ':' {
		name = name[1:]
	}
	if len(name) == 0 {
		return false
	}
	for _, c := range name {
		if !nameBytes[c] {
			return false
		}
	}
	return true
}

// validValue refuses NUL, CR and LF. White space at either end, which RFC 9113 section 8.2.1
// forbids too, is let through: the reference accepts it, and so does everybody else.
func validValue(value []byte) bool {
	for len(value) >= 8 {
		if suspicious(binary.LittleEndian.Uint64(value)) && !validBytes(value[:8]) {
			return false
		}
		value = value[8:]
	}
	return validBytes(value)
}

// suspicious tells whether one of the eight bytes of b is below 0x10, as all that are refused
// are: taking 0x10 from such a byte sets its top bit, which it had not before. A borrow can
// only make a neighbour suspicious as well.
func suspicious(b uint64) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	return (b-0x10*ones)&^b&tops != 0
}

func validBytes(value []byte) bool {
	for _, c := range value {
		if c <= '\r' && (c == 0 || c == '\n' || c == '\r') {
			return false
		}
	}
	return true
}
