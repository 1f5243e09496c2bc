package fleet

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/session"
)

// patience is how long a loaded machine may take.
const patience = 30 * time.Second

// store is a topic that the test keeps. Every operation waits until the test takes it.
type store struct {
	fetches chan *backend.FetchTopic
	sends   chan *backend.Send
	pulls   chan *backend.Pull
	queries chan *backend.QueryOffset
}

func (s *store) FetchTopic(op *backend.FetchTopic, _ time.Time)   { s.fetches <- op }
func (s *store) Send(op *backend.Send, _ time.Time)               { s.sends <- op }
func (s *store) Pull(op *backend.Pull, _ time.Time)               { s.pulls <- op }
func (s *store) QueryOffset(op *backend.QueryOffset, _ time.Time) { s.queries <- op }

// world is a Fleet over a store.
type world struct {
	*testing.T
	*Fleet
	store    *store
	sessions *session.Registry

	mu      sync.Mutex
	reports []string
	creates int
}

func newWorld(t *testing.T, change ...func(*Config)) *world {
	w := &world{T: t, sessions: session.NewRegistry(time.Hour), store: &store{
		make(chan *backend.FetchTopic, 8), make(chan *backend.Send, 2*flyingMax), make(chan *backend.Pull, 8), make(chan *backend.QueryOffset, 8),
	}}
	live := pool.Live()
	config := Config{
		Topic: "fleet", Group: "CID_fleet", Self: "self", Addr: "10.0.0.1", Listen: "10.0.0.1:8081",
		Every: 50 * time.Millisecond, LookEvery: 50 * time.Millisecond, Poll: time.Second, PauseMax: 50 * time.Millisecond, CallTimeout: patience,
		Create: func(_ string, done func(error)) { w.creates++; done(nil) },
		Report: func(event, addr string, err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.reports = append(w.reports, fmt.Sprint(event, " ", addr, ": ", err))
		},
	}
	for _, c := range change {
		c(&config)
	}
	w.Fleet = New(config, w.store, w.sessions)
	t.Cleanup(func() {
		w.Close()
		if n := pool.Live() - live; n != 0 {
			t.Errorf("%d buffers were not released", n)
		}
	})
	w.Start()
	return w
}

// next takes an operation.
func next[T any](w *world, from chan T) T {
	w.Helper()
	select {
	case op := <-from:
		return op
	case <-time.After(patience):
		w.Fatalf("nobody asks for a %T", *new(T))
		panic("unreachable")
	}
}

// exists answers where the topic is.
func (w *world) exists(brokers ...string) {
	topic := &backend.Topic{Name: "fleet", Exists: len(brokers) > 0}
	for _, broker := range brokers {
		topic.Queues = append(topic.Queues, backend.BrokerQueues{Broker: broker, Read: 1, Readable: true})
	}
	op := next(w, w.store.fetches)
	op.Found = topic
	op.End(backend.Fault{})
}

// holds answers a pull with these bodies.
func holds(op *backend.Pull, bodies ...string) {
	for i, text := range bodies {
		op.Body.Append(pool.Copied(message.AppendRecord(nil, &message.Record{Topic: []byte("fleet"), QueueOffset: op.Offset + int64(i)}, []byte(text))))
	}
	op.Next = op.Offset + int64(len(bodies))
	for records := message.NewReader(&op.Body); ; {
		if !records.Next(op.NextMessage()) {
			op.Messages = op.Messages[:len(op.Messages)-1]
			break
		}
	}
	op.End(backend.Fault{})
}

func (w *world) eventually(what string, holds func() bool) {
	w.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			w.Fatalf("it never happens that %s", what)
		}
	}
}

// TestOthersAreHeard from the end of each queue on, past failures and gaps.
func TestOthersAreHeard(t *testing.T) {
	w := newWorld(t)
	w.exists() // not yet
	w.exists("a")
	if w.creates != 1 {
		t.Errorf("the topic was made %d times", w.creates)
	}
	next(w, w.store.queries).End(backend.Fault{Kind: backend.Timeout, Text: "slow"})
	query := next(w, w.store.queries)
	query.Offset = 7
	query.End(backend.Fault{})

	pull := next(w, w.store.pulls)
	if pull.Offset != 7 || string(pull.Group) != "CID_fleet" || string(pull.Broker) != "a" {
		t.Errorf("%d of %s for %s", pull.Offset, pull.Broker, pull.Group)
	}
	own, _ := written(kindRegister, "own", settings(apiv2.ClientType_PUSH_CONSUMER, "g", "*"), channel{}, "self", time.Now())
	holds(pull, javaEvent, "garbage", "garbage", string(own))
	w.eventually("the consumer is known", func() bool { return w.sessions.Find([]byte("c")) != nil })
	if s := w.sessions.Find([]byte("c")); !s.Remote() || s.Settings().GetSubscription().GetGroup().GetName() != "g" {
		t.Errorf("%v", s.Settings())
	}
	if w.sessions.Find([]byte("own")) != nil {
		t.Error("it listens to itself")
	}

	pull = next(w, w.store.pulls)
	if pull.Offset != 11 {
		t.Errorf("pulled at %d", pull.Offset)
	}
	pull.End(backend.Fault{Kind: backend.Timeout, Text: "slow"})
	pull = next(w, w.store.pulls)
	if pull.Offset != 11 {
		t.Errorf("pulled at %d after a failure", pull.Offset)
	}
	pull.Outcome = backend.PullOutside
	pull.End(backend.Fault{})
	query = next(w, w.store.queries)
	query.Offset = 99
	query.End(backend.Fault{})
	gone, _ := written(kindUnregister, "c", settings(apiv2.ClientType_PUSH_CONSUMER, "g", "*"), channel{}, "other", time.Now())
	pull = next(w, w.store.pulls)
	if pull.Offset != 99 {
		t.Errorf("pulled at %d after a gap", pull.Offset)
	}
	holds(pull, string(gone))
	w.eventually("the consumer is forgotten", func() bool { return w.sessions.Find([]byte("c")) == nil })

	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.reports) != 3 || !slices.ContainsFunc(w.reports, func(r string) bool { return r[:len("another proxy")] == "another proxy" }) {
		t.Errorf("reported %q", w.reports)
	}
}

// said are the reports so far.
func (w *world) said() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.reports)
}

// TestAloneIsToldOnce: with the topic and the cause, however often it is looked for, and by whichever step that fails.
// Once it is known a look that fails keeps nobody from hearing.
func TestAloneIsToldOnce(t *testing.T) {
	refused := make(chan struct{}, 8)
	w := newWorld(t, func(c *Config) {
		c.Create = func(_ string, done func(error)) {
			done(errors.New("no permission"))
			refused <- struct{}{}
		}
	})
	slow := backend.Fault{Kind: backend.Timeout, Text: "slow"}
	next(w, w.store.fetches).End(slow)
	w.exists() // and must not be made
	next(w, refused)
	next(w, w.store.fetches).End(slow)
	w.exists("a")
	pull := w.pulls()
	next(w, w.store.fetches).End(slow)
	holds(pull)
	next(w, w.store.fetches).End(slow)
	next(w, w.store.pulls)
	next(w, w.store.fetches)
	said := w.said()
	if len(said) != 1 || !strings.Contains(said[0], "this one serves alone") || !strings.HasSuffix(said[0], "trying on fleet: slow") {
		t.Errorf("reported %q", said)
	}
}

// pulls answers where a queue ends, and returns the pull that follows.
func (w *world) pulls() *backend.Pull {
	w.Helper()
	next(w, w.store.queries).End(backend.Fault{})
	return next(w, w.store.pulls)
}

// TestDeafBrokerIsToldOnce: for all of its queues, and again when they have been read in between.
func TestDeafBrokerIsToldOnce(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.LookEvery = time.Hour })
	fetch := next(w, w.store.fetches)
	fetch.Found = &backend.Topic{Name: "fleet", Exists: true, Queues: []backend.BrokerQueues{{Broker: "a", Read: 2, Readable: true}}}
	fetch.End(backend.Fault{})
	slow := backend.Fault{Kind: backend.Timeout, Text: "slow"}
	const queues = 2
	for range 3 * queues { // each of them, or one more often than the other
		next(w, w.store.queries).End(slow)
	}
	at := [queues]*backend.Pull{}
	for range queues {
		pull := w.pulls()
		at[pull.ID] = pull
	}
	again := func(queue int) { // the other one waits
		if at[queue] = next(w, w.store.pulls); int(at[queue].ID) != queue {
			t.Fatalf("queue %d is read", at[queue].ID)
		}
	}
	expect := func(n int) {
		t.Helper()
		said := w.said()
		if len(said) != n || !strings.Contains(said[n-1], "other proxies are not heard of through a broker") || !strings.HasSuffix(said[n-1], "trying on fleet on a: slow") {
			t.Fatalf("reported %q, want %d", said, n)
		}
	}
	holds(at[0])
	again(0)
	at[0].End(slow) // the other one has not been read yet
	again(0)
	expect(1)
	for queue := range queues {
		holds(at[queue])
		again(queue)
	}
	at[1].End(slow)
	again(1)
	expect(2)
	at[0].End(slow)
	again(0)
	expect(2)
}

// TestEarlyConsumersAreAnnounced as soon as the topic is found.
func TestEarlyConsumersAreAnnounced(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Every = time.Hour })
	now := time.Now()
	for _, id := range []string{"a", "b"} {
		s := w.sessions.Open([]byte(id), now)
		s.Settle(settings(apiv2.ClientType_PUSH_CONSUMER, "g", "*"), now)
		w.Here(s, "10.0.0.9:1", now)
	}
	fetch := next(w, w.store.fetches)
	if n := len(w.store.sends); n != 0 {
		t.Errorf("%d were announced to nobody", n)
	}
	fetch.Found = &backend.Topic{Name: "fleet", Exists: true}
	fetch.End(backend.Fault{})
	for range 2 {
		next(w, w.store.sends).End(backend.Fault{})
	}
}

// TestNewBrokersAreHeard when the topic comes to live on them.
func TestNewBrokersAreHeard(t *testing.T) {
	w := newWorld(t)
	w.exists("a")
	next(w, w.store.queries).End(backend.Fault{})
	w.exists("a", "b")
	if query := next(w, w.store.queries); string(query.Broker) != "b" {
		t.Errorf("asked for the end on %s", query.Broker)
	}
}

// TestConsumersAreAnnounced when they come, again and again, and when they go; not when they have
// moved.
func TestConsumersAreAnnounced(t *testing.T) {
	w := newWorld(t)
	w.exists("a")
	now := time.Now()
	s := w.sessions.Open([]byte("c"), now)
	s.Settle(settings(apiv2.ClientType_PUSH_CONSUMER, "g", "*"), now)
	w.Here(s, "10.0.0.9:1", now)
	kind := func() string {
		op := next(w, w.store.sends)
		e, _, err := decode(op.Payload.AppendTo(nil))
		if err != nil || e.ClientID != "c" || e.Group != "g" || e.Proxy != "self" || op.Topic.Name != "fleet" {
			t.Fatalf("%+v %v", e, err)
		}
		op.End(backend.Fault{Kind: backend.Timeout, Text: "slow"}) // it is tried again in time
		return e.Kind
	}
	for range 3 {
		if got := kind(); got != kindRegister {
			t.Errorf("announced %s", got)
		}
	}
	w.Left(s)
	for kind() != kindUnregister {
	}
	w.Left(s) // once more

	moved := w.sessions.Open([]byte("c"), now)
	w.sessions.Learn("c", moved.Settings(), now)
	w.Here(moved, "10.0.0.9:1", now)
	if got := kind(); got != kindRegister {
		t.Errorf("announced %s", got)
	}
	time.Sleep(2 * w.config.Every) // nothing is said any more
	select {
	case op := <-w.store.sends:
		t.Errorf("announced %s", op.Payload.AppendTo(nil))
	default:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.reports) != 1 {
		t.Errorf("reported %q", w.reports)
	}
}
