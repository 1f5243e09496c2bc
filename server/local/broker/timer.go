package broker

import (
	"bytes"
	"encoding/binary"

	"rocketmq-proxy/pool"
)

const timerValuePrefix = 4

func (b *Broker) putTimer(t *Topic, r *record, due int64, payload *pool.Chain, m *Message) {
	var topic [timerValuePrefix]byte
	binary.BigEndian.PutUint32(topic[:], t.id)
	key := b.putMessage(timerKeyBytes, topic[:], r, payload, m)
	appendTimerKey(key, due, hashOf(r.uniqueID()), r.Sequence)
	b.timers.add(due)
}

// delayRecord schedules a message that is at hand.
func (b *Broker) delayRecord(t *Topic, r *record, due int64) {
	var topic [timerValuePrefix]byte
	binary.BigEndian.PutUint32(topic[:], t.id)
	r.Sequence = b.take(&b.sequence)
	appendTimerKey(b.putRecord(timerKeyBytes, topic[:], r), due, hashOf(r.uniqueID()), r.Sequence)
	b.timers.add(due)
}

// fireTimers delivers the delayed messages whose time has come.
func (b *Broker) fireTimers(now int64) {
	b.fire(&b.timers, now, func(key, value []byte) {
		b.fireTimer(value, now)
		b.batch.Delete(key)
	})
}

func (b *Broker) fireTimer(value []byte, now int64) {
	var r record
	if len(value) < timerValuePrefix || r.parse(value[timerValuePrefix:]) != nil {
		b.report("delayed message is damaged: it is left out", errRecord)
		return
	}
	if t := b.topicByID[binary.BigEndian.Uint32(value)]; t != nil {
		b.release(t, &r, now)
	}
}

// Recall takes a delayed message back, which is due at due and has the given id. It is false
// when there is none.
func (b *Broker) Recall(t *Topic, due int64, id []byte) (bool, error) {
	from := appendTimerKey(nil, due, hashOf(id), 0)
	var recalled [][]byte
	err := b.store.Scan(from, after(from[:1+8+8]), func(key, value []byte) bool {
		var r record
		if len(value) < timerValuePrefix || r.parse(value[timerValuePrefix:]) != nil || binary.BigEndian.Uint32(value) != t.id ||
			!bytes.Equal(r.uniqueID(), id) || bytes.Compare(key, b.timers.from) < 0 || b.timers.forgotten(sequenceOfKey(key)) {
			return true
		}
		recalled = append(recalled, bytes.Clone(key))
		return true
	})
	for _, key := range recalled {
		b.timers.forget(sequenceOfKey(key))
		b.batch.Delete(key)
	}
	return len(recalled) > 0, err
}
