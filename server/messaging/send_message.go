package messaging

import (
	"bytes"
	"strconv"
	"sync"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/backend"
)

// sendMessage is a SendMessage call (gRPC specification 2.3).
//
// It differs from the reference where that is a fault of the reference: the size of a property
// list is bounded also when the bound is configured as zero.
type sendMessage struct {
	call
	view    apiv2.SendView
	op      backend.Send
	fetch   backend.FetchTopic
	waiting sendStep
	held    int // taken from Service.inflight

	properties []byte // of all messages, end to end; the memory is reused, like that of keys and ids
	writer     message.PropertyWriter
	keys       []byte // of one message, joined
	entries    []apiv2.SendResult
	ids        []byte
}

// sendStep is what a send waits for.
type sendStep uint8

const (
	sendNothing sendStep = iota
	sendTopic
	sendStored
)

var sendMessages = sync.Pool{New: func() any { return new(sendMessage) }}

func newSendMessage(c *Client, s *h2.Stream) h2.Handler {
	m := sendMessages.Get().(*sendMessage)
	m.begin(c, s)
	return m
}

// free gives everything back. reuse is false when h2 may still call the handler.
func (m *sendMessage) free(reuse bool) {
	if m.held > 0 {
		m.client.service.inflight.Give(m.held)
		m.held = 0
	}
	m.op.Reset()
	m.view.Reset()
	if reuse {
		m.fetch = backend.FetchTopic{}
		m.waiting = sendNothing
		m.entries = m.entries[:0]
		sendMessages.Put(m)
	}
}

// callBytes is about what a send holds besides its request.
const callBytes = 4 << 10

// ClientStreams implements h2.Handler.
func (m *sendMessage) ClientStreams() bool { return false }

// HalfClosed implements h2.Handler.
func (m *sendMessage) HalfClosed(*h2.Stream) {}

// Canceled implements h2.Handler. What is on its way to the broker cannot be called back.
func (m *sendMessage) Canceled(*h2.Stream, error) {
	ended := m.ended
	m.ended = true
	if m.waiting == sendNothing && !ended {
		m.free(true)
	}
}

// Message implements h2.Handler.
func (m *sendMessage) Message(s *h2.Stream, msg *pool.Chain) {
	if n := msg.Len() + callBytes; m.client.service.inflight.Take(n) {
		m.held = n
	} else {
		m.refuse(s, failure(apiv2.Code_TOO_MANY_REQUESTS, "too many requests in flight: inflightBytesMax"))
		return
	}
	m.op.Payload.MoveLean(msg, msg.Len())
	if err := m.view.Parse(&m.op.Payload, &m.client.service.views); err != nil {
		m.malformed(s, err)
		m.free(m.client.conn.Stream(m.key) == nil)
		return
	}
	if o, valid := m.validate(s); !valid {
		m.refuse(s, o)
		return
	}
	topic := m.client.service.Backend.Topic(m.topicName(), m.client.now)
	if topic == nil {
		m.waiting = sendTopic
		m.fetch = backend.FetchTopic{Exchange: m.exchange(), Name: m.topicName()}
		m.client.service.Backend.FetchTopic(&m.fetch, m.client.now)
		return
	}
	m.send(s, topic, m.client.now)
}

func (m *sendMessage) topicName() []byte { return m.view.Messages[0].Topic.Name }

func (m *sendMessage) exchange() backend.Exchange {
	return backend.Exchange{
		Home: m.client.turn, Then: m,
		Deadline: m.client.now.Add(m.client.service.CallTimeout),
	}
}

func (m *sendMessage) validate(s *h2.Stream) (apiv2.Outcome, bool) {
	if o, valid := m.identified(s); !valid {
		return o, false
	}
	return m.client.service.checkMessages(&m.view, m.client.now)
}

// send hands the messages to the backend.
func (m *sendMessage) send(s *h2.Stream, topic *backend.Topic, now time.Time) {
	svc := m.client.service
	if o, valid := svc.checkType(topic, &m.view.Messages[0]); !valid {
		m.refuse(s, o)
		return
	}
	if !topic.Exists {
		m.refuse(s, noTopic(topic.Name))
		return
	}
	if o, valid := checkBatch(topic, &m.view); !valid {
		m.refuse(s, o)
		return
	}
	if err := m.fill(topic); err != nil {
		m.refuse(s, failure(apiv2.Code_ILLEGAL_MESSAGE_PROPERTY_KEY, unwritable(err)))
		return
	}
	m.client.now = now
	m.op.Exchange = m.exchange()
	m.op.Topic = topic
	if len(m.view.Messages) == 1 {
		m.op.Shard = shardKey(&m.view.Messages[0])
	}
	m.waiting = sendStored
	svc.Backend.Send(&m.op, now)
}

// shardKey is what pins a message to a queue.
func shardKey(v *apiv2.MessageView) []byte {
	if !blank(v.MessageGroup) {
		return v.MessageGroup
	}
	if !blank(v.LiteTopic) {
		return v.LiteTopic
	}
	return nil
}

// OnTurn is the event of the backend operation that came home.
func (m *sendMessage) OnTurn(now time.Time) {
	step := m.waiting
	m.waiting = sendNothing
	s := m.stream()
	if s == nil {
		m.ended = true
		m.free(true)
		return
	}
	m.client.now = now
	switch {
	case step == sendTopic && m.fetch.Fault.OK():
		m.send(s, m.fetch.Found, now)
	case step == sendTopic:
		m.refuse(s, faultOutcome(m.fetch.Fault))
	case m.op.Fault.OK():
		m.answer(s)
	default:
		m.refuse(s, faultOutcome(m.op.Fault))
	}
}

// refuse answers without entries.
func (m *sendMessage) refuse(s *h2.Stream, o apiv2.Outcome) {
	m.free(m.reply(s, apiv2.AppendSendMessageResponse(m.client.scratch[:0], o, nil)))
}

// answer tells what was stored: one entry, for a batch too, with the ids joined by commas.
func (m *sendMessage) answer(s *h2.Stream) {
	stored := storeCodes[m.op.Stored]
	result := apiv2.SendResult{Outcome: failure(stored.code, stored.text)}
	if m.op.Stored == backend.StoreOK {
		result.MessageID = m.messageIDs()
		result.TransactionID = m.op.TransactionID
		result.Offset = m.op.Offset
		result.RecallHandle = m.op.RecallHandle
	}
	m.entries = append(m.entries[:0], result)
	var all overall
	all.add(stored.code)
	m.free(m.reply(s, apiv2.AppendSendMessageResponse(m.client.scratch[:0], all.outcome(""), m.entries)))
}

func (m *sendMessage) messageIDs() []byte {
	if len(m.view.Messages) == 1 {
		return m.view.Messages[0].MessageID
	}
	m.ids = m.ids[:0]
	for i := range m.view.Messages {
		if i > 0 {
			m.ids = append(m.ids, ',')
		}
		m.ids = append(m.ids, m.view.Messages[i].MessageID...)
	}
	return m.ids
}

// checkType holds the first message against the type of its topic. A topic whose type cannot
// be learnt, because it does not exist for one, refuses every message.
func (svc *Service) checkType(topic *backend.Topic, first *apiv2.MessageView) (apiv2.Outcome, bool) {
	if !svc.TypeCheck || hasPrefix(topic.Name, "%RETRY%") || hasPrefix(topic.Name, "%DLQ%") {
		return apiv2.Outcome{}, true
	}
	return checkTaken(topic.Type, typeOfMessage(first))
}

// checkTaken holds a message's type against the one of its topic.
func checkTaken(expected, actual backend.MessageType) (apiv2.Outcome, bool) {
	if expected == actual || expected == backend.TypeMixed || expected == backend.TypeAny {
		return apiv2.Outcome{}, true
	}
	return failure(apiv2.Code_MESSAGE_PROPERTY_CONFLICT_WITH_TYPE,
		"TopicMessageType validate failed, the expected type is "+expected.String()+", but actual type is "+actual.String()), false
}

// checkBatch keeps out what a broker does not store together with others.
func checkBatch(topic *backend.Topic, v *apiv2.SendView) (apiv2.Outcome, bool) {
	if len(v.Messages) == 1 {
		return apiv2.Outcome{}, true
	}
	if hasPrefix(topic.Name, "%RETRY%") {
		return failure(apiv2.Code_INTERNAL_SERVER_ERROR, "Retry Group is not supported for batching"), false
	}
	for i := range v.Messages {
		if v.Messages[i].DeliveryTimestamp.Set {
			return failure(apiv2.Code_INTERNAL_SERVER_ERROR, "Delayed messages are not supported for batching"), false
		}
	}
	return apiv2.Outcome{}, true
}

// checkMessages holds a request against the reference's rules, in the reference's order.
func (svc *Service) checkMessages(v *apiv2.SendView, now time.Time) (apiv2.Outcome, bool) {
	if len(v.Messages) == 0 {
		return failure(apiv2.Code_MESSAGE_CORRUPTED, "no message to send"), false
	}
	first := &v.Messages[0].Topic
	if o, valid := checkTopic(first.Name); !valid {
		return o, false
	}
	for i := range v.Messages {
		m := &v.Messages[i]
		if !bytes.Equal(m.Topic.Name, first.Name) || !bytes.Equal(m.Topic.Namespace, first.Namespace) {
			return failure(apiv2.Code_MESSAGE_CORRUPTED, "topic in message is not same"), false
		}
		if o, valid := svc.checkBody(m.Body.Len); !valid {
			return o, false
		}
		if o, valid := svc.checkMessage(m, now); !valid {
			return o, false
		}
	}
	return apiv2.Outcome{}, true
}

func (svc *Service) checkBody(n int) (apiv2.Outcome, bool) {
	switch {
	case n == 0 && svc.BodyEmptyCheck:
		return failure(apiv2.Code_MESSAGE_BODY_EMPTY, "message body cannot be empty"), false
	case svc.BodyBytesMax > 0 && n > svc.BodyBytesMax:
		return failure(apiv2.Code_MESSAGE_BODY_TOO_LARGE, "message body cannot exceed the max "+strconv.Itoa(svc.BodyBytesMax)), false
	}
	return apiv2.Outcome{}, true
}
