package messaging

import (
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/server/backend"
)

// queryOffset is a QueryOffset call: where does a queue begin, where does it end, and where was
// it at some time?
type queryOffset struct {
	queueCall
	request apiv2.QueryOffsetRequest
	op      backend.QueryOffset
}

func newQueryOffset(c *Client, s *h2.Stream) h2.Handler {
	m := &queryOffset{}
	m.begin(c, s)
	m.unary.request, m.handle = &m.request, m.run
	m.refuse = func(o apiv2.Outcome) proto.Message { return &apiv2.QueryOffsetResponse{Status: statusOf(o)} }
	m.ask = func(q backend.Queue, x backend.Exchange, now time.Time) {
		m.op.Exchange, m.op.Queue = x, q
		m.asked = &m.op.Exchange
		m.client.service.Backend.QueryOffset(&m.op, now)
	}
	m.answer = func(s *h2.Stream) {
		m.replyMessage(s, &apiv2.QueryOffsetResponse{Status: statusOf(ok), Offset: m.op.Offset})
	}
	return m
}

// policies puts the API's words into the contract's.
var policies = map[apiv2.QueryOffsetPolicy]backend.OffsetAt{
	apiv2.QueryOffsetPolicy_BEGINNING: backend.AtBeginning,
	apiv2.QueryOffsetPolicy_END:       backend.AtEnd,
	apiv2.QueryOffsetPolicy_TIMESTAMP: backend.AtTime,
}

func (m *queryOffset) run(s *h2.Stream, now time.Time) {
	q := m.request.GetMessageQueue()
	o, valid := checkTopic(q.GetTopic().GetName())
	if valid {
		o, valid = checkQueue(q.GetBroker().GetName(), q.GetId())
	}
	if valid {
		o, valid = m.policy()
	}
	if !valid {
		m.fail(s, o)
		return
	}
	m.of(s, q, now)
}

// policy reads which offset is wanted.
func (m *queryOffset) policy() (apiv2.Outcome, bool) {
	policy := m.request.GetQueryOffsetPolicy()
	var known bool
	m.op.At, known = policies[policy]
	switch t := m.request.GetTimestamp(); {
	case !known:
		return failure(apiv2.Code_BAD_REQUEST, "query offset policy "+strconv.Itoa(int(policy))+" is illegal"), false
	case m.op.At != backend.AtTime:
	case t == nil || t.CheckValid() != nil:
		return failure(apiv2.Code_BAD_REQUEST, "the timestamp to query the offset at is absent or illegal"), false
	default:
		m.op.Timestamp = t.AsTime().UnixMilli()
	}
	return apiv2.Outcome{}, true
}
