package cluster

import (
	"time"
	"unsafe"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting"
	"rocketmq-proxy/server/backend"
)

// unsafeBytes borrows the bytes of s, which must not be written.
func unsafeBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// withRoute runs then with the route of a topic, at once when it is known.
func (c *Cluster) withRoute(topic string, then func(*route, backend.Fault)) {
	now := time.Now()
	if r := c.route([]byte(topic), now); r != nil {
		then(r, backend.Fault{})
		return
	}
	c.loadTopic(topic, now, then)
}

// withMaster runs then with the master of the broker that a receipt handle names; nil when
// there is none. Brokers register a topic with their own name: it leads to their address.
func (c *Cluster) withMaster(broker []byte, then func(*peer, backend.Fault)) {
	if p := c.masters.Get(broker); p != nil {
		then(p, backend.Fault{})
		return
	}
	name := string(broker)
	c.withRoute(name, func(_ *route, f backend.Fault) { then(c.masters.Get([]byte(name)), f) })
}

// deliveryCall is an Ack or a ChangeInvisible on its way to a broker: exactly one of ack and
// change is set.
type deliveryCall struct {
	call     remoting.Call
	lane     *lane
	delivery *backend.Delivery
	ack      *backend.Ack
	change   *backend.ChangeInvisible
	topic    []byte // the real one; its memory is reused
}

// Ack implements backend.Backend.
func (c *Cluster) Ack(op *backend.Ack, _ time.Time) {
	call := carrier[deliveryCall](&op.Carrier)
	call.ack = op
	c.deliver(call, &op.Exchange, &op.Delivery)
}

// ChangeInvisible implements backend.Backend.
func (c *Cluster) ChangeInvisible(op *backend.ChangeInvisible, _ time.Time) {
	call := carrier[deliveryCall](&op.Carrier)
	call.change = op
	c.deliver(call, &op.Exchange, &op.Delivery)
}

// deliver sends the call to the broker that the handle names.
func (c *Cluster) deliver(call *deliveryCall, x *backend.Exchange, d *backend.Delivery) {
	call.call = remoting.Call{Request: call, Deadline: x.Deadline}
	call.delivery = d
	call.topic = handle.AppendRealTopic(call.topic[:0], d.Handle.TopicMark, d.Group, d.Topic)
	if p := c.masters.Get(d.Handle.Broker); p != nil {
		call.lane = p.lane(ackLane)
		x.Home.Forward(call.lane.turn, call)
		return
	}
	c.withMaster(d.Handle.Broker, func(p *peer, f backend.Fault) {
		if p == nil {
			call.reset()
			x.End(noMaster(f, backend.BadHandle, d.Handle.Broker))
			return
		}
		call.lane = p.lane(ackLane)
		call.lane.turn.Post(call)
	})
}

// noMaster is why there is no master of a broker that a handle names: f, or else that nobody knows
// the broker, which is a fault of this kind.
func noMaster(f backend.Fault, kind backend.Kind, broker []byte) backend.Fault {
	if !f.OK() {
		return f
	}
	return backend.Fault{Kind: kind, Text: "cannot find broker " + string(broker)}
}

// reset makes d ready for the operation's next use.
func (d *deliveryCall) reset() { *d = deliveryCall{topic: d.topic[:0]} }

// OnTurn puts the call on its lane.
func (d *deliveryCall) OnTurn(now time.Time) { d.lane.line.Call(now, &d.call) }

// deliveryHeadBytes is what the head of an ack or a change takes beside its names, generously.
const deliveryHeadBytes = 384

// AppendFrame implements remoting.Request.
func (d *deliveryCall) AppendFrame(out *pool.Chain, opaque int32) {
	v := d.delivery
	dst := out.Reserve(deliveryHeadBytes + len(v.Group) + len(d.topic) + len(v.HandleText) + len(v.LiteTopic))
	if d.ack != nil {
		out.Commit(command.AppendAck(dst, opaque, &command.AckMessage{
			ConsumerGroup: v.Group, Topic: d.topic, ExtraInfo: v.HandleText, LiteTopic: optional(v.LiteTopic),
			Offset: v.Handle.Offset, QueueID: v.Handle.QueueID,
		}, 0))
		return
	}
	out.Commit(command.AppendChangeInvisible(dst, opaque, &command.ChangeInvisible{
		ConsumerGroup: v.Group, Topic: d.topic, ExtraInfo: v.HandleText, LiteTopic: optional(v.LiteTopic),
		Offset: v.Handle.Offset, QueueID: v.Handle.QueueID,
		InvisibleTime: d.change.Invisible.Milliseconds(), Suspend: d.change.Suspend,
	}, 0))
}

// optional is nil, which is not written, for an empty value.
func optional(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

// Done implements remoting.Request.
func (d *deliveryCall) Done(reply *remoting.Reply, err error) {
	from := d.lane.turn
	var x *backend.Exchange
	if d.ack != nil {
		x = &d.ack.Exchange
		d.ack.Known = succeeded(reply, err)
	} else {
		x = &d.change.Exchange
		d.changed(reply, err)
	}
	if err != nil {
		x.Fault = callFault(err)
	}
	d.reset()
	x.Reply(from)
}

func succeeded(reply *remoting.Reply, err error) bool {
	return err == nil && reply.Head.Code == int32(command.ResponseSuccess)
}

// changed makes the new handle: the message now is a delivery of its own, that began at its
// own offset.
func (d *deliveryCall) changed(reply *remoting.Reply, err error) {
	op := d.change
	op.Known = succeeded(reply, err)
	if !op.Known {
		return
	}
	answer, bad := command.ParseChangeInvisibleResponse(reply.Head)
	if bad != nil {
		op.Fault = callFault(bad)
		return
	}
	fresh := op.Handle
	fresh.StartOffset = op.Handle.Offset
	fresh.RetrieveTime, fresh.InvisibleTime = answer.PopTime, answer.InvisibleTime
	fresh.ReviveQueueID = answer.ReviveQueueID
	op.NewHandle = handle.Append(op.NewHandle[:0], &fresh)
}
