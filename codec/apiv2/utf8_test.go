package apiv2

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

// A byte that is no ASCII is seen wherever it stands in a string of any length.
func TestValidUTF8(t *testing.T) {
	for n := range 40 {
		b := bytes.Repeat([]byte{'a'}, n)
		if !validUTF8(b) {
			t.Errorf("%d bytes of ASCII", n)
		}
		for at := range b {
			b[at] = 0x80
			if validUTF8(b) {
				t.Errorf("%d bytes, byte %d", n, at)
			}
			b[at] = 'a'
			if s := append(append(bytes.Clone(b[:at]), "é"...), b[at:]...); !validUTF8(s) || !utf8.Valid(s) {
				t.Errorf("%q", s)
			}
		}
	}
}
