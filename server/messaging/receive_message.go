package messaging

import (
	"bytes"
	"strconv"
	"sync"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/session"
)

// receiveMessage is a ReceiveMessage call (gRPC specification 2.5): a long poll whose answer
// is a stream of a status, the messages, and the time of delivery.
//
// It differs from the reference in two faults of the reference: a receive that overtakes its
// client's settings waits for them, and a call without a deadline is served. Messages that
// come when the receiver has gone are made visible again after InvisibleWhenClear.
type receiveMessage struct {
	call
	view    apiv2.ReceiveView
	request pool.Chain
	came    time.Time // when the call began
	step    receiveStep
	who     *session.Session

	topic backend.FetchTopic
	group backend.FetchGroup
	op    backend.Pop

	filter    tagFilter
	shown     shown
	delivered []int // for each message kept, how many bytes were queued up to its end
	kept      []int // their indices in op.Messages
	element   pool.Chain
	tail      int // bytes of the element behind the messages
}

// receiveStep is what a receive waits for.
type receiveStep uint8

const (
	receiveNothing receiveStep = iota
	receiveSettings
	receiveTopic
	receiveGroup
	receivePopped
)

var receiveMessages = sync.Pool{New: func() any { return new(receiveMessage) }}

func newReceiveMessage(c *Client, s *h2.Stream) h2.Handler {
	m := receiveMessages.Get().(*receiveMessage)
	m.begin(c, s)
	m.came = c.now
	return m
}

func (m *receiveMessage) free(reuse bool) {
	m.op.Reset()
	m.view.Reset()
	m.request.Release()
	m.shown.message.Reset()
	m.element.Trim()
	if reuse {
		m.who = nil
		m.step, m.topic, m.group = receiveNothing, backend.FetchTopic{}, backend.FetchGroup{}
		m.delivered, m.kept = m.delivered[:0], m.kept[:0]
		receiveMessages.Put(m)
	}
}

// ClientStreams implements h2.Handler.
func (m *receiveMessage) ClientStreams() bool { return false }

// HalfClosed implements h2.Handler.
func (m *receiveMessage) HalfClosed(*h2.Stream) {}

// Canceled implements h2.Handler.
func (m *receiveMessage) Canceled(s *h2.Stream, _ error) {
	answered := m.ended
	m.ended = true
	if m.step != receiveNothing {
		return // what it waits for comes home, and finds nobody
	}
	if answered { // but not all of it had left
		m.handBack(m.undelivered(s))
	}
	m.free(true)
}

// drain implements drainer. What is popped later is handed back.
func (m *receiveMessage) drain(time.Time) {
	if s := m.stream(); s != nil {
		m.ended = true
		m.writeStatus(s, nothingNew)
		m.writeTime(s)
		s.Finish(grpc.Status{})
	}
}

// Message implements h2.Handler.
func (m *receiveMessage) Message(s *h2.Stream, msg *pool.Chain) {
	m.request.AppendChain(msg)
	if err := m.view.Parse(&m.request); err != nil {
		m.malformed(s, err)
		m.free(m.client.conn.Stream(m.key) == nil)
		return
	}
	if o, valid := m.identified(s); !valid {
		m.refuse(s, o, false)
		return
	}
	m.settings(s, m.client.now)
}

// settings needs what the client told about itself.
func (m *receiveMessage) settings(s *h2.Stream, now time.Time) {
	who := m.client.sessionOf(m.clientID(s))
	switch {
	case who != nil && who.Settings() != nil:
		m.validate(s, who, now)
	case who != nil && m.step == receiveNothing && who.Await(m.client.turn, m):
		m.step = receiveSettings
		m.client.await(m)
	default:
		m.refuse(s, failure(apiv2.Code_UNRECOGNIZED_CLIENT_TYPE, "cannot find client settings for this client"), true)
	}
}

func (m *receiveMessage) validate(s *h2.Stream, who *session.Session, now time.Time) {
	m.who = who
	o, valid := m.pollTime(s, who, now)
	if valid {
		o, valid = checkTopicAndGroup(m.view.Topic.Name, m.view.Group.Name)
	}
	if valid {
		o, valid = m.invisible()
	}
	if valid {
		o, valid = m.expression()
	}
	if valid {
		o, valid = m.lite()
	}
	if !valid {
		m.refuse(s, o, true)
		return
	}
	m.ask(s, now)
}

// noDeadline is how long a call without a deadline may take.
const noDeadline = time.Hour

// lateAnswer is how much longer than the client the proxy waits for the broker: messages that
// come in the last moment are handed back then, and not lost until they are visible again.
const lateAnswer = time.Second

// pollReserve is what a poll leaves of the client's deadline for its answer to come back. Without it
// clients whose deadline is their polling time, as those in Rust are, hear of an empty poll by their
// deadline. It is longPollingReserveTimeInMillis of the reference, which does not use it here.
const pollReserve = 100 * time.Millisecond

// clientPollCode is the client version from which ILLEGAL_POLLING_TIME is understood. The
// reference compares versions as text.
const clientPollCode = "5.0.3"

// pollTime fixes how long the broker may wait, inside the client's deadline. What the call has waited
// for its message and its client's settings does not make the deadline too short.
func (m *receiveMessage) pollTime(s *h2.Stream, who *session.Session, now time.Time) (apiv2.Outcome, bool) {
	svc := m.client.service
	given, left := noDeadline, noDeadline
	if deadline := s.Deadline(); !deadline.IsZero() {
		given, left = deadline.Sub(m.came), deadline.Sub(now)
	}
	poll := left - who.Settings().GetRequestTimeout().AsDuration()/2
	if m.view.LongPollingTimeout.Set {
		poll = m.view.LongPollingTimeout.AsDuration()
	}
	poll = min(max(poll, svc.PollMin), svc.PollMax)
	if poll > left && given < svc.PollMin {
		code := apiv2.Code_ILLEGAL_POLLING_TIME
		if string(s.Value(headerClientVersion)) < clientPollCode {
			code = apiv2.Code_BAD_REQUEST
		}
		return failure(code, "The deadline time remaining is not enough for polling, please check network condition"), false
	}
	m.op.Poll, m.op.Deadline = max(0, min(poll, left-pollReserve)), now.Add(left+lateAnswer)
	return apiv2.Outcome{}, true
}

func (m *receiveMessage) invisible() (apiv2.Outcome, bool) {
	svc := m.client.service
	if svc.AutoRenew && m.view.AutoRenew {
		m.op.Invisible = svc.InvisibleDefault
		return apiv2.Outcome{}, true
	}
	m.op.Invisible = m.view.InvisibleDuration.AsDuration()
	return svc.checkInvisible(m.op.Invisible, svc.InvisibleMin)
}

// checkInvisible holds an invisible duration against its bounds. What is less than a millisecond
// does not count.
func (svc *Service) checkInvisible(d, lowest time.Duration) (apiv2.Outcome, bool) {
	switch d = d.Truncate(time.Millisecond); {
	case d < lowest:
		return failure(apiv2.Code_ILLEGAL_INVISIBLE_TIME, "the invisibleTime is too small. min is "+strconv.FormatInt(lowest.Milliseconds(), 10)), false
	case svc.InvisibleMax > 0 && d > svc.InvisibleMax:
		return failure(apiv2.Code_ILLEGAL_INVISIBLE_TIME, "the invisibleTime is too large. max is "+strconv.FormatInt(svc.InvisibleMax.Milliseconds(), 10)), false
	}
	return apiv2.Outcome{}, true
}

func (m *receiveMessage) expression() (o apiv2.Outcome, valid bool) {
	m.op.SQL = m.view.FilterType == apiv2.FilterType_SQL
	m.op.Expression, o, valid = m.filter.read(&m.view.FilterView)
	return o, valid
}

// lite holds a client of lite topics against what it has not acknowledged yet.
func (m *receiveMessage) lite() (apiv2.Outcome, bool) {
	if m.who.Settings().GetClientType() != apiv2.ClientType_LITE_PUSH_CONSUMER {
		return apiv2.Outcome{}, true
	}
	most, held := m.client.service.LiteUnackedMax, m.who.Held()
	switch {
	case !m.who.Live():
		return m.disconnected(apiv2.Code_BAD_REQUEST), false
	case most > 0 && held > most:
		return failure(apiv2.Code_FORBIDDEN, "The client ["+m.who.ID+"] has too many unacked messages. Unacked count: "+strconv.Itoa(held)), false
	}
	m.op.Lite, m.op.ClientID = true, []byte(m.who.ID)
	return apiv2.Outcome{}, true
}

// ask needs the topic.
func (m *receiveMessage) ask(s *h2.Stream, now time.Time) {
	svc := m.client.service
	if topic := svc.Backend.Topic(m.view.Topic.Name, now); topic != nil {
		m.topicCame(s, topic, now)
		return
	}
	m.step = receiveTopic
	m.client.await(m)
	m.topic = backend.FetchTopic{Exchange: m.exchange(now), Name: m.view.Topic.Name}
	svc.Backend.FetchTopic(&m.topic, now)
}

// topicCame needs the group.
func (m *receiveMessage) topicCame(s *h2.Stream, topic *backend.Topic, now time.Time) {
	if !topic.Exists {
		m.refuse(s, noTopic(topic.Name), true)
		return
	}
	svc := m.client.service
	m.op.Topic = topic
	if m.group.Found = svc.Backend.Group(m.view.Group.Name, now); m.group.Found != nil {
		m.groupCame(s, now)
		return
	}
	m.step = receiveGroup
	m.client.await(m)
	m.group = backend.FetchGroup{Exchange: m.exchange(now), Name: m.view.Group.Name}
	svc.Backend.FetchGroup(&m.group, now)
}

func (m *receiveMessage) exchange(now time.Time) backend.Exchange {
	return backend.Exchange{Home: m.client.turn, Then: m, Deadline: now.Add(m.client.service.CallTimeout)}
}

func (m *receiveMessage) pop(s *h2.Stream, now time.Time) {
	if m.client.conn.Leaving() {
		m.refuse(s, nothingNew, true)
		return
	}
	if o, taken := m.client.service.takePoll(); !taken {
		m.refuse(s, o, true)
		return
	}
	m.op.Home, m.op.Then = m.client.turn, m
	m.op.Group, m.op.Broker, m.op.AttemptID = m.view.Group.Name, m.view.BrokerName, m.view.AttemptID
	m.op.MessagesMax = int(m.view.BatchSize)
	m.op.FIFO = m.group.Found.Orderly
	m.step = receivePopped
	m.client.await(m)
	m.client.service.Backend.Pop(&m.op, now)
}

// OnTurn is the event of what the receive waited for.
func (m *receiveMessage) OnTurn(now time.Time) {
	step := m.step
	m.step = receiveNothing
	m.client.now = now
	delete(m.client.waiting, m)
	if step == receivePopped {
		m.client.service.polls.Give(1)
	}
	s := m.stream()
	switch {
	case s == nil:
		m.abandoned(step)
	case step == receiveSettings:
		m.step = receiveSettings // settings that do not come are not awaited twice
		m.settings(s, now)
	case step == receiveTopic && !m.topic.Fault.OK():
		m.refuse(s, faultOutcome(m.topic.Fault), true)
	case step == receiveTopic:
		m.topicCame(s, m.topic.Found, now)
	case step == receiveGroup:
		m.groupCame(s, now)
	case !m.op.Fault.OK():
		m.refuse(s, faultOutcome(m.op.Fault), true)
	default:
		m.answer(s, now)
	}
}

// groupCame goes on with a group that nobody knows too: the broker has the last word.
func (m *receiveMessage) groupCame(s *h2.Stream, now time.Time) {
	if m.group.Found == nil || !m.group.Found.Exists {
		m.group.Found = &backend.DefaultGroup
	}
	m.pop(s, now)
}

// abandoned ends a receive whose stream has gone, or was drained: what was popped goes back.
func (m *receiveMessage) abandoned(step receiveStep) {
	if step == receivePopped && m.op.Fault.OK() {
		m.kept = m.kept[:0]
		for i := range m.op.Messages {
			m.kept = append(m.kept, i)
		}
		m.handBack(0)
	}
	m.ended = true
	m.free(m.client.conn.Stream(m.key) == nil) // what drain wrote may still wait for a window
}

// refuse answers without messages; the time of delivery follows unless the call never got as
// far as to be a receive.
func (m *receiveMessage) refuse(s *h2.Stream, o apiv2.Outcome, timed bool) {
	m.ended = true
	m.writeStatus(s, o)
	m.finish(s, timed)
}

// writeTime writes the time of delivery, the last element of a stream.
func (m *receiveMessage) writeTime(s *h2.Stream) {
	encoded := apiv2.AppendReceiveDeliveryTimestamp(m.client.scratch[:0], apiv2.TimestampOf(m.client.now))
	m.tail = grpc.PrefixBytes + len(encoded)
	s.Write(encoded)
	m.client.keep(encoded)
}

func (m *receiveMessage) finish(s *h2.Stream, timed bool) {
	if timed {
		m.writeTime(s)
	}
	s.Finish(grpc.Status{})
	if m.client.conn.Stream(m.key) == nil {
		m.free(true)
		return
	}
	m.park()
}

// park keeps, of an answer that waits for the client's windows, what is needed to hand back
// what never leaves. The stream has its own references to the bodies.
func (m *receiveMessage) park() {
	group := append([]byte(nil), m.view.Group.Name...)
	topic := append([]byte(nil), m.view.Topic.Name...)
	renew := m.view.AutoRenew
	m.view.Reset()
	m.view.Group.Name, m.view.Topic.Name, m.view.AutoRenew = group, topic, renew
	if m.op.Lite { // their lite topics are wanted
		for _, i := range m.kept {
			m.op.Messages[i].Properties = bytes.Clone(m.op.Messages[i].Properties)
		}
	}
	m.request.Release()
	m.op.Body.Release()
	m.shown.message.Reset()
}
