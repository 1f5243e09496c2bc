package cluster

import (
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting"
	"rocketmq-proxy/server/backend"
)

// sendCall is a Send on its way to a broker.
type sendCall struct {
	call    remoting.Call
	lane    *lane
	op      *backend.Send
	route   *route
	broker  string
	began   time.Time // the try that is under way
	tried   brokerSet // that surely did not get it, and the one that is tried now
	request command.SendMessage
}

// Send implements backend.Backend.
func (c *Cluster) Send(op *backend.Send, now time.Time) {
	r := routeOf(op.Topic)
	var queue *writeQueue
	if len(op.Shard) > 0 {
		queue = r.pinnedQueue(op.Shard)
	} else {
		queue = c.nextQueue(r, now, 0)
	}
	if queue == nil {
		op.End(backend.Fault{Kind: backend.NoWritableQueue, Text: "no writable queue"})
		return
	}
	s := carrier[sendCall](&op.Carrier)
	s.op, s.route = op, r
	topic := unsafeBytes(op.Topic.Name)
	first := &op.Messages[0]
	s.request = command.SendMessage{
		ProducerGroup: topic, Topic: topic,
		Properties: first.Properties, BornTimestamp: first.BornTimestamp, SysFlag: first.SysFlag,
		ReconsumeTimes: first.ReconsumeTimes, MaxReconsumeTimes: first.MaxReconsumeTimes,
	}
	s.aim(queue, now)
	op.Home.Forward(s.lane.turn, s)
}

// aim makes the call one to this queue.
func (s *sendCall) aim(queue *writeQueue, now time.Time) {
	s.broker, s.lane = queue.broker, queue.peer.lane(sendLane)
	s.began, s.tried = now, s.tried.with(queue.index)
	s.call = remoting.Call{Request: s, Deadline: s.op.Deadline}
	s.request.QueueID = queue.id
}

// OnTurn puts the call on its lane.
func (s *sendCall) OnTurn(now time.Time) { s.lane.line.Call(now, &s.call) }

// sendHeadBytes is what the head of a send takes beside topic and properties, generously.
const sendHeadBytes = 256

// bodyCopyBytesMax is the largest body that is copied behind its head: many small messages
// then leave as one piece of memory. Larger bodies are shared.
const bodyCopyBytesMax = 512

// AppendFrame implements remoting.Request.
func (s *sendCall) AppendFrame(out *pool.Chain, opaque int32) {
	reserve := sendHeadBytes + 2*len(s.request.Topic) + len(s.request.Properties)
	if len(s.op.Messages) == 1 {
		m := &s.op.Messages[0]
		if m.BodyLen <= bodyCopyBytesMax {
			head := command.AppendSendMessageV2(out.Reserve(reserve+m.BodyLen), opaque, &s.request, m.BodyLen)
			out.Commit(s.op.Payload.AppendRange(head, m.BodyOffset, m.BodyLen))
			return
		}
		out.Commit(command.AppendSendMessageV2(out.Reserve(reserve), opaque, &s.request, m.BodyLen))
		out.Share(&s.op.Payload, m.BodyOffset, m.BodyLen)
		return
	}
	out.Commit(command.AppendSendBatch(out.Reserve(reserve), opaque, &s.request, s.batchBytes()))
	for i := range s.op.Messages {
		m := &s.op.Messages[i]
		// The writer of the properties has refused those that are too long.
		_ = message.AppendBatch(out, 0, &s.op.Payload, m.BodyOffset, m.BodyLen, m.Properties)
	}
}

func (s *sendCall) batchBytes() int {
	n := 0
	for i := range s.op.Messages {
		n += message.BatchOverheadBytes + s.op.Messages[i].BodyLen + len(s.op.Messages[i].Properties)
	}
	return n
}

// Done implements remoting.Request.
func (s *sendCall) Done(reply *remoting.Reply, err error) {
	op := s.op
	s.noted(reply, err)
	if err != nil {
		s.route.doubt()
		if s.elsewhere(err) {
			return
		}
		op.Fault = callFault(err)
	} else {
		s.answered(reply.Head)
	}
	from := s.lane.turn
	*s = sendCall{}
	op.Reply(from)
}

func (s *sendCall) answered(head *command.Head) {
	op, code := s.op, command.ResponseCode(head.Code)
	switch code {
	case command.ResponseSuccess:
		op.Stored = backend.StoreOK
	case command.ResponseFlushDiskTimeout:
		op.Stored = backend.StoreFlushDiskTimeout
	case command.ResponseFlushSlaveTimeout:
		op.Stored = backend.StoreFlushReplicaTimeout
	case command.ResponseSlaveNotAvailable:
		op.Stored = backend.StoreReplicaNotAvailable
	default:
		if stale(code) {
			s.route.doubt()
		}
		op.Fault = brokerFault(head)
		return
	}
	stored, err := command.ParseSendResponse(head)
	if err != nil {
		op.Fault = callFault(err)
		return
	}
	op.Offset = stored.QueueOffset
	op.TransactionID = append(op.TransactionID[:0], stored.TransactionID...)
	op.RecallHandle = append(op.RecallHandle[:0], stored.RecallHandle...)
	if op.Stored == backend.StoreOK {
		s.remember(&stored)
	}
}
