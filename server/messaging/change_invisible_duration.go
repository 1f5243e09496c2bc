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

// changeInvisible is a ChangeInvisibleDuration call (gRPC specification 2.7).
type changeInvisible struct {
	call
	view    apiv2.ChangeInvisibleView
	request pool.Chain
	op      backend.ChangeInvisible
	held    *session.Held // nil for a delivery that is not renewed
	asked   bool          // the operation is with the backend, or waits for a renewal to end
}

var changeInvisibles = sync.Pool{New: func() any { return new(changeInvisible) }}

func newChangeInvisible(c *Client, s *h2.Stream) h2.Handler {
	m := changeInvisibles.Get().(*changeInvisible)
	m.begin(c, s)
	return m
}

func (m *changeInvisible) free(reuse bool) {
	m.view.Reset()
	m.request.Release()
	if reuse {
		m.op.Reset()
		m.asked, m.held = false, nil
		changeInvisibles.Put(m)
	}
}

// ClientStreams implements h2.Handler.
func (m *changeInvisible) ClientStreams() bool { return false }

// HalfClosed implements h2.Handler.
func (m *changeInvisible) HalfClosed(*h2.Stream) {}

// Canceled implements h2.Handler.
func (m *changeInvisible) Canceled(*h2.Stream, error) {
	ended := m.ended
	m.ended = true
	if !m.asked && !ended {
		m.free(true)
	}
}

// Message implements h2.Handler.
func (m *changeInvisible) Message(s *h2.Stream, msg *pool.Chain) {
	m.request.AppendChain(msg)
	if err := m.view.Parse(&m.request); err != nil {
		m.malformed(s, err)
		m.free(m.client.conn.Stream(m.key) == nil)
		return
	}
	now := m.client.now
	if o, valid := m.prepare(s, now); !valid {
		m.answer(s, o)
		return
	}
	var wait bool
	if m.held, wait = m.client.claim(m.client.holder(m.clientID(s)), &m.op.Delivery, (*changeClaimed)(m)); wait {
		m.asked = true
		return
	}
	m.change(s, now)
}

// changeClaimed is the event of a change whose newest handle is known now.
type changeClaimed changeInvisible

// OnTurn goes on with the change, also for a client that has canceled: the renewal has ended.
func (c *changeClaimed) OnTurn(now time.Time) {
	m := (*changeInvisible)(c)
	m.asked = false
	m.client.now = now
	m.held.Delivery(&m.op.Delivery)
	m.change(m.stream(), now)
}

// change asks the backend; s is nil when the client has canceled.
func (m *changeInvisible) change(s *h2.Stream, now time.Time) {
	if o, valid := checkExpiry(&m.op.Handle, now); !valid {
		m.client.service.letGo(m.held, backend.Fault{})
		m.finish(s, o)
		return
	}
	m.asked = true
	m.client.service.Backend.ChangeInvisible(&m.op, now)
}

func (m *changeInvisible) prepare(s *h2.Stream, now time.Time) (apiv2.Outcome, bool) {
	svc := m.client.service
	if o, valid := m.identified(s); !valid {
		return o, false
	}
	if o, valid := checkTopicAndGroup(m.view.Topic.Name, m.view.Group.Name); !valid {
		return o, false
	}
	duration := m.view.InvisibleDuration.AsDuration()
	if o, valid := svc.checkInvisible(duration, 0); !valid {
		return o, false
	}
	h, o, valid := readHandle(m.view.ReceiptHandle)
	if !valid {
		return o, false
	}
	m.op.Exchange = backend.Exchange{Home: m.client.turn, Then: m, Deadline: now.Add(svc.CallTimeout)}
	m.op.Delivery = backend.Delivery{
		Group: m.view.Group.Name, Topic: m.view.Topic.Name, LiteTopic: m.view.LiteTopic,
		HandleText: m.view.ReceiptHandle, Handle: h,
	}
	m.op.Invisible, m.op.Suspend = duration, m.view.Suspend
	return apiv2.Outcome{}, true
}

// OnTurn is the event of the operation that came home.
func (m *changeInvisible) OnTurn(now time.Time) {
	m.asked = false
	m.client.now = now
	m.client.service.letGo(m.held, m.op.Fault)
	m.finish(m.stream(), deliveryOutcome(m.op.Fault, m.op.Known, "changeInvisibleDuration failed: status is abnormal"))
}

func (m *changeInvisible) finish(s *h2.Stream, o apiv2.Outcome) {
	if s == nil {
		m.ended = true
		m.free(true)
		return
	}
	m.answer(s, o)
}

func (m *changeInvisible) answer(s *h2.Stream, o apiv2.Outcome) {
	var handle []byte
	if o.Code == apiv2.Code_OK {
		handle = m.op.NewHandle
	}
	m.free(m.reply(s, apiv2.AppendChangeInvisibleDurationResponse(m.client.scratch[:0], o, handle)))
}
