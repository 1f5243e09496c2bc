package pool

// View is some bytes of a block, together with a reference to it.
type View struct {
	buf   *Buffer
	bytes []byte
}

// ViewOf takes the caller's reference to b and returns it as a view of bytes [from, to).
func ViewOf(b *Buffer, from, to int) View { return View{buf: b, bytes: b.block[from:to]} }

// Kept takes the caller's reference to b, which keeps bytes alive, and returns bytes as a
// view. It is for foreign memory that lies in several pieces under one owner.
func Kept(b *Buffer, bytes []byte) View { return View{buf: b, bytes: bytes} }

// Static is a view of bytes that live for ever, such as an encoded constant. They must never
// be written.
func Static(bytes []byte) View { return View{bytes: bytes} }

// Bytes borrows the bytes of the view.
func (v View) Bytes() []byte { return v.bytes }

// Len is the number of bytes in the view.
func (v View) Len() int { return len(v.bytes) }

// Share returns a second view of the same bytes, with a reference of its own.
func (v View) Share() View {
	if v.buf != nil {
		v.buf.Retain()
	}
	return v
}

// Sub shares bytes [from, to) of the view.
func (v View) Sub(from, to int) View {
	s := v.Share()
	s.bytes = v.bytes[from:to]
	return s
}

// Release drops the view's reference.
func (v View) Release() {
	if v.buf != nil {
		v.buf.Release()
	}
}

// Chain is an ordered list of views, read from the front and written at the back. The zero
// Chain is empty and ready. A Chain has one owner at a time and is not safe for concurrent
// use; the blocks under it may be shared with other chains.
type Chain struct {
	views []View
	first int // views before it have been consumed
	size  int // bytes in views[first:]

	// room is the block that Reserve hands out next, with a reference of its own; bytes
	// before used are already part of some view.
	room *Buffer
	used int
}

// Len is the number of bytes in the chain.
func (c *Chain) Len() int { return c.size }

// Views borrows the views, front first. Appending to the chain or consuming from it makes
// the slice stale.
func (c *Chain) Views() []View { return c.views[c.first:] }

// Append takes v and puts it at the back.
func (c *Chain) Append(v View) {
	if len(v.bytes) == 0 {
		v.Release()
		return
	}
	if c.first > 0 && c.first == len(c.views) {
		c.views, c.first = c.views[:0], 0
	}
	c.views = append(c.views, v)
	c.size += len(v.bytes)
}

// AppendChain moves every view of from to the back of c; from is empty afterwards.
func (c *Chain) AppendChain(from *Chain) {
	if from.size == 0 {
		return
	}
	for _, v := range from.Views() {
		c.Append(v)
	}
	from.forget()
}

// Share appends a second reference to bytes [offset, offset+n) of from, which keeps its own.
func (c *Chain) Share(from *Chain, offset, n int) {
	for _, v := range from.Views() {
		if n == 0 {
			return
		}
		if offset >= v.Len() {
			offset -= v.Len()
			continue
		}
		to := min(v.Len(), offset+n)
		c.Append(v.Sub(offset, to))
		n -= to - offset
		offset = 0
	}
	if n != 0 {
		panic("pool: Share past the end of the chain")
	}
}

// MoveFront moves the first n bytes of from to the back of c. A view that straddles the cut
// is shared by both.
func (c *Chain) MoveFront(from *Chain, n int) {
	for n > 0 {
		v := &from.views[from.first]
		if v.Len() > n {
			c.Append(v.Sub(0, n))
			v.bytes = v.bytes[n:]
			from.size -= n
			break
		}
		n -= v.Len()
		from.size -= v.Len()
		c.Append(*v)
		*v = View{}
		from.first++
	}
	from.rewind()
}

// pinsMax is how many times their own size bytes may keep alive before they are better copied.
const pinsMax = 8

// MoveLean is MoveFront for bytes that will be kept for long: where they are a small part of the
// blocks they lie in they are copied, so that the blocks can be used again.
func (c *Chain) MoveLean(from *Chain, n int) {
	if from.pins(n) <= pinsMax*n {
		c.MoveFront(from, n)
		return
	}
	b := Get(n)
	from.AppendRange(b.block[:0], 0, n)
	c.Append(ViewOf(b, 0, n))
	from.Discard(n)
}

// pins is the size of the blocks that the first n bytes keep alive.
func (c *Chain) pins(n int) (size int) {
	var last *Buffer
	for _, v := range c.Views() {
		if n <= 0 {
			break
		}
		n -= v.Len()
		if v.buf != nil && v.buf != last {
			size += v.buf.size
			last = v.buf
		}
	}
	return size
}

// Discard releases the first n bytes.
func (c *Chain) Discard(n int) {
	for n > 0 {
		v := &c.views[c.first]
		if v.Len() > n {
			v.bytes = v.bytes[n:]
			c.size -= n
			break
		}
		n -= v.Len()
		c.size -= v.Len()
		v.Release()
		*v = View{}
		c.first++
	}
	c.rewind()
}

// Front borrows the first n bytes as one slice: a view where they lie in one block, else
// gathered into scratch, which must hold n bytes. It returns nil when the chain is shorter.
func (c *Chain) Front(n int, scratch []byte) []byte {
	if n > c.size {
		return nil
	}
	if n == 0 {
		return scratch[:0]
	}
	if first := c.views[c.first]; first.Len() >= n {
		return first.bytes[:n]
	}
	got := 0
	for _, v := range c.Views() {
		got += copy(scratch[got:n], v.bytes)
		if got == n {
			break
		}
	}
	return scratch[:n]
}

// AppendTo copies the whole chain to the end of dst. The chain keeps its bytes.
func (c *Chain) AppendTo(dst []byte) []byte {
	for _, v := range c.Views() {
		dst = append(dst, v.bytes...)
	}
	return dst
}

// AppendRange copies bytes [offset, offset+n) of the chain to the end of dst. The chain keeps
// its bytes.
func (c *Chain) AppendRange(dst []byte, offset, n int) []byte {
	for _, v := range c.Views() {
		if n == 0 {
			break
		}
		if offset >= v.Len() {
			offset -= v.Len()
			continue
		}
		to := min(v.Len(), offset+n)
		dst = append(dst, v.bytes[offset:to]...)
		n -= to - offset
		offset = 0
	}
	return dst
}

// reserveBytesMin is the block size from which small encodings are served, so that the heads
// of many answers of one turn share a block and leave in one view. A chain that already holds
// reserveBytesBusy is given larger blocks, for fewer views.
const (
	reserveBytesMin  = 4 << 10
	reserveBytesBusy = 3 << 10
	reserveBytesMore = 64 << 10
)

// Reserve borrows an empty slice with room for n bytes at the back of the chain. Encoders
// append to it and the result goes to Commit; nothing else may touch the chain in between.
func (c *Chain) Reserve(n int) []byte {
	if c.room == nil || c.room.Cap()-c.used < n {
		if c.room != nil {
			c.room.Release()
		}
		c.room, c.used = Get(max(n, c.reserveBytes())), 0
	}
	return c.room.block[c.used:c.used]
}

func (c *Chain) reserveBytes() int {
	if c.size >= reserveBytesBusy {
		return reserveBytesMore
	}
	return reserveBytesMin
}

// Commit appends what an encoder made of a Reserve. An encoder that outgrew the reservation
// is allowed: its reallocated slice is taken as it is.
func (c *Chain) Commit(encoded []byte) {
	n := len(encoded)
	if n == 0 {
		return
	}
	if n > c.room.Cap()-c.used || &encoded[0] != &c.room.block[c.used] {
		c.Append(View{buf: Foreign(encoded, nil), bytes: encoded})
		return
	}
	from := c.used
	c.used += n
	if c.extendLast(from, n) {
		return
	}
	c.room.Retain()
	c.Append(View{buf: c.room, bytes: c.room.block[from:c.used]})
}

// extendLast grows the last view by n bytes when it ends exactly where the new ones begin.
func (c *Chain) extendLast(from, n int) bool {
	if c.first == len(c.views) {
		return false
	}
	last := &c.views[len(c.views)-1]
	if last.buf != c.room || from == 0 {
		return false
	}
	end := cap(c.room.block) - cap(last.bytes) + len(last.bytes)
	if end != from {
		return false
	}
	last.bytes = last.bytes[:len(last.bytes)+n]
	c.size += n
	return true
}

// Write copies p to the back of the chain.
func (c *Chain) Write(p []byte) {
	if len(p) > 0 {
		c.Commit(append(c.Reserve(len(p)), p...))
	}
}

// Release gives everything back: the views and the reserved room. The chain is empty and
// ready afterwards.
func (c *Chain) Release() {
	if len(c.views) > 0 {
		for _, v := range c.Views() {
			v.Release()
		}
		c.forget()
	}
	c.Trim()
}

// Trim gives back the reserved room of a chain that is about to be idle.
func (c *Chain) Trim() {
	if c.room != nil {
		c.room.Release()
		c.room, c.used = nil, 0
	}
}

// forget empties the chain without releasing: the views belong to somebody else now.
func (c *Chain) forget() {
	clear(c.views)
	c.views, c.first, c.size = c.views[:0], 0, 0
}

// compactViewsMin is how many consumed views may pile up at the front before the rest is
// moved down, so that a chain that is never quite empty does not grow for ever.
const compactViewsMin = 64

func (c *Chain) rewind() {
	switch {
	case c.first == len(c.views):
		c.views, c.first = c.views[:0], 0
	case c.first >= compactViewsMin && c.first*2 >= len(c.views):
		n := copy(c.views, c.views[c.first:])
		clear(c.views[n:])
		c.views, c.first = c.views[:n], 0
	}
}

// Copied returns a copy of p in a block of its own.
func Copied(p []byte) View {
	b := Get(len(p))
	copy(b.block, p)
	return ViewOf(b, 0, len(p))
}
