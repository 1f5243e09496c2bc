package local

import (
	"strconv"
	"time"

	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/local/broker"
)

// pullCall is a Pull on its way to the broker's turn, and on its way home.
type pullCall struct {
	pull  broker.Pull // first, so that it stays where it is while it waits
	local *Local
	op    *backend.Pull
}

// pullStart is a pullCall as the event of its arrival.
type pullStart pullCall

// Pull implements backend.Backend.
func (l *Local) Pull(op *backend.Pull, _ time.Time) {
	p := carrier[pullCall](&op.Carrier)
	p.local, p.op = l, op
	op.Home.Forward(l.turn, (*pullStart)(p))
}

// OnTurn asks the broker.
func (start *pullStart) OnTurn(time.Time) {
	p := (*pullCall)(start)
	l, op := p.local, p.op
	if f := p.prepare(); !f.OK() {
		op.Fault = f
		op.Reply(l.turn)
		return
	}
	l.broker.Pull(&p.pull, l.now)
}

func (p *pullCall) prepare() backend.Fault {
	l, op := p.local, p.op
	t, _, f := l.readQueue(&op.Queue)
	switch {
	case !f.OK():
		return f
	case l.useGroup(textOf(op.Group)) == nil:
		return noGroup(op.Group)
	}
	filter, err := l.broker.Filter(op.Expression, op.SQL)
	if err != nil {
		return backend.Fault{Kind: backend.BadFilter, Text: err.Error()}
	}
	p.pull = broker.Pull{
		Topic: t, Queue: op.ID, Offset: op.Offset, Filter: filter, Max: min(op.MessagesMax, popMessagesMax),
		Until: l.now + op.Poll.Milliseconds(), Out: &op.Body, Carrier: p, Deliveries: p.pull.Deliveries[:0],
	}
	return backend.Fault{}
}

// readQueue finds a queue that is to be read, and how it stands.
func (l *Local) readQueue(q *backend.Queue) (*broker.Topic, broker.Queue, backend.Fault) {
	if l.failed != nil {
		return nil, broker.Queue{}, l.fault()
	}
	t := l.broker.Topic(q.Topic.Name)
	if t == nil {
		return nil, broker.Queue{}, noTopic(q.Topic.Name)
	}
	state, known := t.QueueAt(q.ID)
	f := backend.Fault{}
	switch {
	case textOf(q.Broker) != l.config.BrokerName:
		f = backend.Fault{Kind: backend.BadBroker, Text: "cannot find broker " + string(q.Broker)}
	case t.Perm&broker.PermRead == 0:
		f = backend.Fault{Kind: backend.NoReadableQueue, Text: "no readable queue"}
	case !known:
		f = backend.Fault{Kind: backend.BadQueue, Text: "queue id " + strconv.Itoa(int(q.ID)) + " is illegal: topic " +
			t.Name + " has " + strconv.Itoa(t.Queues) + " queues"}
	}
	return t, state, f
}

func noGroup(name []byte) backend.Fault {
	return backend.Fault{Kind: backend.GroupNotFound, Text: "there is no group " + string(name)}
}

var pullOutcomes = [...]backend.PullOutcome{
	broker.PullFound: backend.PullFound, broker.PullNone: backend.PullNone,
	broker.PullOutside: backend.PullOutside, broker.PullFull: backend.PullFull,
}

// OnTurn brings the answer home, on the client's turn.
func (p *pullCall) OnTurn(now time.Time) {
	op := p.op
	op.Outcome, op.Next = pullOutcomes[p.pull.Outcome], p.pull.Next
	for i := range p.pull.Deliveries {
		p.local.fillRecord(op.NextMessage(), &p.pull.Deliveries[i])
	}
	p.pull = broker.Pull{Deliveries: p.pull.Deliveries[:0]}
	op.Then.OnTurn(now)
}
