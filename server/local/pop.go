package local

import (
	"strconv"
	"time"

	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/local/broker"
)

// popCall is a Pop on its way to the broker's turn, and on its way home.
type popCall struct {
	pop   broker.Pop // first, so that it stays where it is while it waits
	local *Local
	op    *backend.Pop
}

// popStart is a popCall as the event of its arrival.
type popStart popCall

// Pop implements backend.Backend.
func (l *Local) Pop(op *backend.Pop, _ time.Time) {
	p := carrier[popCall](&op.Carrier)
	p.local, p.op = l, op
	op.Home.Forward(l.turn, (*popStart)(p))
}

// OnTurn asks the broker.
func (start *popStart) OnTurn(time.Time) {
	p := (*popCall)(start)
	l, op := p.local, p.op
	if f := p.prepare(); !f.OK() {
		op.Fault = f
		op.Reply(l.turn)
		return
	}
	l.broker.Pop(&p.pop, l.now)
}

// popMessagesMax is what a broker gives out at once.
const popMessagesMax = 32

func (p *popCall) prepare() backend.Fault {
	l, op := p.local, p.op
	if l.failed != nil {
		return l.fault()
	}
	t, g := l.broker.Topic(op.Topic.Name), l.useGroup(textOf(op.Group))
	switch {
	case t == nil:
		return noTopic(op.Topic.Name)
	case t.Perm&broker.PermRead == 0:
		return backend.Fault{Kind: backend.NoReadableQueue, Text: "no readable queue"}
	case g == nil:
		return noGroup(op.Group)
	}
	if op.MessagesMax < 0 {
		return backend.Fault{Kind: backend.Internal, Text: "a batch of " + strconv.Itoa(op.MessagesMax) + " messages"}
	}
	filter, err := l.broker.Filter(op.Expression, op.SQL)
	if err != nil {
		return backend.Fault{Kind: backend.BadFilter, Text: err.Error()}
	}
	p.pop = broker.Pop{
		Topic: t, Group: g, Filter: filter, FIFO: op.FIFO, Attempt: op.AttemptID, Lite: op.Lite, ClientID: op.ClientID,
		Max: min(op.MessagesMax, popMessagesMax), Invisible: op.Invisible.Milliseconds(),
		Until: l.now + op.Poll.Milliseconds(), Out: &op.Body, Carrier: p, Deliveries: p.pop.Deliveries[:0],
	}
	return backend.Fault{}
}

var outcomes = [...]backend.PopOutcome{
	broker.PopFound: backend.PopFound, broker.PopNone: backend.PopNone, broker.PopFull: backend.PopFull,
}

// OnTurn brings the answer home, on the client's turn.
func (p *popCall) OnTurn(now time.Time) {
	op := p.op
	op.Outcome = outcomes[p.pop.Outcome]
	for i := range p.pop.Deliveries {
		p.deliver(&p.pop.Deliveries[i])
	}
	p.pop = broker.Pop{Deliveries: p.pop.Deliveries[:0]}
	op.Then.OnTurn(now)
}

func (p *popCall) deliver(d *broker.Delivery) {
	l, op := p.local, p.op
	m := op.NextMessage()
	l.fillRecord(&m.Record, d)
	h := handle.Handle{
		StartOffset: d.Offset, RetrieveTime: d.PopTime, InvisibleTime: op.Invisible.Milliseconds(),
		TopicMark: handle.MarkNormal, Broker: bytesOf(l.config.BrokerName), QueueID: d.Queue, Offset: d.Offset,
		CommitLogOffset: int64(d.Sequence),
	}
	if op.FIFO {
		h.ReviveQueueID = handle.ReviveQueueOrder
	}
	m.HandleFrom = len(op.Handles)
	op.Handles = handle.Append(op.Handles, &h)
	m.HandleTo = len(op.Handles)
}

// fillRecord tells of a delivery in the words of a stored record.
func (l *Local) fillRecord(r *message.Record, d *broker.Delivery) {
	r.QueueID, r.QueueOffset, r.PhysicalOffset = d.Queue, d.Offset, int64(d.Sequence)
	r.SysFlag, r.ReconsumeTimes = d.SysFlag, d.ReconsumeTimes
	r.BornTimestamp, r.StoreTimestamp = d.Born, d.Stored
	r.StoreHost = message.Host{IP: l.config.StoreHost.Addr(), Port: int32(l.config.StoreHost.Port())}
	r.BornHost = r.StoreHost // the client's own is among the properties
	r.Properties, r.BodyOffset, r.BodyLen = d.Properties, d.BodyOffset, d.BodyLen
}
