package cluster

import (
	"bytes"
	"strconv"
	"sync"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/server/backend"
)

// liteActions puts the contract's words into the brokers'.
var liteActions = [backend.LiteActions]string{
	backend.LiteAdd:       "PARTIAL_ADD",
	backend.LiteRemove:    "PARTIAL_REMOVE",
	backend.LiteReplace:   "COMPLETE_ADD",
	backend.LiteRemoveAll: "COMPLETE_REMOVE",
}

// liteStarts is the same for where a group begins; the zero value is not told.
var liteStarts = [...]command.LiteOffset{
	backend.LiteStartLast:      {Type: "POLICY", Value: 0},
	backend.LiteStartMin:       {Type: "POLICY", Value: 1},
	backend.LiteStartMax:       {Type: "POLICY", Value: 2},
	backend.LiteStartOffset:    {Type: "OFFSET"},
	backend.LiteStartTail:      {Type: "TAIL_N"},
	backend.LiteStartTimestamp: {Type: "TIMESTAMP"},
}

func liteOffset(s backend.LiteStart) *command.LiteOffset {
	if s.Kind == backend.LiteStartDefault {
		return nil
	}
	told := liteStarts[s.Kind]
	if told.Type != "POLICY" {
		told.Value = s.Value
	}
	return &told
}

// SyncLite implements backend.Backend: every broker that the topic can be read from is told,
// and all of them must agree. They are told on the lane that their requests are heard on,
// because that is where they say that a lite topic is gone.
func (c *Cluster) SyncLite(op *backend.SyncLite, _ time.Time) {
	c.withRoute(op.Topic, func(r *route, f backend.Fault) {
		switch {
		case r == nil:
			op.End(f)
		case !r.Exists:
			op.End(answerFault(command.ResponseTopicNotExist, "No topic route info in name server for the topic: "+op.Topic))
		case len(r.readable) == 0:
			op.End(backend.Fault{Kind: backend.NoReadableQueue, Text: "no readable queue"})
		default:
			c.syncLite(op, r)
		}
	})
}

func (c *Cluster) syncLite(op *backend.SyncLite, r *route) {
	body := command.AppendLiteSubscriptionBody(nil, &command.LiteSubscriptions{Subscriptions: []command.LiteSubscription{{
		Action: liteActions[op.Action], ClientID: op.ClientID, Group: op.Group, LiteTopics: append([]string{}, op.LiteTopics...),
		OffsetStart: liteOffset(op.Start), Topic: op.Topic, Version: op.Version,
	}}})
	encode := func(dst []byte, opaque int32) []byte {
		return append(command.AppendLiteSubscription(dst, opaque, len(body)), body...)
	}
	all := &liteAnswers{op: op, left: len(r.readable)}
	for i := range r.readable {
		p := c.masters.Get([]byte(r.readable[i].name))
		if p == nil {
			p = r.readable[i].peer
		}
		ask(p.lane(clientLane), c.config.CallTimeout, encode, all.came)
	}
}

// liteAnswers gathers the answers of all brokers, each on its lane's turn.
type liteAnswers struct {
	op *backend.SyncLite

	mu    sync.Mutex
	left  int
	fault backend.Fault // the first
}

func (l *liteAnswers) came(code command.ResponseCode, remark string, _ []byte, err error) {
	f := backend.Fault{}
	switch {
	case err != nil:
		f = callFault(err)
	case code != command.ResponseSuccess:
		f = answerFault(code, remark)
	}
	l.mu.Lock()
	if l.fault.OK() {
		l.fault = f
	}
	l.left--
	last, f := l.left == 0, l.fault
	l.mu.Unlock()
	if last {
		l.op.End(f)
	}
}

// unsubscribed passes on that a client no longer has a lite topic.
func (c *Cluster) unsubscribed(p *peer, head *command.Head) {
	told, err := command.ParseNotifyUnsubscribeLite(head)
	if err != nil {
		c.report("bad notification of a lite topic", p.addr, err)
		return
	}
	c.clients.Unsubscribed(string(told.ClientID), string(told.ConsumerGroup), string(told.LiteTopic))
}

// popLite is the request of a pop from lite topics.
func (p *popCall) popLite() command.PopLite {
	r := &p.request
	return command.PopLite{
		ClientID: p.op.ClientID, ConsumerGroup: r.ConsumerGroup, Topic: r.Topic, AttemptID: r.AttemptID,
		InvisibleTime: r.InvisibleTime, PollTime: r.PollTime, BornTime: p.born, MaxMsgNum: r.MaxMsgNums,
	}
}

// keepLite copies what the head says about the records, which outlive it.
func (p *popCall) keepLite(head *command.Head) {
	answer, err := command.ParsePopLiteResponse(head)
	if err != nil {
		p.op.Fault = callFault(err)
		return
	}
	p.text = append(p.text[:0], answer.OrderCountInfo...)
	p.answer = command.PopResponse{
		PopTime: answer.PopTime, InvisibleTime: answer.InvisibleTime, ReviveQueueID: answer.ReviveQueueID, OrderCountInfo: p.text,
	}
}

// finishLite gives a delivery of a lite topic its handle: its place is the one in the lite
// topic, and there is one count for each message, in their order.
func (p *popCall) finishLite(m *backend.Popped) {
	op := p.op
	count, rest, _ := bytes.Cut(p.answer.OrderCountInfo, semicolon)
	p.answer.OrderCountInfo = rest
	if n, err := strconv.ParseInt(string(count), 10, 32); err == nil && n >= 0 {
		m.ReconsumeTimes = int32(n)
	}
	offset, _, _ := bytes.Cut(message.Property(m.Properties, message.NameMultiQueueOffset), comma)
	if n, err := strconv.ParseInt(string(offset), 10, 64); err == nil {
		m.QueueOffset = n
	}
	m.QueueID = 0
	m.HandleFrom = len(op.Handles)
	op.Handles = handle.Append(op.Handles, &handle.Handle{
		RetrieveTime: p.answer.PopTime, InvisibleTime: p.answer.InvisibleTime, ReviveQueueID: p.answer.ReviveQueueID,
		TopicMark: handle.MarkNormal, Broker: unsafeBytes(p.broker), Offset: m.QueueOffset, CommitLogOffset: m.PhysicalOffset,
	})
	m.HandleTo = len(op.Handles)
}

var semicolon, comma = []byte(";"), []byte(",")
