package messaging

import (
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/server/backend"
)

// queryAssignment is a QueryAssignment call (gRPC specification 2.2 and 4.4). There is no
// balancing: popping brokers share queues among all who ask, so every consumer is given every
// broker; an orderly group is given the queues one by one.
type queryAssignment struct {
	unary
	request apiv2.QueryAssignmentRequest
	topic   backend.FetchTopic
	group   backend.FetchGroup
}

func newQueryAssignment(c *Client, s *h2.Stream) h2.Handler {
	m := &queryAssignment{}
	m.begin(c, s)
	m.unary.request, m.handle = &m.request, m.run
	m.refuse = func(o apiv2.Outcome) proto.Message { return &apiv2.QueryAssignmentResponse{Status: statusOf(o)} }
	return m
}

func (m *queryAssignment) run(s *h2.Stream, now time.Time) {
	if o, valid := checkTopicAndGroup(m.request.GetTopic().GetName(), m.request.GetGroup().GetName()); !valid {
		m.fail(s, o)
		return
	}
	m.ask(s, now)
}

// ask answers once topic and group are known; it is called again when one of them came.
func (m *queryAssignment) ask(s *h2.Stream, now time.Time) {
	svc := m.client.service
	exchange := backend.Exchange{Home: m.client.turn, Then: m, Deadline: now.Add(svc.CallTimeout)}
	if m.topic.Found == nil {
		name := []byte(m.request.GetTopic().GetName())
		if m.topic.Found = svc.Backend.Topic(name, now); m.topic.Found == nil {
			m.topic = backend.FetchTopic{Exchange: exchange, Name: name}
			svc.Backend.FetchTopic(&m.topic, now)
			return
		}
	}
	if !m.topic.Found.Exists {
		m.fail(s, noTopic(m.topic.Found.Name))
		return
	}
	if m.group.Found == nil && m.group.Fault.OK() {
		name := []byte(m.request.GetGroup().GetName())
		if m.group.Found = svc.Backend.Group(name, now); m.group.Found == nil {
			m.group = backend.FetchGroup{Exchange: exchange, Name: name}
			svc.Backend.FetchGroup(&m.group, now)
			return
		}
	}
	m.answer(s)
}

// OnTurn is the event of the topic or the group that came. A group that cannot be had counts
// as one that is not orderly.
func (m *queryAssignment) OnTurn(now time.Time) {
	m.client.now = now
	s := m.stream()
	switch {
	case s == nil:
	case !m.topic.Fault.OK():
		m.fail(s, faultOutcome(m.topic.Fault))
	default:
		m.ask(s, now)
	}
}

func (m *queryAssignment) answer(s *h2.Stream) {
	endpoints := m.client.endpoints(m.request.GetEndpoints())
	orderly := m.group.Found != nil && m.group.Found.Orderly && m.group.Found.LiteBindTopic == ""
	var assignments []*apiv2.Assignment
	for _, b := range m.topic.Found.Queues {
		if !b.Readable || b.Read == 0 || len(b.BrokerIDs) == 0 {
			continue
		}
		for _, id := range queueIDs(b, orderly) {
			assignments = append(assignments, &apiv2.Assignment{MessageQueue: &apiv2.MessageQueue{
				Topic: m.request.GetTopic(), Id: id, Permission: permission(b),
				Broker: &apiv2.Broker{Name: b.Broker, Id: int32(b.BrokerIDs[0]), Endpoints: endpoints},
			}})
		}
	}
	if len(assignments) == 0 {
		m.fail(s, failure(apiv2.Code_FORBIDDEN, "no readable queue"))
		return
	}
	m.replyMessage(s, &apiv2.QueryAssignmentResponse{Status: statusOf(ok), Assignments: assignments})
}

// wholeBroker is the queue id that stands for all queues of a broker.
const wholeBroker = -1

func queueIDs(b backend.BrokerQueues, orderly bool) []int32 {
	if !orderly {
		return []int32{wholeBroker}
	}
	ids := make([]int32, b.Read)
	for i := range ids {
		ids[i] = int32(i)
	}
	return ids
}

func permission(b backend.BrokerQueues) apiv2.Permission {
	if b.Writable {
		return apiv2.Permission_READ_WRITE
	}
	return apiv2.Permission_READ
}
