package broker

import (
	"strconv"

	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
)

// Send stores the messages of one request: all of them, in one queue, in their order.
type Send struct {
	Topic    *Topic
	Shard    []byte // pins the queue when it is not empty
	Messages []Message
	Payload  *pool.Chain // borrowed

	// the answer
	Offset int64 // queue offset of the first message
	Due    int64 // when a delayed message is delivered, ms since 1970; 0: at once
	Half   bool  // stored as a half message
}

// Send writes s. It is not stored before the batch is committed.
func (b *Broker) Send(s *Send, now int64) error {
	s.Offset, s.Due, s.Half = 0, 0, false
	first := &s.Messages[0]
	t, q, err := b.destination(s.Topic, first.Properties, s.Shard)
	if err != nil {
		return err
	}
	for i := range s.Messages {
		m := &s.Messages[i]
		r := record{
			SysFlag: m.SysFlag, ReconsumeTimes: m.ReconsumeTimes, Born: m.Born, Stored: now,
			Sequence: b.take(&b.sequence), Properties: m.Properties,
		}
		due := dueAt(m.Properties, now)
		switch {
		case m.SysFlag&message.FlagTransactionMask == message.FlagTransactionPrepared:
			s.Half = true
			s.Offset = int64(r.Sequence)
			b.putHalf(t, &r, s.Payload, m, now)
		case due > now:
			s.Due = due
			b.putTimer(t, &r, due, s.Payload, m)
		default:
			offset := b.grown(q)
			key := b.putMessage(messageKeyBytes, nil, &r, s.Payload, m)
			appendMessageKey(key, t.id, q.id, offset)
			if i == 0 {
				s.Offset = offset
			}
		}
	}
	return nil
}

// destination is where a message goes: the queue of its priority, of its message group, or the
// next in turn; and of a lite topic its own.
func (b *Broker) destination(t *Topic, properties, shard []byte) (*Topic, *queue, error) {
	if lite := message.Property(properties, message.NameLiteTopic); len(lite) > 0 && (t.Type == typeLite || t.Type == typeAny) {
		own, err := b.UseLiteTopic(t, string(lite))
		if err != nil {
			return nil, nil, err
		}
		return own, own.queues[0], nil
	}
	return t, t.queues[t.choose(properties, shard)], nil
}

func (t *Topic) choose(properties, shard []byte) int {
	n := t.WriteQueues
	if len(shard) > 0 {
		return message.GroupBucket(shard, n)
	}
	if t.Type == typePriority || t.Type == typeAny {
		if p, err := strconv.Atoi(string(message.Property(properties, message.NamePriority))); err == nil && p >= 0 {
			t.prioritized = true
			return min(p, n-1)
		}
	}
	t.nextQueue = (t.nextQueue + 1) % n
	return t.nextQueue
}

// grown takes the next offset of a queue.
func (b *Broker) grown(q *queue) int64 {
	if !q.touched {
		q.touched = true
		b.touched = append(b.touched, q)
	}
	q.end++
	return q.end - 1
}

// appendRecord stores a message that is at hand in a queue.
func (b *Broker) appendRecord(t *Topic, queue int, r *record, now int64) {
	q := t.queues[queue]
	r.Stored, r.Sequence = now, b.take(&b.sequence)
	offset := b.grown(q)
	appendMessageKey(b.putRecord(messageKeyBytes, nil, r), t.id, q.id, offset)
}
