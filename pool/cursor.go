package pool

import (
	"encoding/binary"
	"io"
)

// Cursor reads a chain from front to back without consuming it. Its failure latches: after
// the first read past the end every read gives zero, and [Cursor.Err] tells once. Decoders
// become straight lines without an error check per field.
//
// A Cursor borrows the chain: the chain must not change while it is read.
type Cursor struct {
	rest   []byte // what is left of the current view
	views  []View // the views behind it
	offset int    // bytes before rest, from the start of the chain
	left   int    // bytes from here to the end
	failed bool
}

// NewCursor returns a Cursor at the front of c.
func NewCursor(c *Chain) Cursor {
	r := Cursor{views: c.Views(), left: c.Len()}
	r.advance()
	return r
}

// Offset is how many bytes lie before the cursor.
func (r *Cursor) Offset() int { return r.offset }

// Left is how many bytes lie behind the cursor.
func (r *Cursor) Left() int { return r.left }

// Err is io.ErrUnexpectedEOF once a read went past the end, else nil.
func (r *Cursor) Err() error {
	if r.failed {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// Uint8 reads one byte.
func (r *Cursor) Uint8() byte {
	if len(r.rest) == 0 {
		r.fail()
		return 0
	}
	b := r.rest[0]
	r.take(1)
	return b
}

// Uint16 reads a big-endian 16-bit number.
func (r *Cursor) Uint16() uint16 {
	var scratch [2]byte
	if b := r.Bytes(2, scratch[:]); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

// Uint32 reads a big-endian 32-bit number.
func (r *Cursor) Uint32() uint32 {
	var scratch [4]byte
	if b := r.Bytes(4, scratch[:]); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// Uint64 reads a big-endian 64-bit number.
func (r *Cursor) Uint64() uint64 {
	var scratch [8]byte
	if b := r.Bytes(8, scratch[:]); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// Inside borrows the next n bytes when they lie in one view, and moves past them. It returns
// nil and stays when they straddle views or n is 0; use Bytes then.
func (r *Cursor) Inside(n int) []byte {
	if n <= 0 || len(r.rest) < n {
		return nil
	}
	b := r.rest[:n:n]
	r.take(n)
	return b
}

// Bytes reads n bytes as one slice: a view where they lie in one block, else gathered into
// scratch, which must hold n bytes. It returns nil when fewer are left.
func (r *Cursor) Bytes(n int, scratch []byte) []byte {
	if b := r.Inside(n); b != nil {
		return b
	}
	if n < 0 || n > r.left {
		r.fail()
		return nil
	}
	got := 0
	for got < n {
		part := copy(scratch[got:n], r.rest)
		got += part
		r.take(part)
	}
	return scratch[:n:n]
}

// AppendTo reads n bytes onto the end of dst. It appends nothing when fewer are left.
func (r *Cursor) AppendTo(dst []byte, n int) []byte {
	if n < 0 || n > r.left {
		r.fail()
		return dst
	}
	for n > 0 {
		part := min(n, len(r.rest))
		dst = append(dst, r.rest[:part]...)
		r.take(part)
		n -= part
	}
	return dst
}

// Skip moves past n bytes.
func (r *Cursor) Skip(n int) {
	if n < 0 || n > r.left {
		r.fail()
		return
	}
	for n > 0 {
		part := min(n, len(r.rest))
		r.take(part)
		n -= part
	}
}

// take moves past n bytes that are known to lie in rest.
func (r *Cursor) take(n int) {
	r.rest = r.rest[n:]
	r.offset += n
	r.left -= n
	if len(r.rest) == 0 {
		r.advance()
	}
}

func (r *Cursor) advance() {
	if len(r.views) > 0 {
		r.rest, r.views = r.views[0].bytes, r.views[1:]
	}
}

func (r *Cursor) fail() {
	r.failed = true
	r.rest, r.views = nil, nil
	r.offset += r.left
	r.left = 0
}
