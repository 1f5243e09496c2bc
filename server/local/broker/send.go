package broker

import (
	"errors"
	"fmt"

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

// What Send refuses.
var (
	ErrProperties = fmt.Errorf("broker: properties are longer than %d bytes", PropertiesBytesMax)
	ErrDelay      = errors.New("broker: the message is to be delivered later than DelayMax allows")
)

// Send writes s. It is not stored before the batch is committed. When it fails nothing is
// written.
func (b *Broker) Send(s *Send, now int64) error {
	s.Offset, s.Due, s.Half = 0, 0, false
	if err := b.mayStore(s, now); err != nil {
		return err
	}
	var to *queue
	for i := range s.Messages {
		m, w := &s.Messages[i], &b.wishes[i]
		r := record{SysFlag: m.SysFlag, ReconsumeTimes: m.ReconsumeTimes, Born: m.Born, Stored: now, Properties: m.Properties}
		due := w.due(now, b.config.DelayLevels)
		switch {
		case m.SysFlag&message.FlagTransactionMask == message.FlagTransactionPrepared:
			r.Sequence = b.take(&b.sequence)
			s.Half = true
			s.Offset = int64(r.Sequence)
			b.putHalf(s.Topic, &r, s.Payload, m, now)
		case due > now:
			r.Sequence = b.take(&b.sequence)
			s.Due = due
			b.putTimer(s.Topic, &r, due, s.Payload, m)
		default:
			if to == nil {
				var err error
				if to, err = b.destination(s.Topic, w, s.Shard); err != nil {
					return err
				}
				s.Offset = to.end
			}
			r.Sequence = b.take(&b.sequence)
			offset := b.grown(to)
			key := b.putMessage(messageKeyBytes, nil, &r, s.Payload, m)
			appendMessageKey(key, to.topic.id, to.id, offset)
		}
	}
	return nil
}

// mayStore reads the wishes of all messages, and tells why the request is refused.
func (b *Broker) mayStore(s *Send, now int64) error {
	if s.Topic.gone {
		return ErrMissing
	}
	b.wishes = b.wishes[:0]
	for i := range s.Messages {
		properties := s.Messages[i].Properties
		if len(properties) > PropertiesBytesMax {
			return ErrProperties
		}
		w := readWishes(properties)
		if b.config.DelayMax > 0 && w.due(now, b.config.DelayLevels) > now+b.config.DelayMax {
			return ErrDelay
		}
		b.wishes = append(b.wishes, w)
	}
	return nil
}

// destination is where a message goes: the queue of its priority, of its message group, or the
// next in turn; and of a lite topic its own.
func (b *Broker) destination(t *Topic, w *wishes, shard []byte) (*queue, error) {
	if len(w.lite) > 0 && (t.Type == typeLite || t.Type == typeAny) {
		own, err := b.UseLiteTopic(t, string(w.lite))
		if err != nil {
			return nil, err
		}
		return own.queues[0], nil
	}
	n := t.WriteQueues
	switch {
	case len(shard) > 0:
		return t.queues[message.GroupBucket(shard, n)], nil
	case w.priority >= 0 && (t.Type == typePriority || t.Type == typeAny):
		b.prioritize(t)
		return t.queues[min(w.priority, int64(n-1))], nil
	}
	t.nextQueue = (t.nextQueue + 1) % n
	return t.queues[t.nextQueue], nil
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

// prioritize remembers that a topic has messages with a priority.
func (b *Broker) prioritize(t *Topic) {
	if !t.prioritized {
		t.prioritized = true
		b.saveTopic(t)
	}
}

// appendRecord stores a message that is at hand in a queue.
func (b *Broker) appendRecord(to *queue, r *record, now int64) {
	r.Stored, r.Sequence = now, b.take(&b.sequence)
	offset := b.grown(to)
	appendMessageKey(b.putRecord(messageKeyBytes, nil, r), to.topic.id, to.id, offset)
}

// release stores a message that was held back, be it delayed or a half message, where it would
// have gone at first.
func (b *Broker) release(t *Topic, r *record, now int64) {
	w := readWishes(r.Properties)
	to, err := b.destination(t, &w, message.Property(r.Properties, message.NameShardingKey))
	if err != nil {
		b.report("no lite topic can be made: a message goes to its parent "+t.Name, err)
		to = t.queues[0]
	}
	b.appendRecord(to, r, now)
}
