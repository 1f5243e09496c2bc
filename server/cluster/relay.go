package cluster

import (
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting"
	"rocketmq-proxy/server/backend"
)

// requested hears what a broker asks, on the turn of the lane. Head and body are borrowed.
func (c *Cluster) requested(l *lane, head *command.Head, body *pool.Chain) {
	if c.clients == nil {
		return
	}
	switch command.RequestCode(head.Code) {
	case command.RequestCheckTransaction:
		c.checked(l.peer, head, body)
	case command.RequestNotifyUnsubscribeLite:
		c.unsubscribed(l.peer, head)
	case command.RequestGetConsumerRunningInfo:
		c.runningInfo(l, head)
	case command.RequestConsumeDirectly:
		c.consumeDirectly(l, head, body)
	}
}

// relayed is what an operator asks a client through a broker, and where the answer goes: to the
// connection that the question came on, because only its other end knows the number.
type relayed struct {
	lane   *lane
	conn   *remoting.Conn
	opaque int32
}

func (c *Cluster) relayed(l *lane, head *command.Head) relayed {
	return relayed{lane: l, conn: l.line.Conn(), opaque: head.Opaque}
}

// respond answers, on the lane's turn.
func (r *relayed) respond(code command.ResponseCode, remark string, body []byte) {
	if r.lane.line.Conn() != r.conn {
		return // the broker asks again, or nobody does
	}
	var chain pool.Chain
	if len(body) > 0 {
		chain.Append(pool.Static(body))
	}
	r.conn.Respond(r.opaque, int32(code), remark, nil, &chain)
}

// refuse answers what did not go well (gRPC specification 5.3).
func (r *relayed) refuse(f backend.Fault) {
	code := command.ResponseSystemError
	switch f.Kind {
	case backend.Timeout, backend.Busy:
		code = command.ResponseSystemBusy
	case backend.NotSupported:
		code = command.ResponseNoPermission
	}
	r.respond(code, f.Text, nil)
}

// question reads whom an operator asks; what cannot be read is answered.
func (r *relayed) question(head *command.Head) (q command.ConsumerQuestion, valid bool) {
	q, err := command.ParseConsumerQuestion(head)
	if err != nil {
		r.respond(command.ResponseSystemError, err.Error(), nil)
	}
	return q, err == nil
}

// infoRelay is a question what a consumer is doing.
type infoRelay struct {
	relayed
	op backend.RunningInfo
}

func (c *Cluster) runningInfo(l *lane, head *command.Head) {
	r := &infoRelay{relayed: c.relayed(l, head)}
	q, valid := r.question(head)
	if !valid {
		return
	}
	r.op = backend.RunningInfo{Group: string(q.ConsumerGroup), ClientID: string(q.ClientID), Stack: q.Stack}
	r.op.Exchange = backend.Exchange{Home: l.turn, Then: r}
	c.clients.RunningInfo(&r.op)
}

// consumeTypes puts the way in which a consumer receives into the brokers' words.
var consumeTypes = map[bool]string{true: "CONSUME_PASSIVELY", false: "CONSUME_ACTIVELY"}

// OnTurn answers the broker.
func (r *infoRelay) OnTurn(time.Time) {
	op := &r.op
	if !op.Fault.OK() {
		r.refuse(op.Fault)
		return
	}
	info := command.RunningInfo{
		Stack: op.Threads, Subscriptions: []command.Subscription{},
		Properties: map[string]string{
			command.PropertyConsumeType: consumeTypes[op.Pushes], command.PropertyOrderly: booleans[op.Orderly],
			command.PropertyClientVersion: op.Version,
		},
	}
	for _, s := range op.Subscriptions {
		info.Subscriptions = append(info.Subscriptions, subscriptionData(s))
	}
	r.respond(command.ResponseSuccess, "", command.AppendRunningInfoBody(nil, &info))
}

var booleans = map[bool]string{true: "true", false: "false"}

// subscriptionData puts a subscription into the brokers' words.
func subscriptionData(s backend.Subscription) command.Subscription {
	data := command.Subscription{Topic: s.Topic, Expression: s.Expression, ExpressionType: "TAG"}
	switch {
	case s.SQL:
		data.ExpressionType = "SQL92"
	case s.Expression == "":
		data.Expression = "*"
	}
	for _, tag := range s.Tags() {
		data.Tags = append(data.Tags, tag)
		data.TagHashes = append(data.TagHashes, message.HashCode(tag))
	}
	return data
}

// consumeRelay is a message that a consumer is to work on.
type consumeRelay struct {
	relayed
	op    backend.ConsumeDirectly
	begun time.Time
}

func (c *Cluster) consumeDirectly(l *lane, head *command.Head, body *pool.Chain) {
	r := &consumeRelay{relayed: c.relayed(l, head), begun: time.Now()}
	q, valid := r.question(head)
	if !valid {
		return
	}
	r.op = backend.ConsumeDirectly{Group: string(q.ConsumerGroup), ClientID: string(q.ClientID)}
	r.op.Exchange = backend.Exchange{Home: l.turn, Then: r}
	r.op.Body.AppendChain(body)
	records := message.NewReader(&r.op.Body)
	if !records.Next(&r.op.Record) {
		r.op.Body.Release()
		r.respond(command.ResponseSystemError, "the body is not a stored message", nil)
		return
	}
	c.clients.ConsumeDirectly(&r.op)
}

// consumeResults puts what became of the message into the brokers' words.
var consumeResults = [...]string{
	backend.ConsumedWell:      "CR_SUCCESS",
	backend.ConsumedLater:     "CR_LATER",
	backend.ConsumedCorrupted: "CR_RETURN_NULL",
	backend.ConsumedFailed:    "CR_THROW_EXCEPTION",
}

// OnTurn answers the broker.
func (r *consumeRelay) OnTurn(now time.Time) {
	if !r.op.Fault.OK() {
		r.refuse(r.op.Fault)
		return
	}
	r.respond(command.ResponseSuccess, "", command.AppendConsumeDirectlyBody(nil, &command.ConsumeDirectly{
		AutoCommit: true, Result: consumeResults[r.op.Outcome], Remark: r.op.Remark, SpentMs: now.Sub(r.begun).Milliseconds(),
	}))
}
