package apiv2

import "rocketmq-proxy/pool"

// Cursor reads protobuf wire format from a chain, front to back. It borrows the chain: what
// it returns are views of the chain's blocks, except where a value straddles two blocks and is
// gathered in the scratch the Cursor was given.
//
// Failure latches: after the first one every read returns a zero, More is false, and Err
// tells what it was. A reader is therefore straight lines without an if per field.
//
//	chain   |-- view --|------ view ------|---- view ----|
//	                   ^base   ^at    ^stop
//	message                |----------|limit
//
// at and stop count within the block at hand, base and limit from the front of the chain;
// stop is the end of the block or of the innermost message, whichever is nearer.
type Cursor struct {
	rest    []pool.View // the views behind block
	block   []byte
	at      int
	stop    int
	base    int
	limit   int
	scratch []byte
	err     error
}

// NewCursor borrows chain and takes scratch; Scratch gives it back, possibly grown.
func NewCursor(chain *pool.Chain, scratch []byte) Cursor {
	c := Cursor{rest: chain.Views(), limit: chain.Len(), scratch: scratch}
	c.nextBlock()
	return c
}

// Err is the first failure, a *[ParseError], or nil.
func (c *Cursor) Err() error { return c.err }

// Scratch is the scratch given to NewCursor with the gathered values behind what it held.
func (c *Cursor) Scratch() []byte { return c.scratch }

// Offset is the place of the next byte, in bytes from the front of the chain.
func (c *Cursor) Offset() int { return c.base + c.at }

// More tells whether the innermost message has bytes left.
func (c *Cursor) More() bool { return c.at < c.stop || c.base+c.at < c.limit }

// left is how many bytes the innermost message still has.
func (c *Cursor) left() int { return c.limit - c.base - c.at }

// fail latches the first failure and leaves nothing to read. It is kept out of its callers,
// which are short without it.
//
//go:noinline
func (c *Cursor) fail(cause error) {
	if c.err == nil {
		c.err = &ParseError{Offset: c.Offset(), Cause: cause}
	}
	c.rest, c.block = nil, nil
	c.at, c.stop, c.base, c.limit = 0, 0, 0, 0
}

// nextBlock goes on to the next view; false when there is none.
func (c *Cursor) nextBlock() bool {
	if len(c.rest) == 0 {
		return false
	}
	c.base += len(c.block)
	c.block, c.rest = c.rest[0].Bytes(), c.rest[1:]
	c.at = 0
	c.restop()
	return true
}

func (c *Cursor) restop() { c.stop = min(len(c.block), c.limit-c.base) }

// fill makes sure that the block at hand has a byte to read; false is a failure.
func (c *Cursor) fill() bool {
	for c.at == c.stop {
		if c.left() == 0 || !c.nextBlock() {
			c.fail(ErrTruncated)
			return false
		}
	}
	return true
}

// Varint reads a base-128 integer of up to 64 bits.
func (c *Cursor) Varint() uint64 {
	if c.at < c.stop {
		if b := c.block[c.at]; b < 0x80 {
			c.at++
			return uint64(b)
		}
	}
	return c.longVarint()
}

// longVarint reads a varint of more than one byte. Nearly all lie in the block at hand, end there
// and have fewer than the ten bytes of which the last is to be watched.
func (c *Cursor) longVarint() uint64 {
	var value uint64
	for i, b := range c.block[c.at:c.stop] {
		if i == 9 {
			break
		}
		value |= uint64(b&0x7f) << (7 * i & 63) // the mask spares a test for shifts beyond 63
		if b < 0x80 {
			c.at += i + 1
			return value
		}
	}
	return c.slowVarint()
}

func (c *Cursor) slowVarint() uint64 {
	var value uint64
	for shift := 0; shift < 70; shift += 7 {
		if c.at == c.stop && !c.fill() {
			return 0
		}
		b := c.block[c.at]
		if shift == 63 && b > 1 {
			break
		}
		c.at++
		value |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return value
		}
	}
	c.fail(ErrVarint)
	return 0
}

// Bytes returns the next n bytes as one slice, a view unless they straddle blocks. The slice
// has no spare capacity, and is nil only after a failure.
func (c *Cursor) Bytes(n int) []byte {
	if uint(n) <= uint(c.stop-c.at) {
		c.at += n
		return c.block[c.at-n : c.at : c.at]
	}
	return c.gather(n)
}

// gather copies n bytes that straddle blocks to the end of the scratch. Values gathered
// before keep theirs, even where the scratch has to grow: nobody writes the old array.
func (c *Cursor) gather(n int) []byte {
	if uint(n) > uint(c.left()) {
		c.fail(ErrTruncated)
		return nil
	}
	from := len(c.scratch)
	for n > 0 && c.fill() {
		k := min(n, c.stop-c.at)
		c.scratch = append(c.scratch, c.block[c.at:c.at+k]...)
		c.at += k
		n -= k
	}
	if c.err != nil {
		return nil
	}
	return c.scratch[from:len(c.scratch):len(c.scratch)]
}

// Skip passes over n bytes without touching them.
func (c *Cursor) Skip(n int) {
	if uint(n) > uint(c.left()) {
		c.fail(ErrTruncated)
		return
	}
	for n > c.stop-c.at {
		n -= c.stop - c.at
		c.at = c.stop
		if !c.fill() {
			return
		}
	}
	c.at += n
}

// Length reads the length of what follows, in bytes, and makes sure that it is there.
func (c *Cursor) Length() int {
	n := c.Varint()
	if n > uint64(c.left()) {
		c.fail(ErrTruncated)
		return 0
	}
	return int(n)
}

// Text reads a length and as many bytes, which must be UTF-8.
func (c *Cursor) Text() []byte {
	b := c.short()
	if b == nil {
		b = c.Bytes(c.Length())
	}
	if !validUTF8(b) {
		c.fail(ErrUTF8)
		return nil
	}
	return b
}

// short reads a length of one byte and as many bytes, if they all lie in the block at hand, as
// nearly all do. It is nil, and has read nothing, if not.
func (c *Cursor) short() []byte {
	rest := c.block[c.at:c.stop]
	if len(rest) == 0 || rest[0] >= 0x80 || int(rest[0]) >= len(rest) {
		return nil
	}
	n := int(rest[0]) + 1
	c.at += n
	return rest[1:n:n]
}

// shortEntry reads a map entry whose key and value are strings and come in this order, if it
// and its strings are shorter than 128 bytes and it lies in the block at hand. If not, or if
// anything is unusual or wrong with it, ok is false and nothing has been read.
func (c *Cursor) shortEntry() (p Property, ok bool) {
	rest := c.block[c.at:c.stop]
	if len(rest) == 0 || rest[0] >= 0x80 || int(rest[0]) >= len(rest) {
		return p, false
	}
	end := int(rest[0]) + 1
	key := rest[1:end:end]
	if len(key) < 4 || key[0] != tagMapKey || int(key[1]) > len(key)-4 {
		return p, false
	}
	mid := 2 + int(key[1])
	value := key[mid:]
	if value[0] != tagMapValue || int(value[1]) != len(value)-2 {
		return p, false
	}
	p = Property{Key: key[2:mid:mid], Value: value[2:]}
	if !validUTF8(p.Key) || !validUTF8(p.Value) {
		return p, false
	}
	c.at += end
	return p, true
}

// Span reads a length and passes over as many bytes, remembering only where they are.
func (c *Cursor) Span() Span {
	n := c.Length()
	s := Span{Offset: c.Offset(), Len: n}
	c.Skip(n)
	return s
}

// Enter reads a length and makes the message of that length the innermost. It returns the
// limit to give to Leave.
func (c *Cursor) Enter() (outer int) {
	n := c.Length()
	outer = c.limit
	c.limit = c.Offset() + n
	c.restop()
	return outer
}

// Leave ends the innermost message, which must have been read to its end.
func (c *Cursor) Leave(outer int) {
	if c.err == nil {
		c.limit = outer
		c.restop()
	}
}
