package broker

import (
	"encoding/binary"
	"strconv"

	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
)

// A half message is a message that its producer has not decided about. It lies aside, under
// its sequence, until the producer says commit or rollback; it is asked for that again and
// again, and after ChecksMax questions without an answer the message is put where an operator
// finds it.
//
//	half ──Commit──► a message of its topic
//	  │ ──Rollback─► gone
//	  └──ChecksMax─► a message of TRANS_CHECK_MAX_TIME_TOPIC

// givenUpTopic is where half messages go that nobody decided about.
const givenUpTopic = "TRANS_CHECK_MAX_TIME_TOPIC"

const (
	halfValuePrefix = 4     // topic
	indexValueBytes = 8 + 8 // sequence, time of the next question
)

// Check is the question what became of a half message. Its views are the caller's to keep.
type Check struct {
	Topic         *Topic
	TransactionID []byte
	Delivery      Delivery // Properties and the body lie in Out
	Out           pool.Chain
}

func (b *Broker) putHalf(t *Topic, r *record, payload *pool.Chain, m *Message, now int64) {
	var topic [halfValuePrefix]byte
	binary.BigEndian.PutUint32(topic[:], t.id)
	appendHalfKey(b.putMessage(halfKeyBytes, topic[:], r, payload, m), r.Sequence)
	b.scheduleCheck(t.id, r.uniqueID(), r.Sequence, b.firstCheck(r.Properties, now), 0)
}

// firstCheck is when a half message is asked about first: in the first round of questions
// after it is old enough.
func (b *Broker) firstCheck(properties []byte, now int64) int64 {
	age := b.config.CheckAfter
	if seconds := number(message.Property(properties, message.NameCheckImmunityTime)); seconds > 0 {
		age = seconds * 1000
	}
	return b.nextRound(now + age)
}

// nextRound is the first round of questions after a time.
func (b *Broker) nextRound(since int64) int64 {
	return since/b.config.CheckInterval*b.config.CheckInterval + b.config.CheckInterval
}

// scheduleCheck writes when a half message is asked about next, and how it is found by its id.
func (b *Broker) scheduleCheck(topic uint32, id []byte, sequence uint64, at int64, checks uint32) {
	b.putCheck(sequence, at, checks)
	key, value := b.batch.Put(1+4+len(id), indexValueBytes)
	appendIndexKey(key[:0], topic, id)
	binary.BigEndian.PutUint64(value, sequence)
	binary.BigEndian.PutUint64(value[8:], uint64(at))
}

func (b *Broker) putCheck(sequence uint64, at int64, checks uint32) {
	key, value := b.batch.Put(checkKeyBytes, 4)
	appendCheckKey(key[:0], at, sequence)
	binary.BigEndian.PutUint32(value, checks)
	b.checks.add(at)
}

// EndTransaction commits or rolls back a half message. It is false when there is none.
func (b *Broker) EndTransaction(t *Topic, id []byte, commit bool, now int64) (bool, error) {
	b.key = appendIndexKey(b.key[:0], t.id, id)
	index, found, err := b.store.Get(nil, b.key)
	if err != nil || !found || len(index) != indexValueBytes {
		return false, err
	}
	sequence, at := binary.BigEndian.Uint64(index), int64(binary.BigEndian.Uint64(index[8:]))
	if b.checks.forgotten(sequence) {
		return false, nil
	}
	half, found, err := b.store.Get(b.value[:0], appendHalfKey(nil, sequence))
	if err != nil || !found {
		return false, err
	}
	b.value = half
	var r record
	if len(half) < halfValuePrefix || r.parse(half[halfValuePrefix:]) != nil {
		return false, errRecord
	}
	b.endHalf(t.id, id, sequence, at)
	if commit {
		b.commitHalf(t, &r, now)
	}
	return true, nil
}

// commitHalf makes a half message an ordinary one.
func (b *Broker) commitHalf(t *Topic, r *record, now int64) {
	r.SysFlag = r.SysFlag&^message.FlagTransactionMask | message.FlagTransactionCommit
	if w := readWishes(r.Properties); w.due(now, b.config.DelayLevels) > now {
		r.Stored = now
		b.delayRecord(t, r, w.due(now, b.config.DelayLevels))
		return
	}
	b.release(t, r, now)
}

// endHalf deletes a half message and what leads to it. When a question of this turn or the last
// has moved the next one from at, a key stays that finds nothing when its time comes.
func (b *Broker) endHalf(topic uint32, id []byte, sequence uint64, at int64) {
	b.checks.forget(sequence)
	b.batch.Delete(appendHalfKey(b.prefix[:0], sequence))
	b.batch.Delete(appendIndexKey(b.prefix[:0], topic, id))
	b.batch.Delete(appendCheckKey(b.prefix[:0], at, sequence))
}

// fireChecks asks about the half messages whose time has come.
func (b *Broker) fireChecks(now int64) {
	b.fire(&b.checks, now, func(key, value []byte) {
		b.batch.Delete(key)
		if len(value) == 4 {
			b.check(sequenceOfKey(key), binary.BigEndian.Uint32(value), now)
		}
	})
}

func (b *Broker) check(sequence uint64, checks uint32, now int64) {
	half, found, err := b.store.Get(b.value[:0], appendHalfKey(b.key[:0], sequence))
	b.value = half
	var r record
	switch {
	case err != nil && !isDamage(err):
		b.report("half message cannot be read: it is tried again", err)
		b.putCheck(sequence, b.nextRound(now), checks)
		return
	case err == nil && !found:
		return // decided about, or asked about at another time
	case err == nil && len(half) >= halfValuePrefix:
		err = r.parse(half[halfValuePrefix:])
	case err == nil:
		err = errRecord
	}
	if err != nil {
		b.report("half message is damaged: it is left out", err)
		b.batch.Delete(appendHalfKey(b.prefix[:0], sequence))
		return
	}
	id, topic := r.uniqueID(), binary.BigEndian.Uint32(half)
	t := b.topicByID[topic]
	switch {
	case t == nil:
		b.endHalf(topic, id, sequence, now)
	case int(checks) >= b.config.ChecksMax:
		b.endHalf(topic, id, sequence, now)
		b.giveUp(&r, now)
	default:
		at := b.nextRound(now)
		b.scheduleCheck(topic, id, sequence, at, checks+1)
		b.ask(t, &r, checks+1)
	}
}

// ask leaves the question for the caller.
func (b *Broker) ask(t *Topic, r *record, times uint32) {
	c := &Check{Topic: t, TransactionID: append([]byte(nil), r.uniqueID()...)}
	properties := message.NewPropertyWriter(nil)
	old := message.ReadProperties(r.Properties)
	for key, value, more := old.Next(); more; key, value, more = old.Next() {
		properties.Put(key, value)
	}
	properties.PutString(message.NameTransactionCheckTimes, strconv.Itoa(int(times)))
	if properties.Err() == nil {
		r.Properties = properties.Bytes()
	}
	stored, body := r.copyTo(&c.Out)
	c.Delivery = Delivery{
		Topic: t, Sequence: r.Sequence, Born: r.Born, Stored: r.Stored, SysFlag: r.SysFlag,
		Properties: stored, BodyOffset: body, BodyLen: len(r.Body),
	}
	b.asks = append(b.asks, c)
}

// giveUp puts a half message where an operator finds it. There is always room for that topic:
// else the message were lost.
func (b *Broker) giveUp(r *record, now int64) {
	t := b.topics[givenUpTopic]
	if t == nil {
		settings := TopicSettings{Name: givenUpTopic, Type: typeAny, Queues: 1}
		t = b.addTopic(&topicValue{TopicSettings: settings.whole(), ID: uint32(b.take(&b.nextID))})
	}
	b.appendRecord(t.queues[0], r, now)
}
