package h2

import (
	"strings"
	"testing"
)

func TestMetadataBytesMax(t *testing.T) {
	const heads = 6 // of one field with a name of one letter and a value of thousands
	for _, test := range []struct {
		before, size int
		kept         bool
	}{
		{0, metadataBytesMax - heads, true},
		{0, metadataBytesMax - heads + 1, false},
		{100, metadataBytesMax - heads - 100, true},
		{100, metadataBytesMax - heads - 99, false},
	} {
		got := appendMetadata(make([]byte, test.before), "x", strings.Repeat("v", test.size))
		if (len(got) == metadataBytesMax) != test.kept || (!test.kept && len(got) != test.before) {
			t.Errorf("%d bytes behind %d: %d", test.size, test.before, len(got))
		}
	}
}
