package cluster_test

import (
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/cluster"
)

// counted counts the questions for a topic's route. gate, if there is one, holds them back.
func counted(fake *fakebroker.Cluster, topic string, gate <-chan struct{}) *atomic.Int32 {
	n := new(atomic.Int32)
	fake.NameServer.Control(105, func(r *fakebroker.Request) (fakebroker.Response, bool) {
		if r.Ext["topic"] == topic {
			n.Add(1)
			if gate != nil {
				<-gate
			}
		}
		return fakebroker.Response{}, false
	})
	return n
}

func TestTopicIsLearntOnceForMany(t *testing.T) {
	fake := fakebroker.Start(t, fakebroker.WithBrokers(2))
	fake.SetTopic(fakebroker.Topic{Name: "orders", Type: "FIFO"})
	gate := make(chan struct{})
	questions := counted(fake, "orders", gate)
	w := newWorld(t, fake)
	if w.Topic([]byte("orders"), time.Now()) != nil {
		t.Fatal("known before it was asked for")
	}
	ops := make([]backend.FetchTopic, 50)
	var homes []<-chan struct{}
	for i := range ops {
		ops[i].Name = []byte("orders")
		homes = append(homes, w.start(&ops[i].Exchange, func(now time.Time) { w.FetchTopic(&ops[i], now) }))
	}
	began := make(chan struct{})
	w.home.Post(event(func(time.Time) { close(began) }))
	<-began
	close(gate)
	for i, home := range homes {
		w.wait(home)
		if found := ops[i].Found; found == nil || found != ops[0].Found || !found.Exists || found.Type != backend.TypeFIFO {
			t.Fatalf("found %+v", found)
		}
	}
	if n := questions.Load(); n != 1 {
		t.Errorf("%d questions for %d fetches", n, len(ops))
	}
	if got := fmt.Sprint(ops[0].Found.Queues); got != "[{fake-0 [0] 4 4 true true} {fake-1 [0] 4 4 true true}]" {
		t.Errorf("queues %s", got)
	}
	if w.Topic([]byte("orders"), time.Now()) != ops[0].Found {
		t.Error("not known afterwards")
	}
}

// TestTopicIsRenewed when it is old, on its next use, once, and serves meanwhile.
func TestTopicIsRenewed(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders"})
	w := newWorld(t, fake)
	w.topic("orders")
	gate := make(chan struct{})
	questions := counted(fake, "orders", gate)
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 9, Type: "MIXED"})
	old := time.Now().Add(21 * time.Second)
	for range 10 {
		if got := w.Topic([]byte("orders"), old); got == nil || got.Queues[0].Read != 4 {
			t.Fatalf("meanwhile %+v", got)
		}
	}
	close(gate)
	w.eventually("the new route is there", func() bool {
		got := w.Topic([]byte("orders"), time.Now())
		return got.Queues[0].Read == 9 && got.Type == backend.TypeMixed
	})
	if n := questions.Load(); n != 1 {
		t.Errorf("%d questions", n)
	}
}

// TestTopicOutlivesTheNameServer: what is known serves, and is renewed when it is back.
func TestTopicOutlivesTheNameServer(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders"})
	w := newWorld(t, fake)
	w.topic("orders")
	fake.NameServer.Stop()
	w.Topic([]byte("orders"), time.Now().Add(21*time.Second))
	w.eventually("the failure is reported", func() bool { return w.reported("no name server answers") })
	w.sent("orders", "hello")
	fake.NameServer.Restart()
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 9})
	w.eventually("the new route is there", func() bool {
		return w.Topic([]byte("orders"), time.Now().Add(21*time.Second)).Queues[0].Read == 9
	})
}

// TestNameServersTakeOver from one that is down, and from one that is silent.
func TestNameServersTakeOver(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	down := listener.Addr().String()
	_ = listener.Close()
	frozen := fakebroker.Start(t)
	frozen.NameServer.Freeze()
	for name, bad := range map[string]string{"down": down, "silent": frozen.NameServer.Addr} {
		t.Run(name, func(t *testing.T) {
			fake := fakebroker.Start(t)
			fake.SetTopic(fakebroker.Topic{Name: "orders"})
			fake.SetTopic(fakebroker.Topic{Name: "others"})
			w := newWorld(t, fake, func(c *cluster.Config) {
				c.NameServers = []string{bad, fake.NameServer.Addr}
				if name == "silent" {
					c.MetadataTimeout = 2 * time.Second
				}
			})
			for _, name := range []string{"orders", "others"} {
				if !w.topic(name).Exists {
					t.Errorf("%s does not exist", name)
				}
			}
		})
	}
}

func TestNoNameServer(t *testing.T) {
	fake := fakebroker.Start(t)
	for _, servers := range [][]string{nil, {"127.0.0.1:1"}} {
		w := newWorld(t, fake, func(c *cluster.Config) { c.NameServers = servers })
		op := &backend.FetchTopic{Name: []byte("orders")}
		w.wait(w.start(&op.Exchange, func(now time.Time) { w.FetchTopic(op, now) }))
		if op.Fault.Kind != backend.Internal || op.Found != nil {
			t.Errorf("%v: %+v", servers, op.Fault)
		}
		group := &backend.FetchGroup{Name: []byte("g")}
		w.wait(w.start(&group.Exchange, func(now time.Time) { w.FetchGroup(group, now) }))
		if group.Fault.Kind != backend.Internal || group.Found != nil {
			t.Errorf("%v: %+v", servers, group.Fault)
		}
	}
}

// TestMissingTopicIsBelieved for a while, and asked for again after it.
func TestMissingTopicIsBelieved(t *testing.T) {
	fake := fakebroker.Start(t)
	questions := counted(fake, "missing", nil)
	w := newWorld(t, fake)
	if w.topic("missing").Exists {
		t.Fatal("it exists")
	}
	now := time.Now()
	if got := w.Topic([]byte("missing"), now); got == nil || got.Exists {
		t.Errorf("right after: %+v", got)
	}
	if got := w.Topic([]byte("missing"), now.Add(2*time.Second+time.Millisecond)); got != nil {
		t.Errorf("later: %+v", got)
	}
	fake.SetTopic(fakebroker.Topic{Name: "missing"})
	op := &backend.FetchTopic{Name: []byte("missing")}
	w.wait(w.start(&op.Exchange, func(now time.Time) { w.FetchTopic(op, now) }))
	if !op.Found.Exists || questions.Load() != 2 {
		t.Errorf("%+v after %d questions", op.Found, questions.Load())
	}
}

// announces makes the name server tell this of "orders".
func announces(fake *fakebroker.Cluster, change func(*command.TopicRoute)) {
	b := fake.Brokers[0]
	route := &command.TopicRoute{
		Queues:  []command.RouteQueues{{BrokerName: b.Name, Read: 4, Write: 4, Perm: 6}},
		Brokers: []command.RouteBroker{{Cluster: fake.Name, BrokerName: b.Name, Addrs: map[int64]string{0: b.Addr}}},
	}
	change(route)
	fake.NameServer.Control(105, func(r *fakebroker.Request) (fakebroker.Response, bool) {
		return fakebroker.Response{Body: command.AppendTopicRoute(nil, route)}, r.Ext["topic"] == "orders"
	})
}

func TestRoutesAsAnnounced(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*command.TopicRoute)
		exists bool
		queues string
		writes bool
		reads  bool
	}{
		{"a replica", func(r *command.TopicRoute) { r.Brokers[0].Addrs[1] = "127.0.0.1:1" }, true, "[{fake-0 [0 1] 4 4 true true}]", true, true},
		{"replicas only", func(r *command.TopicRoute) {
			r.Brokers[0].Addrs = map[int64]string{2: "127.0.0.1:1", 1: r.Brokers[0].Addrs[0]}
		}, true, "[{fake-0 [1 2] 4 4 true true}]", false, true},
		{"read only", func(r *command.TopicRoute) { r.Queues[0].Perm = 4 }, true, "[{fake-0 [0] 4 4 true false}]", false, true},
		{"write only", func(r *command.TopicRoute) { r.Queues[0].Perm = 2 }, true, "[{fake-0 [0] 4 4 false true}]", true, false},
		{"no queue to read", func(r *command.TopicRoute) { r.Queues[0].Read = 0 }, true, "[{fake-0 [0] 0 4 true true}]", true, false},
		{"an unknown broker", func(r *command.TopicRoute) { r.Queues[0].BrokerName = "nowhere" }, true, "[]", false, false},
		{"no broker", func(r *command.TopicRoute) { r.Brokers = nil }, false, "[]", false, false},
		{"no queues", func(r *command.TopicRoute) { r.Queues = nil }, false, "[]", false, false},
		{"numbers that are none", func(r *command.TopicRoute) { r.Queues[0].Read, r.Queues[0].Write = -7, 2_000_000_000 }, true,
			"[{fake-0 [0] 0 16384 true true}]", true, false},
		{"an order of too many", func(r *command.TopicRoute) { r.OrderTopicConf = "fake-0:2000000000" }, true, "[{fake-0 [0] 4 4 true true}]", true, true},
		{"an order of others", func(r *command.TopicRoute) { r.OrderTopicConf = "fake-9:4;" }, true, "[{fake-0 [0] 4 4 true true}]", false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			fake := fakebroker.Start(t)
			fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
			announces(fake, test.change)
			w := newWorld(t, fake)
			topic := w.topic("orders")
			if topic.Exists != test.exists || fmt.Sprint(topic.Queues) != test.queues {
				t.Errorf("exists %v, queues %v; want %v, %s", topic.Exists, topic.Queues, test.exists, test.queues)
			}
			if op := w.send(sends(topic, "", "x")); (op.Fault.Kind == backend.NoWritableQueue) == test.writes {
				t.Errorf("a send ends with %+v", op.Fault)
			}
			op := w.pop(pops(topic, "readers"))
			if (op.Fault.Kind == backend.NoReadableQueue) == test.reads {
				t.Errorf("a pop ends with %+v", op.Fault)
			}
			op.Reset()
		})
	}
}

// TestDoubtedRoute: a broker that does not know the topic makes the next use ask again.
func TestDoubtedRoute(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders"})
	w := newWorld(t, fake)
	topic := w.topic("orders")
	questions := counted(fake, "orders", nil)
	fake.Brokers[0].Fail(310, 1, fakebroker.Response{Code: 17, Remark: "gone"})
	if op := w.send(sends(topic, "", "x")); op.Fault.Kind != backend.TopicNotFound || !strings.Contains(op.Fault.Text, "gone") {
		t.Errorf("%+v", op.Fault)
	}
	w.Topic([]byte("orders"), time.Now())
	w.eventually("the route is asked for again", func() bool { return questions.Load() == 1 })
}

// TestTypeThatCannotBeHad is asked for again at the next use, not taken for known.
func TestTypeThatCannotBeHad(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders", Type: "FIFO"})
	fake.Brokers[0].Fail(351, 1, fakebroker.Response{Code: 1, Remark: "not now"})
	w := newWorld(t, fake)
	if got := w.topic("orders").Type; got != backend.TypeUnspecified {
		t.Errorf("type %v", got)
	}
	w.eventually("the type is known", func() bool { return w.Topic([]byte("orders"), time.Now()).Type == backend.TypeFIFO })

	fake.Brokers[0].Fail(351, -1, fakebroker.Response{Code: 1, Remark: "not now"})
	old := w.topic("orders")
	w.Topic([]byte("orders"), time.Now().Add(21*time.Second))
	w.eventually("the route is renewed, and keeps its type", func() bool {
		now := w.Topic([]byte("orders"), time.Now())
		return now != old && now.Type == backend.TypeFIFO
	})
}

// TestKnowledgeIsRenewedByItsKind: routes, types of topics and settings of groups each at their own
// age.
func TestKnowledgeIsRenewedByItsKind(t *testing.T) {
	const routes, types, groups = 105, 351, 352
	kinds := []int32{routes, types, groups}
	for _, test := range []struct {
		routes, types, groups time.Duration
		want                  []int // questions of each kind when all is six seconds old
	}{
		{5 * time.Second, 5 * time.Second, 5 * time.Second, []int{1, 1, 1}},
		{5 * time.Second, time.Minute, time.Minute, []int{1, 0, 0}},
		{time.Minute, 5 * time.Second, time.Minute, []int{0, 1, 0}},
		{time.Minute, time.Minute, 5 * time.Second, []int{0, 0, 1}},
		{time.Minute, time.Minute, time.Minute, []int{0, 0, 0}},
	} {
		fake := fakebroker.Start(t)
		fake.SetTopic(fakebroker.Topic{Name: "orders", Type: "FIFO"})
		fake.SetGroup("readers", nil)
		w := newWorld(t, fake, func(c *cluster.Config) {
			c.Routes.Refresh, c.Types.Refresh, c.Groups.Refresh = test.routes, test.types, test.groups
		})
		about := func(code int32) int { // questions about what is tested; the groups ask for their cluster's route
			if code == routes {
				return fake.NameServer.Requests(code)
			}
			return fake.Brokers[0].Requests(code)
		}
		w.topic("orders")
		w.group("readers")
		before := []int{about(routes), about(types), about(groups)}
		later := time.Now().Add(6 * time.Second)
		w.Topic([]byte("orders"), later)
		w.Group([]byte("readers"), later)
		for i, code := range kinds {
			w.eventually("it is asked", func() bool { return about(code) >= before[i]+test.want[i] })
		}
		w.topic("other") // after everything that was asked for by mistake
		if got := w.Topic([]byte("orders"), time.Now()); got.Type != backend.TypeFIFO || len(got.Queues) != 1 {
			t.Errorf("%v: %+v", test, got)
		}
		extra := []int{1, 0, 0} // the route of the other topic, which is not there
		for i, code := range kinds {
			if got := about(code) - before[i] - extra[i]; got != test.want[i] {
				t.Errorf("%v: %d questions of code %d, want %d", test, got, code, test.want[i])
			}
		}
	}
}
