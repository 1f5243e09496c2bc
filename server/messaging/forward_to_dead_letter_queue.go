package messaging

import (
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/session"
)

// forwardToDeadLetterQueue is a ForwardMessageToDeadLetterQueue call (gRPC specification 2.8):
// a consumer gives a message up. When the broker has copied it to the group's dead letters,
// the delivery is ended too, without waiting for that.
type forwardToDeadLetterQueue struct {
	unary
	request  apiv2.ForwardMessageToDeadLetterQueueRequest
	delivery backend.Delivery
	op       backend.DeadLetter
	held     *session.Held // nil for a delivery that is not renewed
}

func newForwardToDeadLetterQueue(c *Client, s *h2.Stream) h2.Handler {
	m := &forwardToDeadLetterQueue{}
	m.begin(c, s)
	m.unary.request, m.handle = &m.request, m.run
	m.refuse = func(o apiv2.Outcome) proto.Message {
		return &apiv2.ForwardMessageToDeadLetterQueueResponse{Status: statusOf(o)}
	}
	return m
}

// forwarded is how the reference words success: the broker's code.
var forwarded = apiv2.Outcome{Code: apiv2.Code_OK, Message: "0"}

func (m *forwardToDeadLetterQueue) run(s *h2.Stream, now time.Time) {
	topic, group := m.request.GetTopic().GetName(), m.request.GetGroup().GetName()
	if o, valid := checkTopicAndGroup(topic, group); !valid {
		m.fail(s, o)
		return
	}
	text := []byte(m.request.GetReceiptHandle())
	h, o, valid := readHandle(text)
	if !valid {
		m.fail(s, o)
		return
	}
	m.delivery = backend.Delivery{
		Group: []byte(group), Topic: []byte(topic), LiteTopic: []byte(m.request.GetLiteTopic()), HandleText: text, Handle: h,
	}
	var wait bool
	if m.held, wait = m.client.claim(m.client.holder(m.clientID(s)), &m.delivery, (*forwardClaimed)(m)); !wait {
		m.forward(s, now)
	}
}

// forwardClaimed is the event of a message whose newest handle is known now.
type forwardClaimed forwardToDeadLetterQueue

// OnTurn goes on with the message, also for a client that has canceled: the renewal has ended.
func (c *forwardClaimed) OnTurn(now time.Time) {
	m := (*forwardToDeadLetterQueue)(c)
	m.client.now = now
	m.held.Delivery(&m.delivery)
	m.forward(m.stream(), now)
}

// forward asks the backend; s is nil when the client has canceled.
func (m *forwardToDeadLetterQueue) forward(s *h2.Stream, now time.Time) {
	if m.delivery.Handle.CommitLogOffset < 0 {
		m.client.service.letGo(m.held, backend.Fault{Kind: backend.Internal})
		if s != nil {
			m.fail(s, failure(apiv2.Code_INVALID_RECEIPT_HANDLE, "commit log offset is empty"))
		}
		return
	}
	m.op = backend.DeadLetter{Delivery: m.delivery, MessageID: []byte(m.request.GetMessageId())}
	m.op.Exchange = backend.Exchange{Home: m.client.turn, Then: m, Deadline: now.Add(m.client.service.CallTimeout)}
	m.client.service.Backend.DeadLetter(&m.op, now)
}

// OnTurn is the event of the operation that came home.
func (m *forwardToDeadLetterQueue) OnTurn(now time.Time) {
	m.client.now = now
	if m.op.Fault.OK() {
		m.client.service.ackQuietly(m.client, looseOf(&m.delivery))
	}
	m.client.service.letGo(m.held, m.op.Fault)
	s := m.stream()
	switch {
	case s == nil:
	case m.op.Fault.OK():
		m.fail(s, forwarded)
	case m.op.Fault.Kind == backend.BadBroker:
		m.fail(s, failure(apiv2.Code_INVALID_RECEIPT_HANDLE, m.op.Fault.Text))
	default:
		m.fail(s, faultOutcome(m.op.Fault))
	}
}
