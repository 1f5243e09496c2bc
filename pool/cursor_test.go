package pool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

// chopped is a chain of p in pieces of random size.
func chopped(rng *rand.Rand, p []byte) *Chain {
	c := new(Chain)
	for len(p) > 0 {
		n := min(1+rng.IntN(9), len(p))
		c.Append(Static(p[:n]))
		p = p[n:]
	}
	return c
}

// TestCursorAgainstReader reads the same bytes through a Cursor and through a bytes.Reader, in
// any pieces and with any mix of reads, past the end too.
func TestCursorAgainstReader(t *testing.T) {
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 1))
		p := make([]byte, rng.IntN(80))
		for i := range p {
			p[i] = byte(rng.Uint32())
		}
		cursor, reader := NewCursor(chopped(rng, p)), bytes.NewReader(p)
		failed := false
		for range 40 {
			what, got, want, ok := randomRead(rng, &cursor, reader)
			if failed = failed || !ok; failed {
				want = make([]byte, len(want)) // every read after a failure gives zero
			}
			if !bytes.Equal(got, want) && !(failed && len(got) == 0) {
				t.Fatalf("seed %d: %s gives %x, want %x", seed, what, got, want)
			}
			if failed != (cursor.Err() != nil) || failed && !errors.Is(cursor.Err(), io.ErrUnexpectedEOF) {
				t.Fatalf("seed %d: %s: failed %v, error %v", seed, what, failed, cursor.Err())
			}
			left := reader.Len()
			if failed {
				left = 0
			}
			if cursor.Left() != left || cursor.Offset() != len(p)-left {
				t.Fatalf("seed %d: %s: at %d with %d left, want %d left of %d", seed, what, cursor.Offset(), cursor.Left(), left, len(p))
			}
		}
	}
}

// randomRead does one read on both; ok tells whether the reader had enough. Numbers are compared
// as their bytes.
func randomRead(rng *rand.Rand, c *Cursor, r *bytes.Reader) (what string, got, want []byte, ok bool) {
	read := func(n int) {
		want = make([]byte, n)
		if ok = r.Len() >= n; ok {
			_, err := io.ReadFull(r, want)
			ok = err == nil
		}
	}
	n := rng.IntN(12)
	switch rng.IntN(8) {
	case 0:
		read(1)
		return "Uint8", []byte{c.Uint8()}, want, ok
	case 1:
		read(2)
		return "Uint16", binary.BigEndian.AppendUint16(nil, c.Uint16()), want, ok
	case 2:
		read(4)
		return "Uint32", binary.BigEndian.AppendUint32(nil, c.Uint32()), want, ok
	case 3:
		read(8)
		return "Uint64", binary.BigEndian.AppendUint64(nil, c.Uint64()), want, ok
	case 4:
		read(n)
		return "Bytes", c.Bytes(n, make([]byte, n)), want, ok
	case 5:
		read(n)
		return "AppendTo", c.AppendTo(nil, n), want, ok
	case 6:
		read(n)
		c.Skip(n)
		return "Skip", nil, nil, ok
	default:
		if got = c.Inside(n); got == nil {
			return "Inside", nil, nil, true
		}
		read(n)
		return "Inside", got, want, ok
	}
}

func TestCursorBorrowsInsideAView(t *testing.T) {
	p := []byte("0123456789")
	var c Chain
	c.Append(Static(p[:4]))
	c.Append(Static(p[4:]))
	r := NewCursor(&c)
	if got := r.Bytes(3, nil); string(got) != "012" || &got[0] != &p[0] {
		t.Errorf("got %q, a copy", got)
	}
	if got := r.Inside(2); got != nil {
		t.Errorf("Inside gives %q across views", got)
	}
	got := r.Bytes(2, make([]byte, 2))
	if string(got) != "34" {
		t.Errorf("got %q", got)
	}
	// What is borrowed must not be appended to over its neighbour.
	got = r.Inside(2)
	_ = append(got, 'x')
	if string(p) != "0123456789" {
		t.Errorf("the neighbour was overwritten: %q", p)
	}
	if c.Len() != 10 {
		t.Error("the cursor consumed the chain")
	}
}

func TestCursorRefusesNegativeLengths(t *testing.T) {
	for name, read := range map[string]func(*Cursor){
		"Bytes":    func(r *Cursor) { r.Bytes(-1, nil) },
		"AppendTo": func(r *Cursor) { r.AppendTo(nil, -1) },
		"Skip":     func(r *Cursor) { r.Skip(-1) },
	} {
		r := NewCursor(chopped(rand.New(rand.NewPCG(0, 0)), []byte("0123456789")))
		if read(&r); r.Err() == nil || r.Left() != 0 {
			t.Errorf("%s: %v with %d left", name, r.Err(), r.Left())
		}
	}
	if got := new(Cursor).Inside(-1); got != nil {
		t.Errorf("Inside gives %q", got)
	}
}
