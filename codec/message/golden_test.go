package message

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"rocketmq-proxy/pool"
)

// readGolden reads testdata/name.hex: lines that begin with # are its birth certificate, the
// others are hexadecimal.
func readGolden(t testing.TB, name string) []byte {
	t.Helper()
	file, err := os.ReadFile("testdata/" + name + ".hex")
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(file)) {
		if !strings.HasPrefix(line, "#") {
			digits.WriteString(strings.Join(strings.Fields(line), ""))
		}
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// chainOf makes a chain of b in views of at most size bytes.
func chainOf(t testing.TB, b []byte, size int) *pool.Chain {
	c := new(pool.Chain)
	for len(b) > 0 {
		n := min(size, len(b))
		c.Append(pool.Static(b[:n]))
		b = b[n:]
	}
	t.Cleanup(c.Release)
	return c
}

// cut copies bytes [offset, offset+n) of c.
func cut(c *pool.Chain, offset, n int) []byte { return c.AppendTo(nil)[offset : offset+n] }
