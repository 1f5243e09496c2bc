package local

import (
	"errors"
	"time"

	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/local/broker"
)

// SyncLite implements backend.Backend.
func (l *Local) SyncLite(op *backend.SyncLite, _ time.Time) {
	op.Home.Forward(l.turn, event(func(time.Time) {
		l.settle(&op.Exchange, l.syncLite(op))
	}))
}

func (l *Local) syncLite(op *backend.SyncLite) backend.Fault {
	if l.failed != nil {
		return l.fault()
	}
	g, t := l.broker.Group(op.Group), l.broker.Topic(op.Topic)
	switch {
	case g == nil:
		return backend.Fault{Kind: backend.GroupNotFound, Text: "there is no group " + op.Group}
	case t == nil:
		return noTopic(op.Topic)
	}
	var err error
	switch op.Action {
	case backend.LiteAdd, backend.LiteReplace:
		if op.Action == backend.LiteReplace {
			l.broker.UnsubscribeOthers(g, op.ClientID, op.LiteTopics)
		}
		err = l.broker.Subscribe(g, op.ClientID, t, op.LiteTopics, startOf(op.Start), l.groupOf(g).LiteQuota)
	case backend.LiteRemove:
		l.broker.Unsubscribe(g, op.ClientID, t, op.LiteTopics)
	case backend.LiteRemoveAll:
		l.broker.UnsubscribeOthers(g, op.ClientID, nil)
	}
	switch {
	case errors.Is(err, broker.ErrQuota):
		return backend.Fault{Kind: backend.SubscriptionQuota, Text: "lite subscription quota exceeded"}
	case errors.Is(err, broker.ErrTooMany):
		return backend.Fault{Kind: backend.LiteTopicQuota, Text: "there are as many lite topics as there may be"}
	case err != nil:
		return internal(err)
	}
	return backend.Fault{}
}

var starts = [...]broker.StartKind{
	backend.LiteStartDefault: broker.StartDefault, backend.LiteStartLast: broker.StartDefault,
	backend.LiteStartMin: broker.StartMin, backend.LiteStartMax: broker.StartMax,
	backend.LiteStartOffset: broker.StartOffset, backend.LiteStartTail: broker.StartTail,
	backend.LiteStartTimestamp: broker.StartTimestamp,
}

func startOf(s backend.LiteStart) broker.Start {
	return broker.Start{Kind: starts[s.Kind], Value: s.Value}
}
