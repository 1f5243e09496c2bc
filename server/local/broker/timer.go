package broker

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"

	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
)

// delayLevels are the reference's, in seconds: level 1 is the first.
var delayLevels = [...]int64{1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200}

// dueAt is when a message is to be delivered, 0 for at once. Remoting specification 7.3: a
// level comes before a time, a time from now before a moment.
func dueAt(properties []byte, now int64) int64 {
	if level := number(message.Property(properties, message.NameDelay)); level > 0 {
		return now + 1000*delayLevels[min(level, int64(len(delayLevels)))-1]
	}
	if seconds := number(message.Property(properties, message.NameTimerDelaySec)); seconds > 0 {
		return now + min(seconds, math.MaxInt32)*1000
	}
	if ms := number(message.Property(properties, message.NameTimerDelayMs)); ms > 0 {
		return now + ms
	}
	return max(number(message.Property(properties, message.NameTimerDeliverMs)), 0)
}

// number reads a decimal number; anything else is -1.
func number(text []byte) int64 {
	if len(text) == 0 || len(text) > 15 {
		return -1
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

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
