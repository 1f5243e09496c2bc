package h2

import (
	"iter"

	"rocketmq-proxy/pool"
)

// slab holds the streams of a connection: slots that are used over and over, and a table
// from stream identifiers to slots. Nothing is allocated once the slots are there.
type slab struct {
	slots   []*Stream // those of nil are vacant, and were trimmed
	free    []uint32  // vacant slots, the last used on top
	active  int
	lasting int    // of them, calls whose client streams: they stay open for long, and say little
	gen     uint32 // of the last stream; every stream of the connection has its own
	ids     idTable
}

// acquire takes a vacant slot for stream id.
func (b *slab) acquire(c *Conn, id uint32) *Stream {
	if len(b.free) == 0 {
		b.free = append(b.free, uint32(len(b.slots)))
		b.slots = append(b.slots, nil)
	}
	slot := b.free[len(b.free)-1]
	b.free = b.free[:len(b.free)-1]
	s := b.slots[slot]
	if s == nil {
		s = &Stream{slot: slot, values: make([]span, len(c.cfg.Metadata))}
		b.slots[slot] = s
		c.wake(c.after(slotsKeptFor))
	}
	b.active++
	b.ids.put(id, s.slot)
	b.gen++
	s.conn, s.id, s.gen, s.state = c, id, b.gen, open
	return s
}

// textKeptMax is how much room for headers a vacant slot keeps.
const textKeptMax = 2 << 10

// release makes the slot vacant. Everything of the call is forgotten.
func (b *slab) release(s *Stream) {
	b.ids.remove(s.id)
	b.active--
	if s.clientStreams {
		b.lasting--
	}
	b.free = append(b.free, s.slot)
	clear(s.values)
	s.call = call{}
	if s.text = s.text[:0]; cap(s.text) > textKeptMax {
		s.text = nil
	}
	shrink(&s.in)
	shrink(&s.queue)
}

// find is the open stream with this identifier, or nil.
func (b *slab) find(id uint32) *Stream {
	if slot, ok := b.ids.get(id); ok {
		return b.slots[slot]
	}
	return nil
}

// get is the open stream with this key, or nil.
func (b *slab) get(key Key) *Stream {
	slot, gen := uint32(key>>32), uint32(key)
	if int(slot) >= len(b.slots) {
		return nil
	}
	if s := b.slots[slot]; s != nil && s.gen == gen && s.state == open {
		return s
	}
	return nil
}

// all are the open streams. Those that end meanwhile are not among them any more.
func (b *slab) all() iter.Seq[*Stream] {
	return func(yield func(*Stream) bool) {
		for _, s := range b.slots {
			if s != nil && s.state == open && !yield(s) {
				return
			}
		}
	}
}

// trim gives up the memory of vacant slots, and of everything else when all are.
func (b *slab) trim() {
	for _, slot := range b.free {
		b.slots[slot] = nil
	}
	if b.active == 0 {
		*b = slab{gen: b.gen}
	}
}

// viewsKeptMax is how much room for views an empty chain keeps. A message of 130 MiB passes
// in thousands of views.
const viewsKeptMax = 256

// shrink gives up the memory of a released chain that has grown too large for the next use.
func shrink(c *pool.Chain) {
	if cap(c.Views()) > viewsKeptMax {
		*c = pool.Chain{}
	}
}
