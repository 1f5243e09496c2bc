package h2

// ending is how a stream that is gone came to its end.
type ending uint8

const (
	forgotten   ending = iota // too long ago, or skipped over and never opened
	finished                  // both sides were done
	resetByPeer               //
	resetByUs                 // the client may not know yet: its frames are ignored
)

// closedMax is how many ended streams of either sort are remembered.
const closedMax = 32

// closedStreams remembers the streams that ended last, because section 5.1 treats frames for
// them according to how they ended. Those that we reset have a ring of their own: their
// clients may still be sending, and ever so many calls that end well must not push them out.
type closedStreams struct{ ours, others *closedRing } // nil: none has ended

func (c *closedStreams) add(id uint32, how ending) {
	ring := &c.others
	if how == resetByUs {
		ring = &c.ours
	}
	if *ring == nil {
		*ring = new(closedRing)
	}
	(*ring).add(id, how)
}

func (c *closedStreams) how(id uint32) ending {
	if how := c.ours.how(id); how != forgotten {
		return how
	}
	return c.others.how(id)
}

type closedRing struct {
	ids  [closedMax]uint32
	hows [closedMax]ending
	at   uint8
}

func (r *closedRing) add(id uint32, how ending) {
	r.ids[r.at], r.hows[r.at] = id, how
	r.at = (r.at + 1) % closedMax
}

// how looks from the newest to the oldest.
func (r *closedRing) how(id uint32) ending {
	if r == nil {
		return forgotten
	}
	for i := range uint8(closedMax) {
		if at := (r.at - 1 - i) % closedMax; r.ids[at] == id {
			return r.hows[at]
		}
	}
	return forgotten
}
