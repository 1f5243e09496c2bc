package cluster

import (
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting"
	"rocketmq-proxy/server/backend"
)

// recallCall is a Recall on its way to the broker that its handle names.
type recallCall struct {
	call    remoting.Call
	lane    *lane
	op      *backend.Recall
	request command.RecallMessage
}

// Recall implements backend.Backend. The broker holds the handle against the topic and the time.
func (c *Cluster) Recall(op *backend.Recall, _ time.Time) {
	r := &recallCall{op: op, request: command.RecallMessage{Topic: string(op.Topic), RecallHandle: string(op.Text)}}
	r.call = remoting.Call{Request: r, Deadline: op.Deadline}
	c.withMaster(op.Handle.Broker, func(p *peer, f backend.Fault) {
		if p == nil {
			op.End(noMaster(f, backend.BadBroker, op.Handle.Broker))
			return
		}
		r.lane = p.lane(metadataLane)
		r.lane.turn.Post(r)
	})
}

// OnTurn puts the call on its lane.
func (r *recallCall) OnTurn(now time.Time) { r.lane.line.Call(now, &r.call) }

// AppendFrame implements remoting.Request.
func (r *recallCall) AppendFrame(out *pool.Chain, opaque int32) {
	reserve := 256 + len(r.request.Topic) + len(r.request.RecallHandle)
	out.Commit(command.AppendRecall(out.Reserve(reserve), opaque, &r.request, 0))
}

// Done implements remoting.Request.
func (r *recallCall) Done(reply *remoting.Reply, err error) {
	op := r.op
	switch {
	case err != nil:
		op.Fault = callFault(err)
	case reply.Head.Code != int32(command.ResponseSuccess):
		op.Fault = brokerFault(reply.Head)
	default:
		answer, bad := command.ParseRecallResponse(reply.Head)
		if bad != nil {
			op.Fault = callFault(bad)
		}
		op.MessageID = append(op.MessageID[:0], answer.MsgID...)
	}
	op.Reply(r.lane.turn)
}
