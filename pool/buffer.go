package pool

import (
	"sync"
	"sync/atomic"
)

// classSizes are the block sizes, in bytes, that are kept for reuse. The steps are a factor
// of four: the smallest holds a small message with its heads, the largest a body at the
// default limit of 4 MiB. Larger blocks are left to the garbage collector.
var classSizes = [...]int{1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20}

// unpooled marks a block that has no class to return to.
const unpooled = -1

var classes [len(classSizes)]sync.Pool

// Releaser gets a foreign block back when its last reference is gone.
type Releaser interface {
	// ReleaseBlock is called once, by whoever dropped the last reference.
	ReleaseBlock()
}

// Buffer is one reference-counted block. It is made with one reference, which belongs to the
// caller. Retain and Release may be called from any goroutine; the bytes may be written only
// by the one who made it, and only before it is shared.
type Buffer struct {
	block []byte
	size  int // of what is kept alive
	refs  atomic.Int32
	class int8
	owner Releaser
}

// Get returns a block of at least size bytes, with one reference.
func Get(size int) *Buffer {
	class := classOf(size)
	if class == unpooled {
		return fresh(make([]byte, size), unpooled)
	}
	if kept, ok := classes[class].Get().(*Buffer); ok {
		kept.refs.Store(1)
		countOut()
		return kept
	}
	return fresh(make([]byte, classSizes[class]), class)
}

// Foreign wraps a block that somebody else allocated, with one reference. owner hears of the
// last Release; it may be nil when the garbage collector is to have the block.
func Foreign(block []byte, owner Releaser) *Buffer {
	b := fresh(block, unpooled)
	b.owner = owner
	return b
}

// ForeignOf is Foreign for memory that lies in several pieces of size bytes together, whose
// views are [Kept].
func ForeignOf(size int, owner Releaser) *Buffer {
	b := Foreign(nil, owner)
	b.size = size
	return b
}

func fresh(block []byte, class int) *Buffer {
	b := &Buffer{block: block, size: len(block), class: int8(class)}
	b.refs.Store(1)
	countOut()
	return b
}

func classOf(size int) int {
	for i, s := range classSizes {
		if size <= s {
			return i
		}
	}
	return unpooled
}

// Bytes is the whole block, in bytes [0, Cap).
func (b *Buffer) Bytes() []byte { return b.block }

// Cap is the size of the block in bytes.
func (b *Buffer) Cap() int { return len(b.block) }

// Retain adds a reference.
func (b *Buffer) Retain() {
	if b.refs.Add(1) <= 1 {
		panic("pool: Retain of a released buffer")
	}
}

// Release drops a reference; the last one gives the block back.
func (b *Buffer) Release() {
	left := b.refs.Add(-1)
	if left > 0 {
		return
	}
	if left < 0 {
		panic("pool: buffer released twice")
	}
	countIn()
	if b.owner != nil {
		owner := b.owner
		b.owner, b.block = nil, nil
		owner.ReleaseBlock()
		return
	}
	poison(b.block)
	if b.class != unpooled {
		classes[b.class].Put(b)
	}
}
