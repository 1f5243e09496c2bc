package messaging

import (
	"strconv"
	"sync"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/backend"
)

// pullMessage is a PullMessage call, which the reference does not have: a long poll of one queue
// from an offset on, whose answer is a stream of a status, the messages, and the next offset.
// It needs no settings, because nothing is lent: a client that goes away takes nothing along.
//
//	OK                 messages follow
//	MESSAGE_NOT_FOUND  none came, or none that matches; the next offset is behind those looked at
//	ILLEGAL_OFFSET     the queue does not reach to the offset: the next one is where it begins or ends
//
// Any other status stands alone.
type pullMessage struct {
	call
	view    apiv2.PullView
	request pool.Chain
	step    pullStep

	topic backend.FetchTopic
	op    backend.Pull

	filter  tagFilter
	shown   shown
	kept    []int // indices in op.Messages
	element pool.Chain
}

// pullStep is what a pull waits for.
type pullStep uint8

const (
	pullNothing pullStep = iota
	pullTopic
	pullPulled
)

var pullMessages = sync.Pool{New: func() any { return new(pullMessage) }}

func newPullMessage(c *Client, s *h2.Stream) h2.Handler {
	m := pullMessages.Get().(*pullMessage)
	m.begin(c, s)
	return m
}

func (m *pullMessage) free(reuse bool) {
	m.op.Reset()
	m.view.Reset()
	m.request.Release()
	m.shown.message.Reset()
	m.element.Trim()
	if reuse {
		m.step, m.topic, m.kept = pullNothing, backend.FetchTopic{}, m.kept[:0]
		pullMessages.Put(m)
	}
}

// ClientStreams implements h2.Handler.
func (m *pullMessage) ClientStreams() bool { return false }

// HalfClosed implements h2.Handler.
func (m *pullMessage) HalfClosed(*h2.Stream) {}

// Canceled implements h2.Handler.
func (m *pullMessage) Canceled(*h2.Stream, error) {
	m.ended = true
	if m.step == pullNothing { // else what it waits for comes home, and finds nobody
		m.free(true)
	}
}

// drain implements drainer.
func (m *pullMessage) drain(time.Time) {
	if s := m.stream(); s != nil {
		m.ended = true
		m.writeStatus(s, nothingNew)
		m.writeNext(s, m.view.Offset)
		s.Finish(grpc.Status{})
	}
}

// Message implements h2.Handler.
func (m *pullMessage) Message(s *h2.Stream, msg *pool.Chain) {
	m.request.AppendChain(msg)
	if err := m.view.Parse(&m.request); err != nil {
		m.malformed(s, err)
		m.free(m.client.conn.Stream(m.key) == nil)
		return
	}
	now := m.client.now
	if o, valid := m.validate(s); !valid {
		m.refuse(s, o)
		return
	}
	m.pollTime(s, now)
	if topic := m.client.service.Backend.Topic(m.view.Topic.Name, now); topic != nil {
		m.topicCame(s, topic, now)
		return
	}
	m.step = pullTopic
	m.client.await(m)
	m.topic = backend.FetchTopic{
		Exchange: backend.Exchange{Home: m.client.turn, Then: m, Deadline: now.Add(m.client.service.CallTimeout)}, Name: m.view.Topic.Name,
	}
	m.client.service.Backend.FetchTopic(&m.topic, now)
}

func (m *pullMessage) validate(s *h2.Stream) (apiv2.Outcome, bool) {
	if o, valid := m.identified(s); !valid {
		return o, false
	}
	if o, valid := checkTopicAndGroup(m.view.Topic.Name, m.view.Group.Name); !valid {
		return o, false
	}
	if o, valid := checkQueue(m.view.BrokerName, m.view.QueueID); !valid {
		return o, false
	}
	switch m.op.MessagesMax = int(m.view.BatchSize); {
	case m.op.MessagesMax < 0:
		return failure(apiv2.Code_BAD_REQUEST, "batch size "+strconv.Itoa(m.op.MessagesMax)+" is illegal"), false
	case m.op.MessagesMax == 0: // not said: what the settings tell consumers
		m.op.MessagesMax = int(m.client.service.Policy.ReceiveBatchSize)
	}
	var o apiv2.Outcome
	var valid bool
	m.op.SQL = m.view.FilterType == apiv2.FilterType_SQL
	m.op.Expression, o, valid = m.filter.read(&m.view.FilterView)
	return o, valid
}

// pollTime fixes how long the pull may wait. One that does not ask for it does not wait: there is
// no least time, as receives have it.
func (m *pullMessage) pollTime(s *h2.Stream, now time.Time) {
	left := noDeadline
	if deadline := s.Deadline(); !deadline.IsZero() {
		left = deadline.Sub(now)
	}
	svc := m.client.service
	m.op.Poll = max(min(m.view.LongPollingTimeout.AsDuration(), svc.PollMax, left-pollReserve), 0)
	m.op.Deadline = now.Add(min(m.op.Poll+svc.CallTimeout, left))
}

func (m *pullMessage) topicCame(s *h2.Stream, topic *backend.Topic, now time.Time) {
	svc := m.client.service
	switch {
	case !topic.Exists:
		m.refuse(s, noTopic(topic.Name))
		return
	case m.client.conn.Leaving():
		m.op.Next = m.view.Offset
		m.end(s, nothingNew)
		return
	}
	if o, taken := svc.takePoll(); !taken {
		m.refuse(s, o)
		return
	}
	m.op.Home, m.op.Then = m.client.turn, m
	m.op.Queue = backend.Queue{Topic: topic, Broker: m.view.BrokerName, ID: m.view.QueueID}
	m.op.Group, m.op.Offset = m.view.Group.Name, m.view.Offset
	m.step = pullPulled
	m.client.await(m)
	svc.Backend.Pull(&m.op, now)
}

// OnTurn is the event of what the pull waited for.
func (m *pullMessage) OnTurn(now time.Time) {
	step := m.step
	m.step = pullNothing
	m.client.now = now
	delete(m.client.waiting, m)
	if step == pullPulled {
		m.client.service.polls.Give(1)
	}
	s := m.stream()
	switch {
	case s == nil:
		m.ended = true
		m.free(m.client.conn.Stream(m.key) == nil) // what drain wrote may still wait for a window
	case step == pullTopic && !m.topic.Fault.OK():
		m.refuse(s, faultOutcome(m.topic.Fault))
	case step == pullTopic:
		m.topicCame(s, m.topic.Found, now)
	case !m.op.Fault.OK():
		m.refuse(s, faultOutcome(m.op.Fault))
	default:
		m.answer(s, now)
	}
}

// answer streams what was pulled. Brokers filter by the hash of tags, so that here, too, the
// messages are held against the tags themselves.
func (m *pullMessage) answer(s *h2.Stream, now time.Time) {
	switch m.op.Outcome {
	case backend.PullFull:
		m.refuse(s, failure(apiv2.Code_TOO_MANY_REQUESTS, "polling full"))
		return
	case backend.PullOutside:
		m.end(s, failure(apiv2.Code_ILLEGAL_OFFSET, "the queue does not reach to offset "+strconv.FormatInt(m.view.Offset, 10)+
			", go on at "+strconv.FormatInt(m.op.Next, 10)))
		return
	case backend.PullNone:
		m.end(s, nothingNew)
		return
	}
	for i := range m.op.Messages {
		if m.filter.matches(m.op.Messages[i].Properties) {
			m.kept = append(m.kept, i)
		}
	}
	if len(m.kept) == 0 {
		m.end(s, noMatch)
		return
	}
	m.writeStatus(s, ok)
	for _, i := range m.kept {
		r := &m.op.Messages[i]
		m.shown.convert(m.view.Topic.Name, r, &m.op.Body, now)
		m.shown.appendTo(&m.element, r.BodyOffset, r.BodyLen, &m.op.Body)
		s.Send(&m.element)
	}
	m.finish(s)
}

// end answers without messages, and tells where to go on.
func (m *pullMessage) end(s *h2.Stream, o apiv2.Outcome) {
	m.writeStatus(s, o)
	m.finish(s)
}

// refuse answers with a status alone: the queue was not looked at.
func (m *pullMessage) refuse(s *h2.Stream, o apiv2.Outcome) {
	m.ended = true
	m.writeStatus(s, o)
	s.Finish(grpc.Status{})
	m.free(m.client.conn.Stream(m.key) == nil)
}

// finish ends the stream with the next offset. What waits for the client's windows has its own
// references to the bodies.
func (m *pullMessage) finish(s *h2.Stream) {
	m.ended = true
	m.writeNext(s, m.op.Next)
	s.Finish(grpc.Status{})
	m.free(m.client.conn.Stream(m.key) == nil)
}

func (m *pullMessage) writeNext(s *h2.Stream, offset int64) {
	encoded := apiv2.AppendPullNextOffset(m.client.scratch[:0], offset)
	s.Write(encoded)
	m.client.keep(encoded)
}
