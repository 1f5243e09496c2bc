package broker

import "errors"

// unread is the position of a group in a queue where it has none. It reads on from the oldest
// message then.
const unread = -1

// ErrPosition says that a position lies outside the queue.
var ErrPosition = errors.New("broker: the queue does not reach to the position")

// SetPosition moves a group to an offset of a queue: what lies before it is consumed. There is
// one position for those who pop and those who pull, as on a broker. What has been popped from
// behind it, and was not acknowledged, is delivered again from there; what was popped from
// before it comes back as ever when its invisible time ends.
func (b *Broker) SetPosition(g *Group, t *Topic, queue int32, next int64) error {
	q := t.queues[queue]
	if next < 0 || next > q.visible {
		return ErrPosition
	}
	s := g.subscriptions[t]
	if s == nil {
		s = addSubscription(g, t)
	}
	if next == s.next[queue] {
		return nil
	}
	b.forgetFrom(s, q, next)
	b.advance(s, queue, next)
	b.stir(s)
	return nil
}

// forgetFrom ends the deliveries of messages from an offset on.
func (b *Broker) forgetFrom(s *subscription, q *queue, next int64) {
	if next >= s.next[q.id] {
		return // there are none
	}
	for _, e := range s.inOrder() {
		if e.queue == q.id && e.offset >= next {
			b.drop(e)
		}
	}
}

// Position is where a group reads on in a queue; known is false where it never did.
func (g *Group) Position(t *Topic, queue int32) (next int64, known bool) {
	s := g.subscriptions[t]
	if s == nil || s.next[queue] == unread {
		return 0, false
	}
	return s.next[queue], true
}

// QueueAt is how one queue stands; known is false when the topic has none with that id.
func (t *Topic) QueueAt(id int32) (state Queue, known bool) {
	if id < 0 || int(id) >= len(t.queues) {
		return Queue{}, false
	}
	return Queue{t.queues[id].first, t.queues[id].visible}, true
}

// OffsetSince is the offset of the first message of a queue stored at a time, in ms since 1970,
// or later; the end of the queue when there is none.
func (b *Broker) OffsetSince(t *Topic, queue int32, since int64) int64 {
	return b.firstSince(t.queues[queue], since)
}
