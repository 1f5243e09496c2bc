package broker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// entry is a message that a group's position has passed and that is not consumed.
//
//	          ┌────────────── time ends ───────────────┐
//	          │                                        ▼
//	fresh ─► out ─► consumed (gone)      expired ─► out, one time more
//	fresh ─► held: behind an older message of its message group ─► out
type entry struct {
	links[*entry]
	sub       *subscription
	line      *line // of its message group in a FIFO subscription, else nil
	offset    int64
	popTime   int64 // of the last delivery; 0: never delivered
	visibleAt int64 // when that delivery ends
	attempt   uint64
	queue     int32
	times     int32 // deliveries that count, the last one aside
	slot      int32
	out       bool // with a consumer
	counts    bool // the last delivery counts
}

func (e *entry) due() int64    { return e.visibleAt }
func (e *entry) place() *int32 { return &e.slot }
func (e *entry) before(other *entry) bool {
	switch {
	case e.visibleAt != other.visibleAt:
		return e.visibleAt < other.visibleAt
	case e.queue != other.queue:
		return e.queue < other.queue
	}
	return e.offset < other.offset
}
func (e *entry) neighbours() *links[*entry] { return &e.links }

// spot is where a message lies in a topic.
type spot struct {
	queue  int32
	offset int64
}

// An entry is stored as popTime:8 visibleAt:8 times:4 line:8 attempt:8 counts:1.
const entryValueBytes = 8 + 8 + 4 + 8 + 8 + 1

var errEntry = errors.New("broker: not an entry")

func (e *entry) appendValue(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(e.popTime))
	dst = binary.BigEndian.AppendUint64(dst, uint64(e.visibleAt))
	dst = binary.BigEndian.AppendUint32(dst, uint32(e.times))
	line := uint64(0)
	if e.line != nil {
		line = e.line.key
	}
	dst = binary.BigEndian.AppendUint64(dst, line)
	dst = binary.BigEndian.AppendUint64(dst, e.attempt)
	if e.counts {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// parse reads what appendValue wrote; line is 0 for none.
func (e *entry) parse(b []byte) (line uint64, err error) {
	if len(b) != entryValueBytes || b[36] > 1 {
		return 0, errEntry
	}
	e.popTime = int64(binary.BigEndian.Uint64(b))
	e.visibleAt = int64(binary.BigEndian.Uint64(b[8:]))
	e.times = int32(binary.BigEndian.Uint32(b[16:]))
	e.attempt = binary.BigEndian.Uint64(b[28:])
	e.counts = b[36] != 0
	return binary.BigEndian.Uint64(b[20:]), nil
}

// newEntry makes an entry that is neither out nor held yet.
func (b *Broker) newEntry(s *subscription, at spot) *entry {
	e := b.spare
	if e == nil {
		e = &entry{}
	} else {
		b.spare = e.next
	}
	*e = entry{sub: s, queue: at.queue, offset: at.offset}
	s.entries[at] = e
	b.inflight++
	return e
}

// freeEntry forgets an entry that is in no list and no heap.
func (b *Broker) freeEntry(e *entry) {
	delete(e.sub.entries, spot{e.queue, e.offset})
	b.inflight--
	*e = entry{}
	e.next = b.spare
	b.spare = e
}

func (b *Broker) saveEntry(e *entry) {
	key, value := b.batch.Put(entryKeyBytes, entryValueBytes)
	appendEntryKey(key[:0], e.sub.group.id, e.sub.topic.id, e.queue, e.offset)
	e.appendValue(value[:0])
}

func (b *Broker) deleteEntry(e *entry) {
	b.batch.Delete(appendEntryKey(b.key[:0], e.sub.group.id, e.sub.topic.id, e.queue, e.offset))
}

// drop ends an entry, wherever it stands: its message is consumed, or no longer there.
func (b *Broker) drop(e *entry) {
	b.deleteEntry(e)
	b.entries.remove(e)
	b.untry(e)
	switch {
	case e.line != nil:
		e.line.lose(e)
	case !e.out:
		e.sub.expired.remove(e)
	}
	b.freeEntry(e)
}

// expire ends the deliveries whose invisible time is over.
func (b *Broker) expire(now int64) {
	for b.entries.due() <= now {
		e := b.entries.first()
		b.entries.remove(e)
		b.untry(e)
		b.takeBack(e)
		b.stir(e.sub)
	}
}

// takeBack puts an entry that was out where it waits for its next delivery.
func (b *Broker) takeBack(e *entry) {
	e.out = false
	if e.line == nil {
		e.sub.expired.push(e)
		return
	}
	e.line.out--
	e.line.settle()
}

// giveOut is the opposite; an entry that is out stays so.
func (b *Broker) giveOut(e *entry) {
	switch {
	case e.out:
		return
	case e.line == nil:
		e.sub.expired.remove(e)
	default:
		if e.popTime == 0 {
			e.sub.parked--
		}
		e.line.out++
		e.line.settle()
	}
	e.out = true
}

// loadEntries: where entries are lost, nobody knows what is consumed and what is out with a
// consumer. Groups go back there and read everything once more.
func (b *Broker) loadEntries() error {
	return b.load(prefixEntry, "entry", func(key, value []byte) error {
		if len(key) != entryKeyBytes {
			return fmt.Errorf("broker: %q is no entry", key)
		}
		k := parsePositionKey(key)
		offset := int64(binary.BigEndian.Uint64(key[positionKeyBytes:]))
		s := b.subscriptionOf(k)
		if s == nil || offset >= s.next[k.queue] {
			return nil // of a topic or a group that is deleted, or read once more
		}
		var read entry
		line, err := read.parse(value)
		if err != nil {
			return fmt.Errorf("%w: %q: %q", err, key, value)
		}
		e := b.newEntry(s, spot{k.queue, offset})
		e.popTime, e.visibleAt, e.times, e.attempt, e.counts = read.popTime, read.visibleAt, read.times, read.attempt, read.counts
		b.placeLoaded(e, line)
		return nil
	}, b.entriesLost)
}

// goBack has a group read again from an offset on. No entry at or behind it may be there.
func (s *subscription) goBack(queue int32, offset int64) { s.next[queue] = min(s.next[queue], offset) }

// entriesLost has all groups read again what was in a gap between their entries.
func (b *Broker) entriesLost(g gap) {
	for _, t := range b.topicOrder {
		for _, s := range t.subscriptions {
			for _, q := range t.queues {
				first := appendEntryKey(nil, s.group.id, t.id, q.id, 0)
				last := appendEntryKey(nil, s.group.id, t.id, q.id, math.MaxInt64)
				switch {
				case bytes.Compare(last, g.from) < 0 || bytes.Compare(g.to, first) < 0:
				case bytes.Compare(g.from, first) > 0 && len(g.from) == entryKeyBytes:
					s.goBack(q.id, int64(binary.BigEndian.Uint64(g.from[positionKeyBytes:])))
				default:
					s.goBack(q.id, 0)
				}
			}
		}
	}
}

// placeLoaded puts an entry where it stood.
func (b *Broker) placeLoaded(e *entry, key uint64) {
	e.out = e.popTime != 0
	if key != 0 {
		e.sub.lineOf(key).join(e)
	}
	if e.out {
		b.entries.add(e)
		b.try(e, e.attempt)
	}
}
