package local

import (
	"math"
	"time"

	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/local/broker"
)

// Topic implements backend.Backend.
func (l *Local) Topic(name []byte, _ time.Time) *backend.Topic { return l.topics.Get(name) }

// FetchTopic implements backend.Backend: a topic that is not there is made, where that is
// allowed.
func (l *Local) FetchTopic(op *backend.FetchTopic, _ time.Time) {
	op.Home.Forward(l.turn, event(func(time.Time) {
		if l.failed != nil {
			op.Fault = l.fault()
			op.Reply(l.turn)
			return
		}
		name := string(op.Name)
		known := l.broker.Topic(name) != nil
		t := l.broker.UseTopic(name)
		if t == nil {
			op.Found = &backend.Topic{Name: name}
			op.Reply(l.turn)
			return
		}
		op.Found = l.topicOf(t)
		if !known {
			l.report("topic made on first use: "+name, nil)
			l.publishTopic(t)
		}
		l.after(&op.Exchange)
	}))
}

func (l *Local) topicOf(t *broker.Topic) *backend.Topic {
	return &backend.Topic{
		Name: t.Name, Exists: true, Type: backend.ParseMessageType(t.Type),
		Queues: []backend.BrokerQueues{{
			Broker: l.config.BrokerName, BrokerIDs: []int64{0}, Read: t.Queues, Write: t.WriteQueues,
			Readable: t.Perm&broker.PermRead != 0, Writable: t.Perm&broker.PermWrite != 0,
		}},
	}
}

func (l *Local) publishTopic(t *broker.Topic) { l.topics.Put(t.Name, l.topicOf(t), math.MaxInt) }

func (l *Local) publishAll() {
	for _, t := range l.broker.Topics() {
		l.publishTopic(t)
	}
	for _, g := range l.broker.Groups() {
		l.publishGroup(g)
	}
}
