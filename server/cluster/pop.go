package cluster

import (
	"strconv"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting"
	"rocketmq-proxy/server/backend"
)

// popCall is a Pop on its way to a broker, and its answer on the way home: the records are
// read on the client's turn, because a lane serves many clients.
type popCall struct {
	call    remoting.Call
	lane    *lane
	op      *backend.Pop
	route   *route
	broker  string
	born    int64 // ms since 1970
	request command.PopMessage
	answer  command.PopResponse // its info strings are copies in text
	text    []byte              // its memory is reused, and that of info
	info    command.PopInfo
}

// The types of a filter expression.
var (
	expressionTag = []byte("TAG")
	expressionSQL = []byte("SQL92")
)

// Pop implements backend.Backend.
func (c *Cluster) Pop(op *backend.Pop, now time.Time) {
	r := routeOf(op.Topic)
	broker, ok := r.readBroker(op.Broker)
	if !ok {
		op.End(backend.Fault{Kind: backend.NoReadableQueue, Text: "no readable queue"})
		return
	}
	p := carrier[popCall](&op.Carrier)
	p.op, p.route, p.broker, p.lane = op, r, broker.name, broker.peer.lane(popLane)
	p.born = now.UnixMilli()
	p.call = remoting.Call{Request: p, Deadline: op.Deadline}
	p.request = command.PopMessage{
		ConsumerGroup: op.Group, Topic: unsafeBytes(op.Topic.Name), QueueID: -1,
		MaxMsgNums:    int32(min(op.MessagesMax, command.PopMessagesMax)),
		InvisibleTime: op.Invisible.Milliseconds(), PollTime: op.Poll.Milliseconds(),
		InitMode: command.PopInitMax, ExpressionType: expressionTag, Expression: op.Expression,
		Order: op.FIFO, AttemptID: op.AttemptID,
	}
	if op.SQL {
		p.request.ExpressionType = expressionSQL
	}
	op.Home.Forward(p.lane.turn, p)
}

// OnTurn puts the call on its lane.
func (p *popCall) OnTurn(now time.Time) { p.lane.line.Call(now, &p.call) }

// popHeadBytes is what the head of a pop takes beside its names, generously.
const popHeadBytes = 512

// AppendFrame implements remoting.Request.
func (p *popCall) AppendFrame(out *pool.Chain, opaque int32) {
	r := &p.request
	reserve := popHeadBytes + len(r.ConsumerGroup) + len(r.Topic) + len(r.Expression) + len(r.AttemptID)
	if p.op.Lite {
		lite := p.popLite()
		out.Commit(command.AppendPopLite(out.Reserve(reserve+len(lite.ClientID)), opaque, &lite, 0))
		return
	}
	out.Commit(command.AppendPop(out.Reserve(reserve), opaque, r, 0))
}

// Done implements remoting.Request.
func (p *popCall) Done(reply *remoting.Reply, err error) {
	op := p.op
	switch {
	case err != nil:
		p.route.doubt()
		op.Fault = callFault(err)
	default:
		p.answered(reply)
	}
	p.lane.turn.Forward(op.Home, (*popReturn)(p))
}

func (p *popCall) answered(reply *remoting.Reply) {
	op, code := p.op, command.ResponseCode(reply.Head.Code)
	switch code {
	case command.ResponseSuccess:
		op.Outcome = backend.PopFound
		op.Body.AppendChain(&reply.Body)
		p.keep(reply.Head)
	case command.ResponsePullNotFound, command.ResponsePollingTimeout:
		op.Outcome = backend.PopNone
	case command.ResponsePollingFull:
		op.Outcome = backend.PopFull
	default:
		if stale(code) {
			p.route.doubt()
		}
		op.Fault = brokerFault(reply.Head)
	}
}

// keep copies what the head says about the records, which outlive it.
func (p *popCall) keep(head *command.Head) {
	if p.op.Lite {
		p.keepLite(head)
		return
	}
	answer, err := command.ParsePopResponse(head)
	if err != nil {
		p.op.Fault = callFault(err)
		return
	}
	p.text = append(p.text[:0], answer.StartOffsetInfo...)
	starts := len(p.text)
	p.text = append(p.text, answer.MsgOffsetInfo...)
	offsets := len(p.text)
	p.text = append(p.text, answer.OrderCountInfo...)
	answer.StartOffsetInfo, answer.MsgOffsetInfo, answer.OrderCountInfo = p.text[:starts], p.text[starts:offsets], p.text[offsets:]
	p.answer = answer
}

// popReturn is the event of an answer that has come home.
type popReturn popCall

// OnTurn reads the records and hands the operation back.
func (ret *popReturn) OnTurn(now time.Time) {
	p := (*popCall)(ret)
	op := p.op
	if op.Fault.OK() && op.Outcome == backend.PopFound {
		p.readRecords()
	}
	*p = popCall{text: p.text[:0], info: p.info}
	op.Then.OnTurn(now)
}

// readRecords fills op.Messages. A broken record ends the list: what came before it is good,
// and the broker delivers the rest again.
func (p *popCall) readRecords() {
	op := p.op
	if !op.Lite {
		if err := p.info.Parse(&p.answer); err != nil {
			op.Fault = callFault(err)
			return
		}
	}
	records := message.NewReader(&op.Body)
	for {
		m := op.NextMessage()
		if !records.Next(&m.Record) {
			op.Messages = op.Messages[:len(op.Messages)-1]
			break
		}
		if op.Lite {
			p.finishLite(m)
		} else {
			p.finish(m)
		}
	}
	if err := records.Err(); err != nil && len(op.Messages) == 0 {
		op.Fault = callFault(err)
	}
	if len(op.Messages) == 0 {
		op.Outcome = backend.PopNone
	}
}

// finish gives a delivery its receipt handle and, in a FIFO group, its number of attempts.
// Remoting specification 4.3.
func (p *popCall) finish(m *backend.Popped) {
	op := p.op
	mark := handle.MarkOf(m.Topic)
	if op.FIFO {
		if count := p.info.OrderCount(mark, m.QueueID, m.QueueOffset); count > 0 {
			m.ReconsumeTimes = count
		}
	}
	m.HandleFrom = len(op.Handles)
	if given := message.Property(m.Properties, message.NamePopCK); given != nil {
		op.Handles = append(append(op.Handles, given...), ' ')
		op.Handles = strconv.AppendInt(op.Handles, m.PhysicalOffset, 10)
	} else {
		start := m.QueueOffset
		if q := p.info.Queue(mark, m.QueueID); q != nil && q.StartOffset != command.PopStartAbsent {
			start = q.StartOffset
		}
		op.Handles = handle.Append(op.Handles, &handle.Handle{
			StartOffset: start, RetrieveTime: p.answer.PopTime, InvisibleTime: p.answer.InvisibleTime,
			ReviveQueueID: p.answer.ReviveQueueID, TopicMark: mark, Broker: unsafeBytes(p.broker),
			QueueID: m.QueueID, Offset: m.QueueOffset, CommitLogOffset: m.PhysicalOffset,
		})
	}
	m.HandleTo = len(op.Handles)
}
