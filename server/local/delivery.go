package local

import (
	"time"

	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/local/broker"
)

// deliveryCall is an operation on a delivery on its way to the broker's turn: exactly one of
// ack, change and dead is set.
type deliveryCall struct {
	local  *Local
	ack    *backend.Ack
	change *backend.ChangeInvisible
	dead   *backend.DeadLetter
}

// Ack implements backend.Backend.
func (l *Local) Ack(op *backend.Ack, _ time.Time) {
	d := carrier[deliveryCall](&op.Carrier)
	*d = deliveryCall{local: l, ack: op}
	op.Home.Forward(l.turn, d)
}

// ChangeInvisible implements backend.Backend.
func (l *Local) ChangeInvisible(op *backend.ChangeInvisible, _ time.Time) {
	d := carrier[deliveryCall](&op.Carrier)
	*d = deliveryCall{local: l, change: op}
	op.Home.Forward(l.turn, d)
}

// DeadLetter implements backend.Backend.
func (l *Local) DeadLetter(op *backend.DeadLetter, _ time.Time) {
	op.Home.Forward(l.turn, &deliveryCall{local: l, dead: op})
}

// OnTurn does the operation.
func (d *deliveryCall) OnTurn(time.Time) {
	l := d.local
	x, delivery := d.parts()
	switch {
	case l.failed != nil:
		x.Fault = l.fault()
	case string(delivery.Handle.Broker) != l.config.BrokerName:
		x.Fault = backend.Fault{Kind: backend.BadHandle, Text: "cannot find broker " + string(delivery.Handle.Broker)}
	default:
		d.run(receiptOf(delivery))
		l.after(x)
		return
	}
	x.Reply(l.turn)
}

func (d *deliveryCall) parts() (*backend.Exchange, *backend.Delivery) {
	switch {
	case d.ack != nil:
		return &d.ack.Exchange, &d.ack.Delivery
	case d.change != nil:
		return &d.change.Exchange, &d.change.Delivery
	}
	return &d.dead.Exchange, &d.dead.Delivery
}

// receiptOf borrows the delivery's names: the broker looks up with them and keeps none.
func receiptOf(d *backend.Delivery) broker.Receipt {
	return broker.Receipt{
		Group: textOf(d.Group), Topic: textOf(d.Topic), LiteTopic: textOf(d.LiteTopic),
		Queue: d.Handle.QueueID, Offset: d.Handle.Offset, PopTime: d.Handle.RetrieveTime,
		Sequence: uint64(max(d.Handle.CommitLogOffset, 0)), // a handle without one says nothing
	}
}

func (d *deliveryCall) run(r broker.Receipt) {
	l := d.local
	switch {
	case d.ack != nil:
		d.ack.Known = l.broker.Ack(&r)
	case d.change != nil:
		d.changeInvisible(&r)
	default:
		found, err := l.broker.DeadLetter(&r, l.now)
		switch {
		case err != nil:
			d.dead.Fault = internal(err)
		case !found:
			d.dead.Fault = backend.Fault{Kind: backend.Internal, Text: "the message is no longer there"}
		}
	}
}

func (d *deliveryCall) changeInvisible(r *broker.Receipt) {
	op, l := d.change, d.local
	var popTime int64
	popTime, op.Known = l.broker.ChangeInvisible(r, op.Invisible.Milliseconds(), op.Suspend, l.now)
	if !op.Known {
		return
	}
	fresh := op.Handle
	fresh.StartOffset, fresh.RetrieveTime, fresh.InvisibleTime = op.Handle.Offset, popTime, op.Invisible.Milliseconds()
	op.NewHandle = handle.Append(op.NewHandle[:0], &fresh)
}
