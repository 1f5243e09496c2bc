package cluster_test

import (
	"errors"
	"testing"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/pool/steady"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/cluster"
	"rocketmq-proxy/server/turn"
)

// memory is a socket to a broker that stores everything at once: at the end of the lane's turn
// it answers every request of that turn.
type memory struct {
	machine cluster.Machine
	turn    *turn.Turn
	out, in pool.Chain
	bytes   []byte
	head    command.Head
	answer  func(dst []byte, head *command.Head) []byte
}

func (m *memory) Close(error) {}

func (m *memory) EndTurn(time.Time) {
	m.machine.Drain(&m.out)
	if m.out.Len() == 0 {
		return
	}
	m.bytes = m.out.AppendTo(m.bytes[:0])
	m.out.Release()
	for b := m.bytes; len(b) > 0; {
		headLen, bodyLen, kind, err := command.SplitFrame(b)
		if err != nil {
			panic(err)
		}
		if err := command.ParseHead(&m.head, kind, b[command.PrefixBytes:][:headLen]); err != nil {
			panic(err)
		}
		m.in.Commit(m.answer(m.in.Reserve(1024), &m.head))
		b = b[command.PrefixBytes+headLen+bodyLen:]
	}
	m.turn.Post((*answered)(m))
}

// answered is the event of answers that have come.
type answered memory

func (m *answered) OnTurn(now time.Time) {
	if err := m.machine.Feed(now, &m.in); err != nil {
		panic(err)
	}
	m.in.Release()
}

var sendAnswer = []command.Field{
	{Key: []byte("msgId"), Value: []byte("0A00000100002A9F00000000000000FF")}, {Key: []byte("queueId"), Value: []byte("0")},
	{Key: []byte("queueOffset"), Value: []byte("7")}, {Key: []byte("transactionId"), Value: []byte("ID0")},
}

var pullAnswer = []command.Field{
	{Key: []byte("nextBeginOffset"), Value: []byte("1")}, {Key: []byte("minOffset"), Value: []byte("0")}, {Key: []byte("maxOffset"), Value: []byte("1")},
}

// One message of queue 0, as pulledRecord is.
var popAnswer = []command.Field{
	{Key: []byte("popTime"), Value: []byte("1795478475107")}, {Key: []byte("invisibleTime"), Value: []byte("30000")},
	{Key: []byte("reviveQid"), Value: []byte("2")}, {Key: []byte("restNum"), Value: []byte("0")},
	{Key: []byte("startOffsetInfo"), Value: []byte("0 0 0")}, {Key: []byte("msgOffsetInfo"), Value: []byte("0 0 0")},
}

var changeAnswer = popAnswer[:3]

var pulledRecord = message.AppendRecord(nil, &message.Record{Topic: []byte("orders")}, []byte("hello"))

// answerOf is what the broker in memory says.
func answerOf(dst []byte, head *command.Head) []byte {
	switch head.Code {
	case int32(command.RequestGetTopicConfig):
		body := command.AppendTopicConfig(nil, &command.TopicConfig{})
		return append(command.AppendResponse(dst, head.Opaque, 0, "", nil, len(body)), body...)
	case int32(command.RequestPopMessage):
		return append(command.AppendResponse(dst, head.Opaque, 0, "FOUND", popAnswer, len(pulledRecord)), pulledRecord...)
	case int32(command.RequestChangeInvisible):
		return command.AppendResponse(dst, head.Opaque, 0, "", changeAnswer, 0)
	case int32(command.RequestPullMessage):
		return append(command.AppendResponse(dst, head.Opaque, 0, "FOUND", pullAnswer, len(pulledRecord)), pulledRecord...)
	}
	return command.AppendResponse(dst, head.Opaque, 0, "", sendAnswer, 0)
}

// roundTrip is a backend operation, from the client's turn to the lane's and home.
type roundTrip struct {
	*cluster.Cluster
	home *turn.Turn
	came chan struct{}

	// one of them
	send   *backend.Send
	ack    *backend.Ack
	pull   *backend.Pull
	pop    *backend.Pop
	change *backend.ChangeInvisible
}

func (r *roundTrip) OnTurn(now time.Time) {
	x := backend.Exchange{Home: r.home, Then: (*cameHome)(r), Deadline: now.Add(patience)}
	switch {
	case r.ack != nil:
		r.ack.Exchange = x
		r.Ack(r.ack, now)
	case r.pull != nil:
		r.pull.Exchange = x
		r.Pull(r.pull, now)
	case r.pop != nil:
		r.pop.Exchange = x
		r.Pop(r.pop, now)
	case r.change != nil:
		r.change.Exchange = x
		r.ChangeInvisible(r.change, now)
	default:
		r.send.Exchange = x
		r.Send(r.send, now)
	}
}

// check panics, because it runs where a test must not end.
func (r *roundTrip) check() {
	switch {
	case r.ack != nil && !r.ack.Known:
		panic(errors.New(r.ack.Fault.Text))
	case r.pull != nil:
		if len(r.pull.Messages) != 1 {
			panic(errors.New(r.pull.Fault.Text))
		}
		r.pull.Body.Release()
		r.pull.Messages = r.pull.Messages[:0]
	case r.pop != nil:
		if len(r.pop.Messages) != 1 {
			panic(errors.New(r.pop.Fault.Text))
		}
		r.pop.Body.Release()
		r.pop.Messages, r.pop.Handles = r.pop.Messages[:0], r.pop.Handles[:0]
	case r.change != nil && !(r.change.Known && len(r.change.NewHandle) > 0):
		panic(errors.New(r.change.Fault.Text))
	case r.send != nil && !r.send.Fault.OK():
		panic(errors.New(r.send.Fault.Text))
	}
}

type cameHome roundTrip

func (r *cameHome) OnTurn(time.Time) { r.came <- struct{}{} }

// held is a delivery of the broker in memory.
func held() backend.Delivery {
	d := backend.Delivery{Group: []byte("readers"), Topic: []byte("orders"), HandleText: []byte("1 2 3 4 0 fake-0 5 6 7")}
	d.Handle.Broker, d.Handle.TopicMark = []byte("fake-0"), '0'
	return d
}

// operations are those of the path of a message.
var operations = []string{"send", "ack", "pull", "pop", "change"}

// newRoundTrip does one operation again and again.
func newRoundTrip(tb testing.TB, operation string) func() {
	tb.Helper()
	fake := fakebroker.Start(tb)
	fake.SetTopic(fakebroker.Topic{Name: "orders"})
	w := newWorld(tb, fake, func(c *cluster.Config) {
		real := c.Dial
		c.Dial = func(addr string, timeout time.Duration, t *turn.Turn, m cluster.Machine) (cluster.Socket, error) {
			if addr == fake.NameServer.Addr {
				return real(addr, timeout, t, m)
			}
			return &memory{machine: m, turn: t, answer: answerOf}, nil
		}
	})
	r := &roundTrip{Cluster: w.Cluster, home: w.home, came: make(chan struct{}, 1)}
	topic := w.topic("orders")
	switch operation {
	case "ack":
		w.topic("fake-0")
		r.ack = &backend.Ack{Delivery: held()}
	case "change":
		w.topic("fake-0")
		r.change = &backend.ChangeInvisible{Delivery: held(), Invisible: 30 * time.Second}
	case "pop":
		r.pop = pops(topic, "readers")
	case "pull":
		r.pull = pulls(topic, 0)
	default:
		r.send = sends(topic, "", "hello")
		tb.Cleanup(r.send.Payload.Release)
	}
	return func() {
		r.home.PostHere(r)
		<-r.came
		r.check()
	}
}

// TestRoundTripsAllocateNothing in steady state, the turns included.
func TestRoundTripsAllocateNothing(t *testing.T) {
	steady.KeepPools(t)
	for _, operation := range operations {
		trip := newRoundTrip(t, operation)
		for range 500 {
			trip()
		}
		if got := testing.AllocsPerRun(500, trip); got != 0 {
			t.Errorf("%s: %v allocations", operation, got)
		}
	}
}

// BenchmarkRoundTrip is an operation from the client's turn to the lane's, through both encodings, and home.
func BenchmarkRoundTrip(b *testing.B) {
	for _, operation := range operations {
		b.Run(operation, func(b *testing.B) {
			trip := newRoundTrip(b, operation)
			b.ReportAllocs()
			for b.Loop() {
				trip()
			}
		})
	}
}
