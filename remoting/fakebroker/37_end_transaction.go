package fakebroker

import (
	"rocketmq-proxy/codec/message"
)

// END_TRANSACTION and CHECK_TRANSACTION_STATE, specification 2.15 and 2.16. Covered: commit,
// rollback, unknown; checks when the test asks for them, with the offsets of the half message
// put back. Left out: the check timer, the recovery window, the number of checks.

// half is a half message that waits for the end of its transaction.
type half struct {
	message *stored
	offset  int64 // in the half topic
}

const halfTopic = "RMQ_SYS_TRANS_HALF_TOPIC"

// putHalf logs a half message; its queue offset is the one of the half topic.
func (b *Broker) putHalf(s *stored) {
	q := b.queue(halfTopic, 0)
	s.record.QueueOffset = int64(len(q.messages))
	b.log(s)
	q.messages = append(q.messages, s)
	b.halves[s.record.PhysicalOffset] = &half{message: s, offset: s.record.QueueOffset}
}

func (b *Broker) endTransaction(r *Request) Response {
	h := b.halves[r.number("commitLogOffset")]
	switch {
	case h == nil:
		return fail(1, "Find prepared transaction message failed")
	case h.message.property("PGROUP") != r.Ext["producerGroup"]:
		return fail(1, "The producer group wrong")
	case h.offset != r.number("tranStateTableOffset"):
		return fail(1, "The transaction state table offset wrong")
	}
	const commit, rollback = 8, 12
	switch r.number("commitOrRollback") {
	case commit:
		delete(b.halves, r.number("commitLogOffset"))
		s := &stored{record: h.message.record, body: h.message.body}
		s.record.SysFlag = s.record.SysFlag&^0xC | 8
		s.record.PreparedTransactionOffset = h.message.record.PhysicalOffset
		b.put(s)
	case rollback:
		delete(b.halves, r.number("commitLogOffset"))
	}
	return Response{}
}

// Halves is the number of transactions that have not ended.
func (b *Broker) Halves() int {
	b.cluster.mu.Lock()
	defer b.cluster.mu.Unlock()
	return len(b.halves)
}

// CheckTransactions asks for the end of every open transaction, each at one client that sent
// a heartbeat for its producer group. It tells how many were asked.
func (b *Broker) CheckTransactions() int {
	b.cluster.mu.Lock()
	defer b.cluster.mu.Unlock()
	asked := 0
	open := make([]*half, 0, len(b.halves))
	for _, h := range b.halves {
		open = append(open, h)
	}
	for _, h := range open {
		if client := b.producer(h.message.property("PGROUP")); client != nil {
			b.check(client, h)
			asked++
		}
	}
	return asked
}

// check puts the half message back, whose offsets are new then, and asks.
func (b *Broker) check(client *Client, h *half) {
	delete(b.halves, h.message.record.PhysicalOffset)
	s := &stored{record: h.message.record, body: h.message.body}
	times := atoi(s.property("TRANSACTION_CHECK_TIMES")) + 1
	s.record.Properties = withProperty(s.record.Properties, "TRANSACTION_CHECK_TIMES", decimal(times))
	b.putHalf(s)

	shown := *s
	shown.record.SysFlag &^= 0xC
	properties := withProperty(s.record.Properties, "REAL_TOPIC", string(s.record.Topic))
	properties = withProperty(properties, "REAL_QID", decimal(int64(s.record.QueueID)))
	client.Push(39, map[string]string{
		"tranStateTableOffset": decimal(s.record.QueueOffset),
		"commitLogOffset":      decimal(s.record.PhysicalOffset),
		"msgId":                s.property("UNIQ_KEY"),
		"transactionId":        s.property("UNIQ_KEY"),
		"offsetMsgId":          string(message.AppendOffsetID(nil, s.record.StoreHost, s.record.PhysicalOffset)),
		"topic":                halfTopic,
		"bname":                b.Name,
	}, shown.encode(nil, string(s.record.Topic), properties))
}
