package cluster

import (
	"errors"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting"
	"rocketmq-proxy/server/backend"
)

// pullCall is a Pull on its way to a broker, as often as it takes, and its answer on the way
// home:
//
//	     ┌── nothing that matches: look on behind it ──┐
//	     ▼                                             │
//	Pull: look ── the end of the queue, time left ──► wait ── until: nothing ──► home
//	     └── found, or outside the queue ──────────────┴───────────────────────► home
//
// A broker holds a pull that may wait for up to 5 s longer than it was asked, so the wait is
// ended here; that the broker answers at all is known from the look before it. What it holds
// then is answered later, to nobody.
type pullCall struct {
	call    remoting.Call
	lane    *lane
	op      *backend.Pull
	route   *route
	timeout time.Duration // of one look
	until   time.Time     // the end of the wait
	again   bool          // it was answered before
	waits   bool          // the end of the queue is reached: the broker may hold the next call
	request command.PullMessage
}

// Pull implements backend.Backend.
func (c *Cluster) Pull(op *backend.Pull, now time.Time) {
	r := routeOf(op.Topic)
	broker, f := r.readQueue(&op.Queue)
	if !f.OK() {
		op.End(f)
		return
	}
	p := carrier[pullCall](&op.Carrier)
	*p = pullCall{op: op, route: r, lane: broker.peer.lane(popLane), timeout: c.config.CallTimeout, until: now.Add(op.Poll)}
	p.request = command.PullMessage{
		ConsumerGroup: op.Group, Topic: unsafeBytes(op.Topic.Name), QueueID: op.ID, MaxMsgNums: int32(op.MessagesMax),
		ExpressionType: expressionTag, Expression: op.Expression,
	}
	op.Next = op.Offset
	if op.SQL {
		p.request.ExpressionType = expressionSQL
		c.understand(p, broker.peer)
		return
	}
	op.Home.Forward(p.lane.turn, p)
}

// OnTurn puts the next call on the lane.
func (p *pullCall) OnTurn(now time.Time) {
	op := p.op
	if p.again && !now.Before(p.until) {
		op.Outcome = backend.PullNone
		p.home()
		return
	}
	deadline := now.Add(p.timeout)
	if op.Deadline.Before(deadline) {
		deadline = op.Deadline
	}
	p.request.QueueOffset, p.request.SuspendTimeout = op.Next, 0
	if p.waits {
		deadline = p.until
		p.request.SuspendTimeout = max(p.until.Sub(now).Milliseconds(), 1)
	}
	p.call = remoting.Call{Request: p, Deadline: deadline, Lapses: p.waits}
	p.lane.line.Call(now, &p.call)
}

// pullHeadBytes is what the head of a pull takes beside its names, generously.
const pullHeadBytes = 384

// AppendFrame implements remoting.Request.
func (p *pullCall) AppendFrame(out *pool.Chain, opaque int32) {
	r := &p.request
	reserve := pullHeadBytes + len(r.ConsumerGroup) + len(r.Topic) + len(r.Expression)
	out.Commit(command.AppendPull(out.Reserve(reserve), opaque, r, 0))
}

// Done implements remoting.Request.
func (p *pullCall) Done(reply *remoting.Reply, err error) {
	switch {
	case lapsed(err):
		p.op.Outcome = backend.PullNone
	case err != nil:
		p.route.doubt()
		p.op.Fault = callFault(err)
	case p.answered(reply):
		p.again = true
		p.lane.turn.Post(p)
		return
	}
	p.home()
}

// lapsed tells that a wait has come to its end.
func lapsed(err error) bool {
	call, is := errors.AsType[*remoting.CallError](err)
	return is && call.Kind == remoting.Lapsed
}

// answered reads what a broker said, and tells whether it is to be asked again.
func (p *pullCall) answered(reply *remoting.Reply) (again bool) {
	op, code := p.op, command.ResponseCode(reply.Head.Code)
	switch code {
	case command.ResponseSuccess, command.ResponsePullNotFound, command.ResponsePullRetryImmediately, command.ResponsePullOffsetMoved:
		answer, err := command.ParsePullResponse(reply.Head)
		if err != nil {
			op.Fault = callFault(err)
			return false
		}
		return p.found(code, answer.NextBeginOffset, &reply.Body)
	case command.ResponseSubscriptionParseFailed:
		op.Fault = backend.Fault{Kind: backend.BadFilter, Text: string(reply.Head.Remark)}
		return false
	case command.ResponseInvalidParameter: // the queue, all else being sound: the topic has shrunk
		p.route.doubt()
		op.Fault = backend.Fault{Kind: backend.BadQueue, Text: string(reply.Head.Remark)}
		return false
	}
	if stale(code) {
		p.route.doubt()
	}
	op.Fault = brokerFault(reply.Head)
	return false
}

// found takes the answer of a broker that looked into the queue. Looking on is worth it only
// behind what was looked at, and waiting once: who was held and is answered all the same has
// waited long enough.
func (p *pullCall) found(code command.ResponseCode, next int64, body *pool.Chain) (again bool) {
	op := p.op
	before := op.Next
	op.Next = next
	switch code {
	case command.ResponseSuccess:
		op.Outcome = backend.PullFound
		op.Body.AppendChain(body)
	case command.ResponsePullOffsetMoved:
		op.Outcome = backend.PullOutside
	case command.ResponsePullRetryImmediately:
		op.Outcome = backend.PullNone
		p.waits = false
		return op.Poll > 0 && next > before
	default:
		op.Outcome = backend.PullNone
		waited := p.waits
		p.waits = true
		return op.Poll > 0 && !waited
	}
	return false
}

// home sends the operation back to its client's turn. It must be called on the lane's.
func (p *pullCall) home() { p.lane.turn.Forward(p.op.Home, (*pullReturn)(p)) }

// pullReturn is the event of an answer that has come home.
type pullReturn pullCall

// OnTurn reads the records and hands the operation back.
func (ret *pullReturn) OnTurn(now time.Time) {
	p := (*pullCall)(ret)
	op := p.op
	if op.Fault.OK() && op.Outcome == backend.PullFound {
		readPulled(op)
	}
	*p = pullCall{}
	op.Then.OnTurn(now)
}

// readPulled fills op.Messages. A broken record ends the list: what came before it is good, and
// who pulls goes on behind that.
func readPulled(op *backend.Pull) {
	records := message.NewReader(&op.Body)
	for {
		m := op.NextMessage()
		if !records.Next(m) {
			op.Messages = op.Messages[:len(op.Messages)-1]
			break
		}
	}
	n := len(op.Messages)
	switch err := records.Err(); {
	case err != nil && n == 0:
		op.Fault = callFault(err)
	case err != nil:
		op.Next = op.Messages[n-1].QueueOffset + 1
	case n == 0:
		op.Outcome = backend.PullNone
	}
}
