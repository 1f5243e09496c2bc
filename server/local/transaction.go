package local

import (
	"time"

	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/local/broker"
)

// EndTransaction implements backend.Backend.
func (l *Local) EndTransaction(op *backend.EndTransaction, _ time.Time) {
	op.Home.Forward(l.turn, event(func(time.Time) {
		l.settle(&op.Exchange, l.endTransaction(op))
	}))
}

func (l *Local) endTransaction(op *backend.EndTransaction) backend.Fault {
	if l.failed != nil {
		return l.fault()
	}
	t := l.broker.Topic(string(op.Topic))
	switch {
	case t == nil:
		return noTransaction
	case op.Verdict == backend.Undecided:
		return backend.Fault{}
	}
	found, err := l.broker.EndTransaction(t, op.TransactionID, op.Verdict == backend.Commit, l.now)
	switch {
	case err != nil:
		return internal(err)
	case !found:
		return noTransaction
	}
	return backend.Fault{}
}

var noTransaction = backend.Fault{Kind: backend.TransactionNotFound, Text: "cannot found transaction data"}

// ask puts the question about a half message to its producers.
func (l *Local) ask(c *broker.Check) {
	clients := l.clients.Load()
	if clients == nil {
		c.Out.Release()
		return
	}
	check := &backend.TransactionCheck{Topic: c.Topic.Name, TransactionID: string(c.TransactionID)}
	l.fillRecord(&check.Record, &c.Delivery)
	check.Record.Topic = []byte(c.Topic.Name)
	check.Body.AppendChain(&c.Out)
	c.Out.Release() // the room that it kept for more
	(*clients).CheckTransaction(check)
}

// Recall implements backend.Backend.
func (l *Local) Recall(op *backend.Recall, _ time.Time) {
	op.Home.Forward(l.turn, event(func(time.Time) {
		l.settle(&op.Exchange, l.recall(op))
	}))
}

func (l *Local) recall(op *backend.Recall) backend.Fault {
	if l.failed != nil {
		return l.fault()
	}
	due := op.Handle.Timestamp - 1
	t := l.broker.Topic(string(op.Topic))
	switch {
	case string(op.Handle.Broker) != l.config.BrokerName:
		return backend.Fault{Kind: backend.BadBroker, Text: "cannot find broker " + string(op.Handle.Broker)}
	case t == nil:
		return noTopic(string(op.Topic))
	case string(op.Handle.Topic) != t.Name:
		return backend.Fault{Kind: backend.Internal, Text: "recall failed, topic not match"}
	case due <= l.now:
		return backend.Fault{Kind: backend.Internal, Text: "recall failed, timestamp invalid"}
	}
	if _, err := l.broker.Recall(t, due, op.Handle.MessageID); err != nil {
		return internal(err)
	}
	op.MessageID = append(op.MessageID[:0], op.Handle.MessageID...)
	return backend.Fault{}
}
