package messaging

import (
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/server/backend"
)

// getOffset is a GetOffset call: how far has a group consumed a queue? One that never told, and
// never popped, is answered with OFFSET_NOT_FOUND.
type getOffset struct {
	queueCall
	request apiv2.GetOffsetRequest
	op      backend.GetOffset
}

func newGetOffset(c *Client, s *h2.Stream) h2.Handler {
	m := &getOffset{}
	m.begin(c, s)
	m.unary.request, m.handle = &m.request, m.run
	m.refuse = func(o apiv2.Outcome) proto.Message { return &apiv2.GetOffsetResponse{Status: statusOf(o)} }
	m.ask = func(q backend.Queue, x backend.Exchange, now time.Time) {
		m.op = backend.GetOffset{Exchange: x, Queue: q, Group: []byte(m.request.GetGroup().GetName())}
		m.asked = &m.op.Exchange
		m.client.service.Backend.GetOffset(&m.op, now)
	}
	m.answer = func(s *h2.Stream) {
		m.replyMessage(s, &apiv2.GetOffsetResponse{Status: statusOf(ok), Offset: m.op.Offset})
	}
	return m
}

func (m *getOffset) run(s *h2.Stream, now time.Time) {
	if o, valid := checkNamed(m.request.GetMessageQueue(), m.request.GetGroup()); !valid {
		m.fail(s, o)
		return
	}
	m.of(s, m.request.GetMessageQueue(), now)
}
