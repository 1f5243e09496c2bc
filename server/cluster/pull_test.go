package cluster_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/cluster"
)

func pulls(topic *backend.Topic, offset int64, change ...func(*backend.Pull)) *backend.Pull {
	op := &backend.Pull{
		Queue: backend.Queue{Topic: topic, Broker: []byte("fake-0")}, Group: []byte("readers"), Offset: offset,
		Expression: []byte("*"), MessagesMax: 32,
	}
	for _, c := range change {
		c(op)
	}
	return op
}

func polling(d time.Duration) func(*backend.Pull) {
	return func(op *backend.Pull) { op.Poll = d }
}

func (w *world) pull(op *backend.Pull) *backend.Pull {
	w.Helper()
	w.wait(w.start(&op.Exchange, func(now time.Time) { w.Pull(op, now) }))
	return op
}

// pulled are the bodies that a pull brought, each with its offset.
func pulled(op *backend.Pull) (all []string) {
	whole := string(op.Body.AppendTo(nil))
	for i := range op.Messages {
		m := &op.Messages[i]
		all = append(all, fmt.Sprint(whole[m.BodyOffset:][:m.BodyLen], "@", m.QueueOffset))
	}
	return all
}

// brings checks how a pull ended, and lets go of what it brought.
func (w *world) brings(op *backend.Pull, outcome backend.PullOutcome, next int64, bodies ...string) {
	w.Helper()
	if got := pulled(op); !op.Fault.OK() || op.Outcome != outcome || op.Next != next || !slices.Equal(got, bodies) {
		w.Errorf("%+v, outcome %d, next %d, %v; want outcome %d, next %d, %v", op.Fault, op.Outcome, op.Next, got, outcome, next, bodies)
	}
	op.Reset()
}

func TestPull(t *testing.T) {
	live := pool.Live()
	t.Cleanup(func() {
		if left := pool.Live() - live; left != 0 {
			t.Errorf("%d buffers were not released", left)
		}
	})
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	w := newWorld(t, fake)
	topic := w.topic("orders")
	w.brings(w.pull(pulls(topic, 0)), backend.PullNone, 0)
	w.brings(w.pull(pulls(topic, 5, polling(patience))), backend.PullOutside, 0)

	large := strings.Repeat("0123456789", 20_000) // straddles the blocks of a socket
	w.sent("orders", "one", large, "three")
	w.brings(w.pull(pulls(topic, 0)), backend.PullFound, 3, "one@0", large+"@1", "three@2")
	w.brings(w.pull(pulls(topic, 1, func(op *backend.Pull) { op.MessagesMax = 1 })), backend.PullFound, 2, large+"@1")
	w.brings(w.pull(pulls(topic, 3)), backend.PullNone, 3)
	w.brings(w.pull(pulls(topic, 4, polling(patience))), backend.PullOutside, 3)
	w.brings(w.pull(pulls(topic, -1, polling(patience))), backend.PullOutside, 0)
	w.brings(w.pull(pulls(topic, 0, func(op *backend.Pull) { op.Expression = []byte("a||b") })), backend.PullFound, 3, "one@0", large+"@1", "three@2")
	w.brings(w.pull(pulls(topic, 0, func(op *backend.Pull) { op.Expression = []byte("b") })), backend.PullNone, 3)
}

// TestPullRequest is what the broker is asked.
func TestPullRequest(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 4})
	w := newWorld(t, fake)
	var got atomic.Pointer[fakebroker.Request]
	fake.Brokers[0].Control(11, func(r *fakebroker.Request) (fakebroker.Response, bool) {
		got.Store(r)
		return fakebroker.Response{}, false
	})
	w.pull(pulls(w.topic("orders"), 7, polling(time.Hour), func(op *backend.Pull) {
		op.ID, op.MessagesMax, op.Expression = 3, 99, []byte("a||b")
	}))
	for key, want := range map[string]string{
		"consumerGroup": "readers", "topic": "orders", "queueId": "3", "queueOffset": "7", "maxMsgNums": "99", "sysFlag": "4",
		"commitOffset": "0", "suspendTimeoutMillis": "0", "subscription": "a||b", "subVersion": "0", "expressionType": "TAG",
	} {
		if ext := got.Load().Ext; ext[key] != want {
			t.Errorf("%s is %q, want %q", key, ext[key], want)
		}
	}
}

func TestPullAnswers(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	w := newWorld(t, fake)
	at := func(next string) map[string]string {
		return map[string]string{"nextBeginOffset": next, "minOffset": "3", "maxOffset": "9"}
	}
	for _, test := range []struct {
		answer  fakebroker.Response
		outcome backend.PullOutcome
		next    int64
		fault   backend.Kind
	}{
		{fakebroker.Response{Code: 21, Ext: at("3")}, backend.PullOutside, 3, backend.None}, // the queue has lost messages
		{fakebroker.Response{Code: 20, Ext: at("8")}, backend.PullNone, 8, backend.None},
		{fakebroker.Response{Code: 0, Ext: at("8")}, backend.PullNone, 8, backend.None},
		{fakebroker.Response{Code: 0, Ext: at("8"), Body: []byte("no record")}, 0, 8, backend.Internal},
		{fakebroker.Response{Code: 19}, 0, 0, backend.Internal}, // without offsets it is no answer
		{fakebroker.Response{Code: 29, Remark: "queueId[0] is illegal"}, 0, 0, backend.BadQueue},
		{fakebroker.Response{Code: 23, Remark: "parse"}, 0, 0, backend.BadFilter},
		{fakebroker.Response{Code: 26, Remark: "no group"}, 0, 0, backend.GroupNotFound},
		{fakebroker.Response{Code: 17, Remark: "no topic"}, 0, 0, backend.TopicNotFound},
		{fakebroker.Response{Code: 16, Remark: "forbidden"}, 0, 0, backend.Internal},
		{fakebroker.Response{Code: 2, Remark: "busy"}, 0, 0, backend.Busy},
	} {
		fake.Brokers[0].Fail(11, 1, test.answer)
		op := w.pull(pulls(w.topic("orders"), 0))
		if op.Outcome != test.outcome || op.Fault.Kind != test.fault || len(op.Messages) != 0 || op.Next != test.next {
			t.Errorf("code %d: outcome %d, next %d, %+v, %d messages", test.answer.Code, op.Outcome, op.Next, op.Fault, len(op.Messages))
		}
		op.Reset()
	}
}

// TestPullOfABrokenRecord goes on behind the last one that is whole.
func TestPullOfABrokenRecord(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	w := newWorld(t, fake)
	w.sent("orders", "one", "two")
	whole := w.pull(pulls(w.topic("orders"), 0))
	records := whole.Body.AppendTo(nil)
	whole.Reset()
	fake.Brokers[0].Fail(11, 1, fakebroker.Response{
		Ext:  map[string]string{"nextBeginOffset": "2", "minOffset": "0", "maxOffset": "2"},
		Body: records[:len(records)-3],
	})
	w.brings(w.pull(pulls(w.topic("orders"), 0)), backend.PullFound, 1, "one@0")
}

// TestPullWaits for a first message that it wants, which wakes it.
func TestPullWaits(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	w := newWorld(t, fake)
	w.sent("orders", "before") // tagged a
	op := pulls(w.topic("orders"), 1, polling(patience/2))
	home := w.start(&op.Exchange, func(now time.Time) { w.Pull(op, now) })
	w.eventually("the pull waits", func() bool { return fake.Brokers[0].Pulling() == 1 })
	w.sent("orders", "hello")
	w.wait(home)
	w.brings(op, backend.PullFound, 2, "hello@1")

	// It looks on behind what does not match before it waits.
	op = pulls(w.topic("orders"), 0, polling(patience/2), func(op *backend.Pull) { op.Expression = []byte("b") })
	home = w.start(&op.Exchange, func(now time.Time) { w.Pull(op, now) })
	w.eventually("the pull waits", func() bool { return fake.Brokers[0].Pulling() == 1 })
	wanted := sends(w.topic("orders"), "", "wanted")
	wanted.Messages[0].Properties = []byte("TAGS\x01b\x02")
	w.send(wanted)
	w.wait(home)
	w.brings(op, backend.PullFound, 3, "wanted@2")
}

// TestPullWaitEnds when its time is over, although the broker holds it for longer; what that
// says in the end is for nobody, and the connection is kept.
func TestPullWaitEnds(t *testing.T) {
	at := newClock()
	fake := fakebroker.Start(t, fakebroker.WithClock(at.now))
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	w := newWorld(t, fake, func(c *cluster.Config) { c.Lanes.SilenceMax = time.Millisecond })
	w.sent("orders", "one")
	w.brings(w.pull(pulls(w.topic("orders"), 1, polling(30*time.Millisecond))), backend.PullNone, 1)
	if fake.Brokers[0].Pulling() != 1 || fake.Brokers[0].Requests(11) != 2 {
		t.Errorf("%d pulls are held of %d", fake.Brokers[0].Pulling(), fake.Brokers[0].Requests(11))
	}
	accepted := fake.Brokers[0].Accepted()
	at.pass(fake, 10*time.Second) // the held one is answered
	w.brings(w.pull(pulls(w.topic("orders"), 0)), backend.PullFound, 1, "one@0")
	if got := fake.Brokers[0].Accepted(); got != accepted {
		t.Errorf("%d connections more", got-accepted)
	}
}

// TestPullFailsWithTheBroker, whether it looks or waits.
func TestPullFailsWithTheBroker(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	w := newWorld(t, fake, func(c *cluster.Config) { c.CallTimeout = 50 * time.Millisecond })
	topic := w.topic("orders")
	op := pulls(topic, 0, polling(patience))
	home := w.start(&op.Exchange, func(now time.Time) { w.Pull(op, now) })
	w.eventually("the pull waits", func() bool { return fake.Brokers[0].Pulling() == 1 })
	fake.Brokers[0].CloseConnections()
	w.wait(home)
	if op.Fault.Kind != backend.Internal {
		t.Errorf("%+v", op.Fault)
	}
	fake.Brokers[0].Freeze() // a broker that says nothing is not one that has nothing
	if op := w.pull(pulls(topic, 0, polling(time.Second))); op.Fault.Kind != backend.Timeout {
		t.Errorf("%+v, outcome %d", op.Fault, op.Outcome)
	}
	fake.Brokers[0].Thaw()
}

// TestPullNamesItsQueue: a broker and a queue that are there, and can be read.
func TestPullNamesItsQueue(t *testing.T) {
	fake := fakebroker.Start(t, fakebroker.WithBrokers(2))
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 2})
	fake.SetTopic(fakebroker.Topic{Name: "drain", Queues: 2, Perm: 2})
	w := newWorld(t, fake)
	for _, test := range []struct {
		topic, broker string
		id            int32
		want          backend.Kind
	}{
		{"orders", "fake-1", 1, backend.None},
		{"orders", "fake-1", 2, backend.BadQueue},
		{"orders", "fake-1", -1, backend.BadQueue},
		{"orders", "", 0, backend.BadBroker},
		{"orders", "nowhere", 0, backend.BadBroker},
		{"drain", "fake-0", 0, backend.NoReadableQueue},
	} {
		queue := backend.Queue{Topic: w.topic(test.topic), Broker: []byte(test.broker), ID: test.id}
		op := w.pull(pulls(nil, 0, func(op *backend.Pull) { op.Queue = queue }))
		get := &backend.QueryOffset{Queue: queue}
		w.wait(w.start(&get.Exchange, func(now time.Time) { w.QueryOffset(get, now) }))
		update := &backend.UpdateOffset{Queue: queue, Group: []byte("readers")}
		w.wait(w.start(&update.Exchange, func(now time.Time) { w.UpdateOffset(update, now) }))
		if op.Fault.Kind != test.want || get.Fault.Kind != test.want || update.Fault.Kind != test.want {
			t.Errorf("%+v: %+v, %+v, %+v", test, op.Fault, get.Fault, update.Fault)
		}
	}
	if a, b := fake.Brokers[0].Requests(11), fake.Brokers[1].Requests(11); a != 0 || b != 1 {
		t.Errorf("%d and %d pulls, want 0 and 1", a, b)
	}
}

// TestPullBySQL asks each broker once whether it understands an expression.
func TestPullBySQL(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	w := newWorld(t, fake)
	w.sent("orders", "one")
	sql := func(text string) *backend.Pull {
		return pulls(w.topic("orders"), 0, func(op *backend.Pull) { op.SQL, op.Expression = true, []byte(text) })
	}
	var asked atomic.Pointer[fakebroker.Request]
	fake.Brokers[0].Control(11, func(r *fakebroker.Request) (fakebroker.Response, bool) {
		asked.Store(r)
		return fakebroker.Response{}, false
	})
	for range 3 {
		w.brings(w.pull(sql("a > 1")), backend.PullFound, 1, "one@0")
	}
	if ext := asked.Load().Ext; ext["expressionType"] != "SQL92" || ext["subscription"] != "a > 1" || fake.Brokers[0].Requests(46) != 1 {
		t.Errorf("%v, %d checks", ext, fake.Brokers[0].Requests(46))
	}
	for range 2 {
		if op := w.pull(sql("a >")); op.Fault.Kind != backend.BadFilter {
			t.Errorf("%+v", op.Fault)
		}
	}
	fake.Brokers[0].Fail(46, 1, fakebroker.Response{Code: 1, Remark: "The broker does not support consumer to filter message by SQL92"})
	if op := w.pull(sql("b > 1")); op.Fault.Kind != backend.Internal || !strings.Contains(op.Fault.Text, "SQL92") {
		t.Errorf("%+v", op.Fault)
	}
	if n := fake.Brokers[0].Requests(11); n != 3 {
		t.Errorf("%d pulls", n)
	}
}
