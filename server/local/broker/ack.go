package broker

import (
	"strconv"

	"rocketmq-proxy/codec/message"
)

// Receipt names one delivery of a message to a group.
type Receipt struct {
	Group, Topic string
	LiteTopic    string // empty: none
	Queue        int32
	Offset       int64
	PopTime      int64
	Sequence     uint64 // of the message; 0: not known. A topic made anew has others at the same offsets
}

// place is the topic and the group of a receipt; ok tells that they are there, and that a
// message can lie where it says.
func (b *Broker) place(r *Receipt) (g *Group, t *Topic, ok bool) {
	name := r.Topic
	if r.LiteTopic != "" {
		name = liteName(name, r.LiteTopic)
	}
	g, t = b.groups[r.Group], b.topics[name]
	return g, t, g != nil && t != nil && r.Queue >= 0 && int(r.Queue) < len(t.queues) &&
		r.Offset >= 0 && r.Offset < t.queues[r.Queue].visible
}

// find finds the delivery: plausible tells that there can have been one, e is it if it has not
// ended, and is nil when the message was consumed or delivered again since.
func (b *Broker) find(r *Receipt) (e *entry, plausible bool) {
	g, t, ok := b.place(r)
	if !ok || g.subscriptions[t] == nil {
		return nil, false
	}
	e = g.subscriptions[t].entries[spot{r.Queue, r.Offset}]
	if e == nil || e.popTime != r.PopTime || r.PopTime == 0 {
		return nil, true
	}
	return e, true
}

// Ack ends a delivery: the message is consumed. It is false for a delivery that there cannot
// have been; one that has ended before is no fault.
func (b *Broker) Ack(r *Receipt) bool {
	e, plausible := b.find(r)
	if e != nil {
		s := e.sub
		b.drop(e)
		b.stirFreed(s)
	}
	return plausible
}

// stirFreed: the end of a delivery may have let the next message of its line go.
func (b *Broker) stirFreed(s *subscription) {
	if s.free.count > 0 || s.topic.lite != nil {
		b.stir(s)
	}
}

// ChangeInvisible has a delivery end at another time. The delivery is another one then, with
// the pop time that is returned. With suspend, it does not count.
func (b *Broker) ChangeInvisible(r *Receipt, invisible int64, suspend bool, now int64) (popTime int64, plausible bool) {
	e, plausible := b.find(r)
	if e == nil || !e.out {
		return r.PopTime, plausible
	}
	e.popTime = max(now, e.popTime+1)
	e.visibleAt = now + invisible
	e.counts = !suspend
	b.entries.moved(e)
	b.saveEntry(e)
	return e.popTime, true
}

const (
	deadLetterPrefix = "%DLQ%"
	deadLetterQueue  = 0
)

// DeadLetter copies a delivered message to the dead letters of its group. It is false when the
// message is not there.
func (b *Broker) DeadLetter(r *Receipt, now int64) (bool, error) {
	_, t, ok := b.place(r)
	if !ok {
		return false, nil
	}
	var found bool
	var err error
	b.key = appendMessageKey(b.key[:0], t.id, r.Queue, r.Offset)
	if b.value, found, err = b.store.Get(b.value[:0], b.key); err != nil || !found {
		return false, err
	}
	var dead record
	if err := dead.parse(b.value); err != nil || r.Sequence != 0 && r.Sequence != dead.Sequence {
		return false, err
	}
	to := b.UseTopic(deadLetterPrefix + r.Group)
	if to == nil {
		return false, ErrTooMany
	}
	b.bury(&dead, r.Topic)
	b.appendRecord(to.queues[deadLetterQueue], &dead, now)
	return true, nil
}

// bury gives a message the properties by which a dead letter tells where it came from.
func (b *Broker) bury(dead *record, topic string) {
	w := message.NewPropertyWriter(nil)
	properties := message.ReadProperties(dead.Properties)
	for key, value, more := properties.Next(); more; key, value, more = properties.Next() {
		switch string(key) {
		case message.NameDLQOriginTopic, message.NameDLQOriginMessageID, message.NameRetryTopic, message.NameOriginMessageID:
		default:
			w.Put(key, value)
		}
	}
	id := dead.uniqueID()
	if len(id) == 0 {
		id = strconv.AppendUint(nil, dead.Sequence, 10)
	}
	w.PutString(message.NameRetryTopic, topic)
	w.PutBytes(message.NameOriginMessageID, id)
	w.PutString(message.NameDLQOriginTopic, topic)
	w.PutBytes(message.NameDLQOriginMessageID, id)
	if w.Err() == nil {
		dead.Properties = w.Bytes()
	}
	dead.ReconsumeTimes++
}
