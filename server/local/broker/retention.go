package broker

import "encoding/binary"

// retention drops messages that are older than they need to be kept.
type retention struct {
	next int64 // when to look again
	at   int   // which topic to look at then
}

const (
	retainEvery  = 1000 // ms between two looks
	retainTopics = 64   // topics in one look
	retainSlack  = 64   // messages are kept longer by up to this part of their time
)

// retain looks at some topics for messages that are too old.
func (b *Broker) retain(now int64) {
	if now < b.retention.next {
		return
	}
	b.retention.next = now + retainEvery
	if b.config.RetainFor <= 0 {
		b.retention.next = never
		return
	}
	for range min(retainTopics, len(b.topicOrder)) {
		b.retention.at = (b.retention.at + 1) % len(b.topicOrder)
		b.retainTopic(b.topicOrder[b.retention.at], now)
	}
	b.dropIdleLiteTopics()
}

// retainTopic drops what is too old. So that a queue is not cut every second, it waits until
// there is something to it.
func (b *Broker) retainTopic(t *Topic, now int64) {
	oldest := now - b.config.RetainFor
	for _, q := range t.queues {
		if stored, found := b.storedAt(q, q.first); found && stored < oldest-b.config.RetainFor/retainSlack {
			b.dropBefore(q, b.firstSince(q, oldest))
		}
	}
	if t.lite != nil && t.idle() {
		b.idleLite = append(b.idleLite, t)
	}
}

// DropOldest makes room: an eighth of the queue with the oldest message goes, whether it was
// consumed or not. It is false when there is nothing to drop.
func (b *Broker) DropOldest() bool {
	var victim *queue
	oldest := int64(never)
	for _, t := range b.topicOrder {
		for _, q := range t.queues {
			if stored, found := b.storedAt(q, q.first); found && stored < oldest {
				victim, oldest = q, stored
			}
		}
	}
	if victim == nil {
		return false
	}
	b.dropBefore(victim, victim.first+max(1, (victim.visible-victim.first)/8))
	return true
}

// dropBefore deletes the messages of a queue before an offset.
func (b *Broker) dropBefore(q *queue, first int64) {
	if first <= q.first {
		return
	}
	b.batch.DeleteRange(appendMessageKey(nil, q.topic.id, q.id, q.first), appendMessageKey(nil, q.topic.id, q.id, first))
	q.first = first
	key, value := b.batch.Put(queueKeyBytes, 16)
	appendQueueKey(key[:0], prefixQueue, q.topic.id, q.id)
	binary.BigEndian.PutUint64(value, uint64(q.first))
	binary.BigEndian.PutUint64(value[8:], uint64(q.end))
	for _, s := range q.topic.subscriptions {
		b.dropEntriesBefore(s, q)
	}
}

// dropEntriesBefore ends the deliveries of messages that are no longer there.
func (b *Broker) dropEntriesBefore(s *subscription, q *queue) {
	var cut []*entry
	for at, e := range s.entries {
		if at.queue == q.id && at.offset < q.first {
			cut = append(cut, e)
		}
	}
	for _, e := range inOrder(cut) {
		b.drop(e)
	}
	if len(cut) > 0 {
		b.stirFreed(s)
	}
}

// storedAt is when the first message from an offset on was stored that is not damaged.
func (b *Broker) storedAt(q *queue, offset int64) (stored int64, found bool) {
	b.prefix = appendMessageKey(b.prefix[:0], q.topic.id, q.id, q.visible)
	for ; offset < q.visible; offset++ {
		b.key = appendMessageKey(b.key[:0], q.topic.id, q.id, offset)
		var r record
		for more := b.cursor.Seek(b.key, b.prefix); more; more = b.cursor.Next() {
			if r.parse(b.cursor.Value()) == nil {
				return r.Stored, true
			}
			offset = offsetOfMessageKey(b.cursor.Key())
		}
		if !isDamage(b.cursor.Err()) {
			break
		}
	}
	return 0, false
}

// firstSince is the offset of the first message stored at or after a time.
func (b *Broker) firstSince(q *queue, since int64) int64 {
	low, high := q.first, q.visible
	for low < high {
		middle := low + (high-low)/2
		if stored, found := b.storedAt(q, middle); found && stored < since {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}
