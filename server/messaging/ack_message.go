package messaging

import (
	"sync"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/session"
)

// ackMessage is an AckMessage call (gRPC specification 2.6). Each entry is acknowledged by
// itself, all at once; the answer has them in the order of the request.
type ackMessage struct {
	call
	view    apiv2.AckView
	request pool.Chain
	entries []*ackEntry // of this call; more are kept for the next
	pending int
	results []apiv2.AckResult
}

// ackEntry is one entry on its way.
type ackEntry struct {
	of      *ackMessage
	op      backend.Ack
	outcome apiv2.Outcome
	held    *session.Held // nil for a delivery that is not renewed
	waits   bool          // for a renewal to end
}

var ackMessages = sync.Pool{New: func() any { return new(ackMessage) }}

// ackEntriesKept is how many entries a call keeps for the next.
const ackEntriesKept = 64

func newAckMessage(c *Client, s *h2.Stream) h2.Handler {
	m := ackMessages.Get().(*ackMessage)
	m.begin(c, s)
	return m
}

func (m *ackMessage) free(reuse bool) {
	m.view.Reset()
	m.request.Release()
	if reuse {
		for _, e := range m.entries {
			e.op.Reset()
		}
		m.entries = m.entries[:0]
		if cap(m.entries) > ackEntriesKept {
			m.entries = nil
		}
		clear(m.results)
		m.results = m.results[:0]
		ackMessages.Put(m)
	}
}

// ClientStreams implements h2.Handler.
func (m *ackMessage) ClientStreams() bool { return false }

// HalfClosed implements h2.Handler.
func (m *ackMessage) HalfClosed(*h2.Stream) {}

// Canceled implements h2.Handler. The acks go on: the messages were consumed.
func (m *ackMessage) Canceled(*h2.Stream, error) {
	ended := m.ended
	m.ended = true
	if m.pending == 0 && !ended {
		m.free(true)
	}
}

// Message implements h2.Handler.
func (m *ackMessage) Message(s *h2.Stream, msg *pool.Chain) {
	m.request.AppendChain(msg)
	if err := m.view.Parse(&m.request, &m.client.service.views); err != nil {
		m.malformed(s, err)
		m.free(m.client.conn.Stream(m.key) == nil)
		return
	}
	o, valid := m.identified(s)
	if valid {
		o, valid = checkTopicAndGroup(m.view.Topic.Name, m.view.Group.Name)
	}
	if valid && len(m.view.Entries) == 0 {
		o, valid = failure(apiv2.Code_INTERNAL_SERVER_ERROR, "ack message result is empty"), false
	}
	if !valid {
		m.free(m.reply(s, apiv2.AppendAckMessageResponse(m.client.scratch[:0], o, nil)))
		return
	}
	m.ack(m.client.now)
}

func (m *ackMessage) ack(now time.Time) {
	s := m.stream()
	who := m.client.holder(m.clientID(s))
	for i := range m.view.Entries {
		m.nextEntry()
		if m.prepare(i, who, now) {
			m.pending++
		}
	}
	if m.pending == 0 {
		m.answer(s)
		return
	}
	for _, e := range m.entries {
		if e.outcome.Code == apiv2.Code_CODE_UNSPECIFIED && !e.waits {
			m.client.service.Backend.Ack(&e.op, now)
		}
	}
}

// nextEntry appends an entry; its memory is that of an earlier call.
func (m *ackMessage) nextEntry() {
	n := len(m.entries)
	if n < cap(m.entries) {
		m.entries = m.entries[:n+1]
	} else {
		m.entries = append(m.entries, nil)
	}
	if m.entries[n] == nil {
		m.entries[n] = &ackEntry{}
	}
}

// prepare is false for an entry that is decided without the broker.
func (m *ackMessage) prepare(i int, who *session.Session, now time.Time) bool {
	e, v := m.entries[i], &m.view.Entries[i]
	e.of, e.outcome = m, apiv2.Outcome{}
	e.op.Reset()
	h, o, valid := readHandle(v.ReceiptHandle)
	if !valid {
		e.outcome = o
		return false
	}
	e.op.Exchange = backend.Exchange{Home: m.client.turn, Then: e, Deadline: now.Add(m.client.service.CallTimeout)}
	e.op.Delivery = backend.Delivery{
		Group: m.view.Group.Name, Topic: m.view.Topic.Name, LiteTopic: v.LiteTopic,
		HandleText: v.ReceiptHandle, Handle: h,
	}
	if e.held, e.waits = m.client.claim(who, &e.op.Delivery, (*ackClaimed)(e)); e.waits {
		return true
	}
	return e.current(now)
}

// current is false for an entry whose newest handle has expired.
func (e *ackEntry) current(now time.Time) bool {
	o, valid := checkExpiry(&e.op.Handle, now)
	if !valid {
		e.outcome = o
		e.of.client.service.letGo(e.held, backend.Fault{})
		e.held = nil
	}
	return valid
}

// ackClaimed is the event of an entry whose newest handle is known now.
type ackClaimed ackEntry

// OnTurn goes on with the entry.
func (c *ackClaimed) OnTurn(now time.Time) {
	e := (*ackEntry)(c)
	e.waits = false
	e.held.Delivery(&e.op.Delivery)
	if e.current(now) {
		e.of.client.service.Backend.Ack(&e.op, now)
		return
	}
	e.decided(now)
}

// OnTurn is the event of one entry that came home.
func (e *ackEntry) OnTurn(now time.Time) {
	e.outcome = deliveryOutcome(e.op.Fault, e.op.Known, "ack failed: status is abnormal")
	e.of.client.service.letGo(e.held, e.op.Fault)
	e.held = nil
	e.decided(now)
}

func (e *ackEntry) decided(now time.Time) {
	m := e.of
	if m.pending--; m.pending > 0 {
		return
	}
	m.client.now = now
	if s := m.stream(); s != nil {
		m.answer(s)
		return
	}
	m.ended = true
	m.free(true)
}

func (m *ackMessage) answer(s *h2.Stream) {
	var all overall
	for i, e := range m.entries {
		v := &m.view.Entries[i]
		m.results = append(m.results, apiv2.AckResult{MessageID: v.MessageID, ReceiptHandle: v.ReceiptHandle, Outcome: e.outcome})
		all.add(e.outcome.Code)
	}
	m.free(m.reply(s, apiv2.AppendAckMessageResponse(m.client.scratch[:0], all.outcome("ack message result is empty"), m.results)))
}
