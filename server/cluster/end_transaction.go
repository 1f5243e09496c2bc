package cluster

import (
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting"
	"rocketmq-proxy/server/backend"
)

// remember notes where the half message of a send lies.
func (s *sendCall) remember(stored *command.SendResponse) {
	op := s.op
	if op.Messages[0].SysFlag&message.FlagTransactionMask != message.FlagTransactionPrepared || len(stored.TransactionID) == 0 {
		return
	}
	_, offset, ok := message.ParseOffsetID(stored.MsgID)
	if !ok {
		return
	}
	c, now := s.lane.cluster, time.Now()
	c.halves.put(&transaction{
		key: transactionKey(unsafeBytes(op.Topic.Name), stored.TransactionID), broker: s.broker, peer: s.lane.peer,
		stateOffset: stored.QueueOffset, logOffset: offset, expires: now.Add(c.config.TransactionExpiry),
	}, now, c.config.TransactionsPerKeyMax)
}

// endCall is an EndTransaction on its way to a broker.
type endCall struct {
	call    remoting.Call
	lane    *lane
	op      *backend.EndTransaction
	half    *transaction
	request command.EndTransaction
}

var states = [...]command.TransactionState{
	backend.Undecided: command.TransactionUnknown,
	backend.Commit:    command.TransactionCommit,
	backend.Rollback:  command.TransactionRollback,
}

// EndTransaction implements backend.Backend. Only the proxy that sent the half message, or was
// asked about it, knows where it lies. The broker is told, and does not answer.
func (c *Cluster) EndTransaction(op *backend.EndTransaction, now time.Time) {
	half := c.halves.take(transactionKey(op.Topic, op.TransactionID), now)
	if half == nil {
		op.End(backend.Fault{Kind: backend.TransactionNotFound, Text: "cannot found transaction data"})
		return
	}
	p := c.masters.Get([]byte(half.broker))
	if p == nil {
		p = half.peer
	}
	e := &endCall{op: op, half: half, lane: p.lane(sendLane)}
	e.call = remoting.Call{Request: e, Deadline: op.Deadline, Oneway: true}
	e.request = command.EndTransaction{
		Topic: op.Topic, ProducerGroup: op.Topic, MsgID: op.MessageID, TransactionID: op.TransactionID,
		TranStateTableOffset: half.stateOffset, CommitLogOffset: half.logOffset,
		State: states[op.Verdict], FromCheck: op.FromCheck,
	}
	op.Home.Forward(e.lane.turn, e)
}

// OnTurn puts the call on its lane.
func (e *endCall) OnTurn(now time.Time) { e.lane.line.Call(now, &e.call) }

// endHeadBytes is what the head of an end takes beside its names, generously.
const endHeadBytes = 384

// AppendFrame implements remoting.Request.
func (e *endCall) AppendFrame(out *pool.Chain, opaque int32) {
	r := &e.request
	reserve := endHeadBytes + 2*len(r.Topic) + len(r.MsgID) + len(r.TransactionID)
	out.Commit(command.AppendEndTransaction(out.Reserve(reserve), opaque, r, 0))
}

// Done implements remoting.Request. A broker that could not be told may be told later.
func (e *endCall) Done(_ *remoting.Reply, err error) {
	if err != nil {
		e.op.Fault = callFault(err)
		c, now := e.lane.cluster, time.Now()
		e.half.expires = now.Add(c.config.TransactionExpiry)
		c.halves.put(e.half, now, c.config.TransactionsPerKeyMax)
	}
	e.op.Reply(e.lane.turn)
}
