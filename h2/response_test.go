package h2

import (
	"strings"
	"testing"
)

// TestSayable: what is sent of a message is a bounded beginning of it, and always UTF-8.
// server/conformance/interop has grpc-go read the same.
func TestSayable(t *testing.T) {
	x := strings.Repeat("x", messageBytesMax-2)
	for _, test := range []struct{ message, want string }{
		{"", ""},
		{"größer", "größer"},
		{x + "yz", x + "yz"},
		{x + "yz!", x + "yz"},
		{x + "é!", x + "é"},
		{x + "yé", x + "y"},
		{x + "消", x},
		{x + "🚀", x},
		{"\xff\xfe of a client", "\ufffd of a client"},
		{strings.Repeat("\x80", 2*messageBytesMax), "\ufffd"},
	} {
		if got := sayable(test.message); got != test.want {
			t.Errorf("%.20q, %d bytes: %.20q, %d bytes", test.message, len(test.message), got, len(got))
		}
	}
}
