package messaging

import (
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/server/backend"
)

// endTransaction is an EndTransaction call (gRPC specification 7.2): a producer says what became
// of its half message, by itself or because it was asked.
type endTransaction struct {
	unary
	request apiv2.EndTransactionRequest
	op      backend.EndTransaction
}

func newEndTransaction(c *Client, s *h2.Stream) h2.Handler {
	m := &endTransaction{}
	m.begin(c, s)
	m.unary.request, m.handle = &m.request, m.run
	m.refuse = func(o apiv2.Outcome) proto.Message { return &apiv2.EndTransactionResponse{Status: statusOf(o)} }
	return m
}

// verdicts puts the API's words into the contract's. What is not listed is undecided.
var verdicts = map[apiv2.TransactionResolution]backend.Verdict{
	apiv2.TransactionResolution_COMMIT:   backend.Commit,
	apiv2.TransactionResolution_ROLLBACK: backend.Rollback,
}

func (m *endTransaction) run(s *h2.Stream, now time.Time) {
	topic, transaction := m.request.GetTopic().GetName(), m.request.GetTransactionId()
	if o, valid := checkTopic(topic); !valid {
		m.fail(s, o)
		return
	}
	if blank(transaction) {
		m.fail(s, failure(apiv2.Code_INVALID_TRANSACTION_ID, "transaction id cannot be empty"))
		return
	}
	svc := m.client.service
	m.op = backend.EndTransaction{
		Exchange: backend.Exchange{Home: m.client.turn, Then: m, Deadline: now.Add(svc.CallTimeout)},
		Topic:    []byte(topic), MessageID: []byte(m.request.GetMessageId()), TransactionID: []byte(transaction),
		Verdict:   verdicts[m.request.GetResolution()],
		FromCheck: m.request.GetSource() == apiv2.TransactionSource_SOURCE_SERVER_CHECK,
	}
	svc.Backend.EndTransaction(&m.op, now)
}

// OnTurn is the event of the operation that came home.
func (m *endTransaction) OnTurn(now time.Time) {
	m.client.now = now
	s := m.stream()
	switch {
	case s == nil:
	case m.op.Fault.OK():
		m.fail(s, ok)
	default:
		m.fail(s, faultOutcome(m.op.Fault))
	}
}
