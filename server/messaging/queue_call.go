package messaging

import (
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/server/backend"
)

// queueCall is what the calls about the offsets of a queue share: the topic must be known before
// the backend can be asked. The reference has none of them.
type queueCall struct {
	unary
	named  *apiv2.MessageQueue
	fetch  backend.FetchTopic
	asked  *backend.Exchange                                        // of the operation; nil before there is one
	ask    func(q backend.Queue, x backend.Exchange, now time.Time) // begins it
	answer func(s *h2.Stream)                                       // tells what came of it
}

// of begins a call about a queue whose names are sound.
func (m *queueCall) of(s *h2.Stream, q *apiv2.MessageQueue, now time.Time) {
	m.named = q
	name := []byte(q.GetTopic().GetName())
	if topic := m.client.service.Backend.Topic(name, now); topic != nil {
		m.topicCame(s, topic, now)
		return
	}
	m.fetch = backend.FetchTopic{Exchange: m.exchange(now), Name: name}
	m.client.service.Backend.FetchTopic(&m.fetch, now)
}

func (m *queueCall) exchange(now time.Time) backend.Exchange {
	return backend.Exchange{Home: m.client.turn, Then: m, Deadline: now.Add(m.client.service.CallTimeout)}
}

func (m *queueCall) topicCame(s *h2.Stream, topic *backend.Topic, now time.Time) {
	if !topic.Exists {
		m.fail(s, noTopic(topic.Name))
		return
	}
	m.ask(backend.Queue{Topic: topic, Broker: []byte(m.named.GetBroker().GetName()), ID: m.named.GetId()}, m.exchange(now), now)
}

// OnTurn is the event of the topic, or of the operation, that came home.
func (m *queueCall) OnTurn(now time.Time) {
	m.client.now = now
	s := m.stream()
	switch {
	case s == nil:
	case m.asked == nil && !m.fetch.Fault.OK():
		m.fail(s, faultOutcome(m.fetch.Fault))
	case m.asked == nil:
		m.topicCame(s, m.fetch.Found, now)
	case !m.asked.Fault.OK():
		m.fail(s, faultOutcome(m.asked.Fault))
	default:
		m.answer(s)
	}
}

// checkNamed holds what names a group and a queue against the rules.
func checkNamed(q *apiv2.MessageQueue, group *apiv2.Resource) (apiv2.Outcome, bool) {
	if o, valid := checkTopicAndGroup(q.GetTopic().GetName(), group.GetName()); !valid {
		return o, false
	}
	return checkQueue(q.GetBroker().GetName(), q.GetId())
}
