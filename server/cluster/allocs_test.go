package cluster_test

import (
	"errors"
	"runtime/debug"
	"testing"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/pool"
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

// roundTrip is a backend operation, from the client's turn to the lane's and home.
type roundTrip struct {
	*cluster.Cluster
	home *turn.Turn
	op   *backend.Send
	ack  *backend.Ack
	came chan struct{}
}

func (r *roundTrip) OnTurn(now time.Time) {
	if r.ack != nil {
		r.ack.Exchange = backend.Exchange{Home: r.home, Then: (*cameHome)(r), Deadline: now.Add(patience)}
		r.Ack(r.ack, now)
		return
	}
	r.op.Exchange = backend.Exchange{Home: r.home, Then: (*cameHome)(r), Deadline: now.Add(patience)}
	r.Send(r.op, now)
}

type cameHome roundTrip

func (r *cameHome) OnTurn(time.Time) { r.came <- struct{}{} }

// newRoundTrip sends one message again and again, or acknowledges one.
func newRoundTrip(tb testing.TB, ack bool) func() {
	tb.Helper()
	fake := fakebroker.Start(tb)
	fake.SetTopic(fakebroker.Topic{Name: "orders"})
	w := newWorld(tb, fake, func(c *cluster.Config) {
		real := c.Dial
		c.Dial = func(addr string, timeout time.Duration, t *turn.Turn, m cluster.Machine) (cluster.Socket, error) {
			if addr == fake.NameServer.Addr {
				return real(addr, timeout, t, m)
			}
			return &memory{machine: m, turn: t, answer: func(dst []byte, head *command.Head) []byte {
				if head.Code == 351 {
					body := command.AppendTopicConfig(nil, &command.TopicConfig{})
					return append(command.AppendResponse(dst, head.Opaque, 0, "", nil, len(body)), body...)
				}
				return command.AppendResponse(dst, head.Opaque, 0, "", sendAnswer, 0)
			}}, nil
		}
	})
	r := &roundTrip{Cluster: w.Cluster, home: w.home, op: sends(w.topic("orders"), "", "hello"), came: make(chan struct{}, 1)}
	if ack {
		w.topic("fake-0")
		r.ack = &backend.Ack{Delivery: backend.Delivery{Group: []byte("readers"), Topic: []byte("orders"), HandleText: []byte("1 2 3 4 0 fake-0 5 6 7")}}
		r.ack.Handle.Broker, r.ack.Handle.TopicMark = []byte("fake-0"), '0'
	}
	tb.Cleanup(r.op.Payload.Release)
	return func() {
		r.home.PostHere(r)
		<-r.came
		if !r.op.Fault.OK() || ack && !r.ack.Known {
			panic(errors.New(r.op.Fault.Text))
		}
	}
}

// TestRoundTripsAllocateNothing in steady state, the turns included.
func TestRoundTripsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops at random under the race detector")
	}
	for name, trip := range map[string]func(){"send": newRoundTrip(t, false), "ack": newRoundTrip(t, true)} {
		for range 500 {
			trip()
		}
		func() {
			defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection empties the pools
			if got := testing.AllocsPerRun(500, trip); got != 0 {
				t.Errorf("%s: %v allocations", name, got)
			}
		}()
	}
}

func BenchmarkSend(b *testing.B) {
	trip := newRoundTrip(b, false)
	b.ReportAllocs()
	for b.Loop() {
		trip()
	}
}

func BenchmarkAck(b *testing.B) {
	trip := newRoundTrip(b, true)
	b.ReportAllocs()
	for b.Loop() {
		trip()
	}
}
