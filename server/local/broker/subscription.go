package broker

import (
	"encoding/binary"
	"errors"
	"slices"
)

// subscription is a group on a topic: how far it has read, and what is not consumed yet.
type subscription struct {
	group    *Group
	topic    *Topic
	next     []int64 // for each queue the offset to read on from; notStarted before the first pop
	entries  map[spot]*entry
	expired  list[*entry] // to be delivered again, those of lines aside
	lines    map[uint64]*line
	free     list[*line] // with messages to be delivered and none out
	parked   int         // entries held back that were never out
	tries    map[uint64][]*entry
	waiting  list[*Pop]
	turns    uint // pops so far
	stirred  bool
	lastRead int // the queue that the last pop began with
}

const notStarted = -1

// subscribe finds a group's subscription, made at its first use.
func (b *Broker) subscribe(g *Group, t *Topic) *subscription {
	for _, s := range g.subscriptions {
		if s.topic == t {
			return s
		}
	}
	s := &subscription{
		group: g, topic: t, entries: map[spot]*entry{}, lines: map[uint64]*line{}, tries: map[uint64][]*entry{},
	}
	g.subscriptions = append(g.subscriptions, s)
	t.subscriptions = append(t.subscriptions, s)
	return s
}

// find finds a subscription that is there, nil when there is none.
func (g *Group) find(t *Topic) *subscription {
	for _, s := range g.subscriptions {
		if s.topic == t {
			return s
		}
	}
	return nil
}

func (b *Broker) subscriptionOf(k positionKey) *subscription {
	g, t := b.groupByID[k.group], b.topicByID[k.topic]
	if g == nil || t == nil || int(k.queue) >= len(t.queues) {
		return nil
	}
	return b.subscribe(g, t)
}

// endSubscription forgets a subscription whose group or topic goes; its keys are the caller's.
func (b *Broker) endSubscription(s *subscription) {
	for p := s.waiting.front; p != nil; p = s.waiting.front {
		b.answer(p, PopNone)
	}
	for _, e := range s.inOrder() {
		b.entries.remove(e)
		b.freeEntry(e)
	}
	is := func(other *subscription) bool { return other == s }
	s.group.subscriptions = slices.DeleteFunc(s.group.subscriptions, is)
	s.topic.subscriptions = slices.DeleteFunc(s.topic.subscriptions, is)
	b.dirty = slices.DeleteFunc(b.dirty, is)
}

// inOrder lists the entries by queue and offset.
func (s *subscription) inOrder() []*entry {
	all := make([]*entry, 0, len(s.entries))
	for _, e := range s.entries {
		all = append(all, e)
	}
	slices.SortFunc(all, func(x, y *entry) int {
		if x.queue != y.queue {
			return int(x.queue - y.queue)
		}
		return int(x.offset - y.offset)
	})
	return all
}

// position is where the group reads on in a queue. A new group begins with the oldest message
// of a queue that has lost none yet, and else with the newest, as on a broker (Remoting
// specification 4.5 step 5).
func (b *Broker) position(s *subscription, q *queue) int64 {
	for len(s.next) < len(s.topic.queues) {
		s.next = append(s.next, notStarted)
	}
	if s.next[q.id] == notStarted {
		start := int64(0)
		if q.first > 0 {
			start = max(q.visible-1, q.first)
		}
		b.advance(s, q.id, start)
	}
	return max(s.next[q.id], q.first)
}

// advance moves a position.
func (b *Broker) advance(s *subscription, queue int32, next int64) {
	s.next[queue] = next
	key, value := b.batch.Put(positionKeyBytes, 8)
	appendPositionKey(key[:0], prefixPosition, s.group.id, s.topic.id, queue)
	binary.BigEndian.PutUint64(value, uint64(next))
}

func (b *Broker) loadPositions() error {
	from := []byte{prefixPosition}
	var bad error
	err := b.store.Scan(from, after(from), func(key, value []byte) bool {
		if len(key) != positionKeyBytes || len(value) != 8 {
			bad = errors.New("broker: not a position")
			return false
		}
		k := parsePositionKey(key)
		s := b.subscriptionOf(k)
		if s == nil {
			return true
		}
		for len(s.next) < len(s.topic.queues) {
			s.next = append(s.next, notStarted)
		}
		s.next[k.queue] = int64(binary.BigEndian.Uint64(value))
		return true
	})
	return errors.Join(err, bad)
}

// Position is how far a group is in a queue.
type Position struct {
	Topic    string
	Queue    int32
	Next     int64 // where it reads on
	End      int64 // behind the newest message
	Inflight int   // below Next and not consumed
}

// Positions lists how far a group is.
func (g *Group) Positions() []Position {
	var all []Position
	for _, s := range g.subscriptions {
		for i, next := range s.next {
			p := Position{Topic: s.topic.Name, Queue: int32(i), Next: max(next, 0), End: s.topic.queues[i].visible}
			for at := range s.entries {
				if at.queue == p.Queue {
					p.Inflight++
				}
			}
			all = append(all, p)
		}
	}
	return all
}

// stir notes that a subscription may have something for those who wait.
func (b *Broker) stir(s *subscription) {
	if !s.stirred && s.wanted() {
		s.stirred = true
		b.dirty = append(b.dirty, s)
	}
}

func (s *subscription) wanted() bool { return s.waiting.count > 0 || s.topic.lite != nil }
