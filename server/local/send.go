package local

import (
	"errors"
	"time"

	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/local/broker"
)

// sendCall is a Send on its way to the broker's turn.
type sendCall struct {
	local    *Local
	op       *backend.Send
	send     broker.Send
	messages []broker.Message // their memory is reused
}

// Send implements backend.Backend.
func (l *Local) Send(op *backend.Send, _ time.Time) {
	s := carrier[sendCall](&op.Carrier)
	s.local, s.op = l, op
	op.Home.Forward(l.turn, s)
}

// OnTurn writes the messages into the open batch.
func (s *sendCall) OnTurn(time.Time) {
	l, op := s.local, s.op
	if f := s.refusal(); !f.OK() {
		op.Fault = f
		op.Reply(l.turn)
		return
	}
	s.messages = s.messages[:0]
	for i := range op.Messages {
		m := &op.Messages[i]
		s.messages = append(s.messages, broker.Message{
			BodyOffset: m.BodyOffset, BodyLen: m.BodyLen, Properties: m.Properties, SysFlag: m.SysFlag,
			Born: m.BornTimestamp, ReconsumeTimes: m.ReconsumeTimes,
		})
	}
	s.send = broker.Send{Topic: l.broker.Topic(op.Topic.Name), Shard: op.Shard, Messages: s.messages, Payload: &op.Payload}
	switch err := l.broker.Send(&s.send, l.now); {
	case errors.Is(err, broker.ErrTooMany):
		op.Fault = backend.Fault{Kind: backend.LiteTopicQuota, Text: "there are as many lite topics as there may be"}
	case err != nil:
		op.Fault = internal(err)
	default:
		s.answer()
	}
	clear(s.messages)
	s.send = broker.Send{}
	l.after(&op.Exchange)
}

// refusal is why the messages cannot be taken.
func (s *sendCall) refusal() backend.Fault {
	l := s.local
	switch {
	case l.failed != nil:
		return l.fault()
	case l.store.Full():
		return diskFull
	case l.open.Bytes() >= l.config.AppendBytesMax:
		return backend.Fault{Kind: backend.Busy, Text: "too much waits to be written to disk"}
	}
	t := l.broker.Topic(s.op.Topic.Name)
	switch {
	case t == nil:
		return noTopic(s.op.Topic.Name)
	case t.Perm&broker.PermWrite == 0:
		return backend.Fault{Kind: backend.NoWritableQueue, Text: "no writable queue"}
	}
	return backend.Fault{}
}

func noTopic(name string) backend.Fault {
	return backend.Fault{Kind: backend.TopicNotFound, Text: "there is no topic " + name}
}

func internal(err error) backend.Fault {
	return backend.Fault{Kind: backend.Internal, Text: err.Error()}
}

func (s *sendCall) answer() {
	op := s.op
	op.Stored, op.Offset = backend.StoreOK, s.send.Offset
	id := message.Property(op.Messages[0].Properties, message.NameUniqKey)
	op.TransactionID = append(op.TransactionID[:0], id...)
	op.RecallHandle = op.RecallHandle[:0]
	if s.send.Due != 0 {
		op.RecallHandle = handle.AppendRecall(op.RecallHandle, &handle.Recall{
			Topic: bytesOf(op.Topic.Name), Broker: bytesOf(s.local.config.BrokerName),
			Timestamp: s.send.Due + 1, MessageID: id,
		})
	}
}

// carrier returns the memory of ours that an operation carries, made at its first use.
func carrier[T any](slot *any) *T {
	if c, made := (*slot).(*T); made {
		return c
	}
	c := new(T)
	*slot = c
	return c
}
