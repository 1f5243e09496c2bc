package apiv2

import (
	"encoding/binary"
	"unicode/utf8"
)

// validUTF8 is utf8.Valid, which is slow on the short ASCII strings that most values are: up to
// seven bytes it looks at each, and the same again behind the last full eight. Here the last
// bytes are looked at together with some before them, a second time.
func validUTF8(b []byte) bool {
	const tops = 0x8080808080808080
	n := len(b)
	var seen uint64
	switch {
	case n >= 8:
		for at := 0; at < n-8; at += 8 {
			seen |= binary.LittleEndian.Uint64(b[at:])
		}
		seen |= binary.LittleEndian.Uint64(b[n-8:])
	case n >= 4:
		seen = uint64(binary.LittleEndian.Uint32(b) | binary.LittleEndian.Uint32(b[n-4:]))
	default:
		for _, c := range b {
			seen |= uint64(c)
		}
	}
	return seen&tops == 0 || utf8.Valid(b)
}
