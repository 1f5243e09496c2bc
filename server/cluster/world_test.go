package cluster_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/cluster"
	"rocketmq-proxy/server/link"
	"rocketmq-proxy/server/turn"
)

// world is a Cluster on loopback sockets before a fake one, and a client's turn to use it on.
type world struct {
	testing.TB
	*cluster.Cluster
	fake *fakebroker.Cluster
	home *turn.Turn

	mu      sync.Mutex
	reports []string
}

type owner struct{}

func (owner) EndTurn(time.Time) {}
func (owner) Tick(time.Time)    {}
func (owner) Due() time.Time    { return time.Time{} }

// event is a function on a turn.
type event func(now time.Time)

func (e event) OnTurn(now time.Time) { e(now) }

// patience is how long a loaded machine may take.
const patience = 60 * time.Second

func newWorld(t testing.TB, fake *fakebroker.Cluster, change ...func(*cluster.Config)) *world {
	t.Helper()
	fake.Tick() // its lock makes what Start wrote visible to its own goroutines
	w := &world{TB: t, fake: fake, home: turn.New(owner{})}
	config := cluster.Defaults()
	config.NameServers = []string{fake.NameServer.Addr}
	config.CallTimeout, config.MetadataTimeout = patience, patience
	config.ProbeAfter, config.ProbeMax = time.Millisecond, 8*time.Millisecond
	config.Dial = func(addr string, timeout time.Duration, t *turn.Turn, m cluster.Machine) (cluster.Socket, error) {
		l, err := link.Dial(addr, timeout, t, m, link.DefaultLimits())
		if err != nil {
			return nil, err
		}
		return l, nil
	}
	config.Report = func(event, addr string, err error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.reports = append(w.reports, event)
	}
	config.NameServersChanged = func(err error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		event := "no name server answers"
		if err == nil {
			event = "a name server answers"
		}
		w.reports = append(w.reports, event)
	}
	for _, c := range change {
		c(&config)
	}
	w.Cluster = cluster.New(config)
	t.Cleanup(func() {
		w.Close()
		w.eventually("the brokers see the connections close", func() bool {
			open := len(fake.NameServer.Clients())
			for _, b := range fake.Brokers {
				open += len(b.Clients())
			}
			return open == 0
		})
	})
	return w
}

// eventually waits for what nobody announces.
func (w *world) eventually(what string, holds func() bool) {
	w.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			w.Fatalf("it never happens that %s", what)
		}
	}
}

func (w *world) reported(event string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Contains(w.reports, event)
}

// start begins an operation on the client's turn; the channel tells that it came home there.
func (w *world) start(x *backend.Exchange, begin func(now time.Time)) <-chan struct{} {
	home := make(chan struct{})
	w.home.Post(event(func(now time.Time) {
		x.Home, x.Then = w.home, event(func(time.Time) { close(home) })
		if x.Deadline.IsZero() {
			x.Deadline = now.Add(patience)
		}
		begin(now)
	}))
	return home
}

func (w *world) wait(home <-chan struct{}) {
	w.Helper()
	select {
	case <-home:
	case <-time.After(2 * patience):
		w.Fatal("the operation does not come home")
	}
}

// topic is what is known of a topic, fetched if need be.
func (w *world) topic(name string) *backend.Topic {
	w.Helper()
	if t := w.Topic([]byte(name), time.Now()); t != nil {
		return t
	}
	op := &backend.FetchTopic{Name: []byte(name)}
	w.wait(w.start(&op.Exchange, func(now time.Time) { w.FetchTopic(op, now) }))
	if !op.Fault.OK() {
		w.Fatalf("topic %s: %+v", name, op.Fault)
	}
	return op.Found
}

func (w *world) group(name string) *backend.Group {
	w.Helper()
	op := &backend.FetchGroup{Name: []byte(name)}
	w.wait(w.start(&op.Exchange, func(now time.Time) { w.FetchGroup(op, now) }))
	if !op.Fault.OK() {
		w.Fatalf("group %s: %+v", name, op.Fault)
	}
	return op.Found
}

// sends is a Send of these bodies.
func sends(topic *backend.Topic, shard string, bodies ...string) *backend.Send {
	op := &backend.Send{Topic: topic}
	if shard != "" {
		op.Shard = []byte(shard)
	}
	for i, body := range bodies {
		op.Messages = append(op.Messages, backend.Message{
			BodyOffset: op.Payload.Len(), BodyLen: len(body),
			Properties: []byte(fmt.Sprintf("TAGS\x01a\x02UNIQ_KEY\x01ID%d\x02", i)), BornTimestamp: 1_700_000_000_000,
		})
		op.Payload.Append(pool.Copied([]byte(body)))
	}
	return op
}

func (w *world) send(op *backend.Send) *backend.Send {
	w.Helper()
	w.wait(w.start(&op.Exchange, func(now time.Time) { w.Send(op, now) }))
	op.Payload.Release()
	return op
}

// sent sends bodies one by one, and well.
func (w *world) sent(topic string, bodies ...string) {
	w.Helper()
	for _, body := range bodies {
		if op := w.send(sends(w.topic(topic), "", body)); !op.Fault.OK() || op.Stored != backend.StoreOK {
			w.Fatalf("send: %+v", op.Fault)
		}
	}
}

func pops(topic *backend.Topic, group string) *backend.Pop {
	return &backend.Pop{Topic: topic, Group: []byte(group), Expression: []byte("*"), MessagesMax: 32, Invisible: 30 * time.Second}
}

func (w *world) pop(op *backend.Pop) *backend.Pop {
	w.Helper()
	w.wait(w.start(&op.Exchange, func(now time.Time) { w.Pop(op, now) }))
	return op
}

// body is that of a popped message.
func body(op *backend.Pop, m *backend.Popped) string {
	var c pool.Chain
	c.Share(&op.Body, m.BodyOffset, m.BodyLen)
	defer c.Release()
	return string(c.AppendTo(nil))
}

// delivery names what was popped.
func delivery(t testing.TB, op *backend.Pop, m *backend.Popped) backend.Delivery {
	t.Helper()
	text := append([]byte(nil), op.Handle(m)...)
	h, err := handle.Parse(text)
	if err != nil {
		t.Fatalf("handle %q: %v", text, err)
	}
	return backend.Delivery{Group: op.Group, Topic: []byte(op.Topic.Name), HandleText: text, Handle: h}
}

func (w *world) ack(d backend.Delivery) *backend.Ack {
	w.Helper()
	op := &backend.Ack{Delivery: d}
	w.wait(w.start(&op.Exchange, func(now time.Time) { w.Ack(op, now) }))
	return op
}
