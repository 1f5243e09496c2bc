package broker

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
)

// subscription is a group on a topic: how far it has read, and what is not consumed yet.
type subscription struct {
	group    *Group
	topic    *Topic
	next     []int64 // for each queue the offset to read on from, or unread
	entries  map[spot]*entry
	expired  list[*entry] // to be delivered again, those of lines aside
	lines    map[uint64]*line
	free     list[*line] // with messages to be delivered and none out
	parked   int         // entries held back that were never out
	tries    map[uint64][]*entry
	room     waitingRoom
	watchers []*liteClient // of a lite topic
	turns    uint          // pops so far
	lastRead int           // the queue that the last pop began with
}

// subscribe finds a group's subscription, made at its first use. What was made by a position in
// one of its queues begins with the oldest messages of the others.
func (b *Broker) subscribe(g *Group, t *Topic) *subscription {
	s := g.subscriptions[t]
	if s == nil {
		s = addSubscription(g, t)
		for _, q := range t.queues {
			start := q.start()
			if b.fromStart {
				start = q.first
			}
			b.advance(s, q.id, start)
		}
	}
	return s
}

// addSubscription makes a subscription that reads on from the oldest messages.
func addSubscription(g *Group, t *Topic) *subscription {
	s := &subscription{
		group: g, topic: t, next: slices.Repeat([]int64{unread}, len(t.queues)),
		entries: map[spot]*entry{}, lines: map[uint64]*line{}, tries: map[uint64][]*entry{},
	}
	s.room.sub = s
	g.subscriptions[t] = s
	t.subscriptions = append(t.subscriptions, s)
	return s
}

// start is where a new group begins: with the oldest message of a queue that has lost none
// yet, and else with the newest, as on a broker (Remoting specification 4.5 step 5).
func (q *queue) start() int64 {
	if q.first == 0 {
		return 0
	}
	return max(q.visible-1, q.first)
}

func (b *Broker) subscriptionOf(k positionKey) *subscription {
	g, t := b.groupByID[k.group], b.topicByID[k.topic]
	if g == nil || t == nil || int(k.queue) >= len(t.queues) {
		return nil
	}
	if s := g.subscriptions[t]; s != nil {
		return s
	}
	return addSubscription(g, t)
}

// endSubscription forgets a subscription whose group or topic goes; its keys are the caller's.
func (b *Broker) endSubscription(s *subscription) {
	for p := s.room.waiting.front; p != nil; p = s.room.waiting.front {
		b.answer(p, PopNone)
	}
	for _, e := range s.inOrder() {
		b.entries.remove(e)
		b.freeEntry(e)
	}
	for len(s.watchers) > 0 {
		s.watchers[0].unwatch(s)
	}
	delete(s.group.subscriptions, s.topic)
	s.topic.subscriptions = slices.DeleteFunc(s.topic.subscriptions, func(other *subscription) bool { return other == s })
}

// inOrder lists the entries by queue and offset.
func (s *subscription) inOrder() []*entry { return inOrder(slices.Collect(maps.Values(s.entries))) }

func inOrder(entries []*entry) []*entry {
	slices.SortFunc(entries, func(x, y *entry) int {
		return cmp.Or(cmp.Compare(x.queue, y.queue), cmp.Compare(x.offset, y.offset))
	})
	return entries
}

// advance moves a position.
func (b *Broker) advance(s *subscription, queue int32, next int64) {
	s.next[queue] = next
	key, value := b.batch.Put(positionKeyBytes, 8)
	appendPositionKey(key[:0], prefixPosition, s.group.id, s.topic.id, queue)
	binary.BigEndian.PutUint64(value, uint64(next))
}

// loadPositions: a group whose position is lost reads what is kept once more.
func (b *Broker) loadPositions() error {
	return b.load(prefixPosition, "position", func(key, value []byte) error {
		if len(key) != positionKeyBytes || len(value) != 8 {
			return fmt.Errorf("broker: %q is no position: %q", key, value)
		}
		k := parsePositionKey(key)
		if s := b.subscriptionOf(k); s != nil {
			s.next[k.queue] = int64(binary.BigEndian.Uint64(value))
		}
		return nil
	}, func(gap) { b.fromStart = true })
}

// Position is how far a group is in a queue.
type Position struct {
	Topic    string
	Queue    int32
	Next     int64 // where it reads on
	End      int64 // behind the newest message
	Inflight int   // below Next and not consumed
}

// Positions lists how far a group is, by topic in the order in which they were made.
func (g *Group) Positions() []Position {
	var all []Position
	for _, s := range g.inOrder() {
		first := len(all)
		for _, q := range s.topic.queues {
			all = append(all, Position{Topic: s.topic.Name, Queue: q.id, Next: max(s.next[q.id], q.first), End: q.visible})
		}
		for at := range s.entries {
			all[first+int(at.queue)].Inflight++
		}
	}
	return all
}

// stir notes that a subscription may have something for those who wait.
func (b *Broker) stir(s *subscription) {
	b.wake(&s.room)
	for _, c := range s.watchers {
		b.tell(c, s)
	}
}
