package cluster

import (
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting"
	"rocketmq-proxy/server/backend"
)

// offsetCall is a question about the offsets of a queue, or of a group in it, on its way to the
// broker.
type offsetCall struct {
	call     remoting.Call
	lane     *lane
	route    *route
	exchange *backend.Exchange
	encode   func(dst []byte, opaque int32) []byte
	offset   *int64 // where the answer goes; nil: there is none
}

// UpdateOffset implements backend.Backend. It is the master that keeps the offsets of groups.
func (c *Cluster) UpdateOffset(op *backend.UpdateOffset, _ time.Time) {
	r := routeOf(op.Topic)
	_, f := r.readQueue(&op.Queue)
	master := c.masters.Get(op.Broker)
	switch {
	case !f.OK():
		op.End(f)
	case master == nil:
		op.End(noMaster(backend.Fault{}, backend.BadBroker, op.Broker))
	default:
		consumer := consumerOffset(&op.Queue, op.Group)
		offset := op.Offset
		o := &offsetCall{route: r, exchange: &op.Exchange}
		o.encode = func(dst []byte, opaque int32) []byte {
			return command.AppendUpdateConsumerOffset(dst, opaque, &consumer, offset, 0)
		}
		o.send(master)
	}
}

// GetOffset implements backend.Backend.
func (c *Cluster) GetOffset(op *backend.GetOffset, _ time.Time) {
	consumer := consumerOffset(&op.Queue, op.Group)
	o := &offsetCall{exchange: &op.Exchange, offset: &op.Offset}
	o.encode = func(dst []byte, opaque int32) []byte {
		return command.AppendQueryConsumerOffset(dst, opaque, &consumer, 0)
	}
	o.ask(&op.Queue)
}

// QueryOffset implements backend.Backend.
func (c *Cluster) QueryOffset(op *backend.QueryOffset, _ time.Time) {
	queue := command.QueueOffset{Topic: op.Topic.Name, QueueID: op.ID}
	at, timestamp := op.At, op.Timestamp
	o := &offsetCall{exchange: &op.Exchange, offset: &op.Offset}
	o.encode = func(dst []byte, opaque int32) []byte {
		switch at {
		case backend.AtBeginning:
			return command.AppendGetMinOffset(dst, opaque, &queue, 0)
		case backend.AtEnd:
			return command.AppendGetMaxOffset(dst, opaque, &queue, 0)
		}
		return command.AppendSearchOffset(dst, opaque, &queue, timestamp, 0)
	}
	o.ask(&op.Queue)
}

func consumerOffset(q *backend.Queue, group []byte) command.ConsumerOffset {
	return command.ConsumerOffset{ConsumerGroup: string(group), Topic: q.Topic.Name, QueueID: q.ID}
}

// ask sends the question to the broker that is read from.
func (o *offsetCall) ask(q *backend.Queue) {
	o.route = routeOf(q.Topic)
	broker, f := o.route.readQueue(q)
	if !f.OK() {
		o.exchange.End(f)
		return
	}
	o.send(broker.peer)
}

func (o *offsetCall) send(p *peer) {
	o.lane = p.lane(metadataLane)
	o.call = remoting.Call{Request: o, Deadline: o.exchange.Deadline}
	o.exchange.Home.Forward(o.lane.turn, o)
}

// OnTurn puts the call on its lane.
func (o *offsetCall) OnTurn(now time.Time) { o.lane.line.Call(now, &o.call) }

// AppendFrame implements remoting.Request.
func (o *offsetCall) AppendFrame(out *pool.Chain, opaque int32) {
	out.Commit(o.encode(out.Reserve(512), opaque))
}

// Done implements remoting.Request.
func (o *offsetCall) Done(reply *remoting.Reply, err error) {
	x := o.exchange
	switch {
	case err != nil:
		o.route.doubt()
		x.Fault = callFault(err)
	case reply.Head.Code == int32(command.ResponseQueryNotFound):
		x.Fault = backend.Fault{Kind: backend.OffsetNotFound, Text: string(reply.Head.Remark)}
	case reply.Head.Code != int32(command.ResponseSuccess):
		if stale(command.ResponseCode(reply.Head.Code)) {
			o.route.doubt()
		}
		x.Fault = brokerFault(reply.Head)
	case o.offset != nil:
		if *o.offset, err = command.ParseOffsetResponse(reply.Head); err != nil {
			x.Fault = callFault(err)
		}
	}
	x.Reply(o.lane.turn)
}
