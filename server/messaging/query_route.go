package messaging

import (
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/server/backend"
)

// queryRoute is a QueryRoute call (gRPC specification 2.1): the queues of a topic, all of them
// behind this proxy.
type queryRoute struct {
	unary
	request apiv2.QueryRouteRequest
	fetch   backend.FetchTopic
}

func newQueryRoute(c *Client, s *h2.Stream) h2.Handler {
	m := &queryRoute{}
	m.begin(c, s)
	m.unary.request, m.handle = &m.request, m.run
	m.refuse = func(o apiv2.Outcome) proto.Message { return &apiv2.QueryRouteResponse{Status: statusOf(o)} }
	return m
}

func (m *queryRoute) run(s *h2.Stream, now time.Time) {
	name := m.request.GetTopic().GetName()
	if o, valid := checkTopic(name); !valid {
		m.fail(s, o)
		return
	}
	svc := m.client.service
	if topic := svc.Backend.Topic([]byte(name), now); topic != nil {
		m.answer(s, topic)
		return
	}
	m.fetch = backend.FetchTopic{Name: []byte(name)}
	m.fetch.Exchange = backend.Exchange{Home: m.client.turn, Then: m, Deadline: now.Add(svc.CallTimeout)}
	svc.Backend.FetchTopic(&m.fetch, now)
}

// OnTurn is the event of the topic that came.
func (m *queryRoute) OnTurn(now time.Time) {
	m.client.now = now
	s := m.stream()
	switch {
	case s == nil:
	case !m.fetch.Fault.OK():
		m.fail(s, faultOutcome(m.fetch.Fault))
	default:
		m.answer(s, m.fetch.Found)
	}
}

func (m *queryRoute) answer(s *h2.Stream, topic *backend.Topic) {
	if !topic.Exists {
		m.fail(s, noTopic(topic.Name))
		return
	}
	endpoints := m.client.endpoints(m.request.GetEndpoints())
	m.replyMessage(s, &apiv2.QueryRouteResponse{
		Status: statusOf(ok), MessageQueues: messageQueues(topic, m.request.GetTopic(), endpoints),
	})
}
