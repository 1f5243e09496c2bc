package messaging

import (
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/server/backend"
)

// recallMessage is a RecallMessage call (gRPC specification 2.4): a producer takes a delayed
// message back that is not due yet.
type recallMessage struct {
	unary
	request apiv2.RecallMessageRequest
	fetch   backend.FetchTopic
	op      backend.Recall
	asked   bool
}

func newRecallMessage(c *Client, s *h2.Stream) h2.Handler {
	m := &recallMessage{}
	m.begin(c, s)
	m.unary.request, m.unary.handle = &m.request, m.run
	m.refuse = func(o apiv2.Outcome) proto.Message { return &apiv2.RecallMessageResponse{Status: statusOf(o)} }
	return m
}

func (m *recallMessage) run(s *h2.Stream, now time.Time) {
	name := m.request.GetTopic().GetName()
	if o, valid := checkTopic(name); !valid {
		m.fail(s, o)
		return
	}
	svc := m.client.service
	if !svc.TypeCheck {
		m.recall(s, now)
		return
	}
	if topic := svc.Backend.Topic([]byte(name), now); topic != nil {
		m.topicCame(s, topic, now)
		return
	}
	m.fetch = backend.FetchTopic{Exchange: m.exchange(now), Name: []byte(name)}
	svc.Backend.FetchTopic(&m.fetch, now)
}

func (m *recallMessage) exchange(now time.Time) backend.Exchange {
	return backend.Exchange{Home: m.client.turn, Then: m, Deadline: now.Add(m.client.service.CallTimeout)}
}

// topicCame goes on only with a topic that takes delayed messages: it is one of those that is
// taken back.
func (m *recallMessage) topicCame(s *h2.Stream, topic *backend.Topic, now time.Time) {
	if o, valid := checkTaken(topic.Type, backend.TypeDelay); !valid {
		m.fail(s, o)
		return
	}
	m.recall(s, now)
}

func (m *recallMessage) recall(s *h2.Stream, now time.Time) {
	text := []byte(m.request.GetRecallHandle())
	h, err := handle.ParseRecall(text)
	if err != nil {
		m.fail(s, failure(apiv2.Code_INTERNAL_SERVER_ERROR, "recall handle is invalid"))
		return
	}
	m.asked = true
	m.op = backend.Recall{Exchange: m.exchange(now), Topic: []byte(m.request.GetTopic().GetName()), Text: text, Handle: h}
	m.client.service.Backend.Recall(&m.op, now)
}

// OnTurn is the event of the operation that came home.
func (m *recallMessage) OnTurn(now time.Time) {
	m.client.now = now
	s := m.stream()
	switch {
	case s == nil:
	case !m.asked && m.fetch.Fault.OK():
		m.topicCame(s, m.fetch.Found, now)
	case !m.asked:
		m.fail(s, faultOutcome(m.fetch.Fault))
	case !m.op.Fault.OK():
		m.fail(s, faultOutcome(m.op.Fault))
	default:
		m.replyMessage(s, &apiv2.RecallMessageResponse{Status: statusOf(ok), MessageId: string(m.op.MessageID)})
	}
}
