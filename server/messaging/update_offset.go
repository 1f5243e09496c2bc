package messaging

import (
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/server/backend"
)

// updateOffset is an UpdateOffset call: a group has consumed a queue up to an offset.
type updateOffset struct {
	queueCall
	request apiv2.UpdateOffsetRequest
	op      backend.UpdateOffset
}

func newUpdateOffset(c *Client, s *h2.Stream) h2.Handler {
	m := &updateOffset{}
	m.begin(c, s)
	m.unary.request, m.handle = &m.request, m.run
	m.refuse = func(o apiv2.Outcome) proto.Message { return &apiv2.UpdateOffsetResponse{Status: statusOf(o)} }
	m.ask = func(q backend.Queue, x backend.Exchange, now time.Time) {
		m.op = backend.UpdateOffset{Exchange: x, Queue: q, Group: []byte(m.request.GetGroup().GetName()), Offset: m.request.GetOffset()}
		m.asked = &m.op.Exchange
		m.client.service.Backend.UpdateOffset(&m.op, now)
	}
	m.answer = func(s *h2.Stream) { m.fail(s, ok) }
	return m
}

func (m *updateOffset) run(s *h2.Stream, now time.Time) {
	if o, valid := checkNamed(m.request.GetMessageQueue(), m.request.GetGroup()); !valid {
		m.fail(s, o)
		return
	}
	if offset := m.request.GetOffset(); offset < 0 {
		m.fail(s, failure(apiv2.Code_ILLEGAL_OFFSET, "offset "+strconv.FormatInt(offset, 10)+" is illegal"))
		return
	}
	m.of(s, m.request.GetMessageQueue(), now)
}
