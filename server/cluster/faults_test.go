package cluster_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/cluster"
)

// threeBrokers is a world with the topic "orders" on two queues of each of three brokers, and a
// connection for sends to each.
func threeBrokers(t *testing.T, change ...func(*cluster.Config)) (w *world, queues func() []string) {
	t.Helper()
	fake := fakebroker.Start(t, fakebroker.WithBrokers(3))
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 2})
	w = newWorld(t, fake, change...)
	queues = queuesOf(fake)
	w.sent("orders", "1", "2", "3", "4", "5", "6")
	queues()
	return w, queues
}

// sendAt is send as if it were that much later.
func (w *world) sendAt(later time.Duration, op *backend.Send) *backend.Send {
	w.Helper()
	w.wait(w.start(&op.Exchange, func(now time.Time) { w.Send(op, now.Add(later)) }))
	op.Payload.Release()
	return op
}

// spread sends n messages, all well, and tells how many went to each queue.
func (w *world) spread(later time.Duration, n int, queues func() []string) map[string]int {
	w.Helper()
	for range n {
		if op := w.sendAt(later, sends(w.topic("orders"), "", "x")); !op.Fault.OK() {
			w.Fatalf("a send ends with %+v", op.Fault)
		}
	}
	count := map[string]int{}
	for _, q := range queues() {
		count[q]++
	}
	return count
}

// stop ends a broker, and waits until each connection to it is known to be lost.
func (w *world) stop(b *fakebroker.Broker) {
	w.Helper()
	open, before := len(b.Clients()), w.count("connection lost")
	b.Stop()
	w.eventually("the lost connections are noticed", func() bool { return w.count("connection lost") == before+open })
}

func (w *world) count(event string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.reports {
		if e == event {
			n++
		}
	}
	return n
}

const (
	avoided = "broker does not answer"
	back    = "broker answers again"
)

func withLatency(c *cluster.Config) { c.Faults.Latency = true }

// TestSlowBrokerRests when sendLatencyEnable says so: the other queues share its sends evenly, and
// it is used again when its time is over.
func TestSlowBrokerRests(t *testing.T) {
	w, queues := threeBrokers(t, withLatency)
	w.sendAt(-16*time.Second, sends(w.topic("orders"), "", "slow")) // seems to take that long: 30 s of rest
	slow, _, _ := strings.Cut(queues()[0], "/")
	// A little later than now, so that no send can seem slow, however busy the machine is.
	count := w.spread(5*time.Second, 12, queues)
	for queue, n := range count {
		if n != 3 || strings.HasPrefix(queue, slow) {
			t.Errorf("%d sends to %s", n, queue)
		}
	}
	if len(count) != 4 {
		t.Errorf("sent to %v", count)
	}
	if count = w.spread(time.Hour, 12, queues); len(count) != 6 {
		t.Errorf("an hour later sent to %v", count)
	}
}

// TestSlowBrokerWorksOn where nobody looks at latency.
func TestSlowBrokerWorksOn(t *testing.T) {
	w, queues := threeBrokers(t)
	w.sendAt(-time.Hour, sends(w.topic("orders"), "", "slow"))
	queues()
	if count := w.spread(0, 12, queues); len(count) != 6 {
		t.Errorf("sent to %v", count)
	}
}

// TestDeadBrokerCostsNoSend: what was not written to it goes to another, then it is avoided, and
// one send finds out that it is back.
func TestDeadBrokerCostsNoSend(t *testing.T) {
	w, queues := threeBrokers(t)
	dead := w.fake.Brokers[1]
	w.stop(dead)
	count := w.spread(0, 24, queues)
	if len(count) != 4 || count["fake-1/0"]+count["fake-1/1"] != 0 {
		t.Errorf("sent to %v", count)
	}
	if w.count(avoided) != 1 || w.count(back) != 0 {
		t.Errorf("reported %v", w.told())
	}
	dead.Restart()
	w.eventually("it is back", func() bool { w.spread(time.Minute, 6, queues); return w.count(back) == 1 })
	if count = w.spread(0, 12, queues); len(count) != 6 || w.count(avoided) != 1 {
		t.Errorf("sent to %v, reported %v", count, w.told())
	}
}

// TestDetectorFindsABroker that is back: no send is risked for it.
func TestDetectorFindsABroker(t *testing.T) {
	w, queues := threeBrokers(t, func(c *cluster.Config) {
		c.Faults.Detect, c.Faults.DetectEvery, c.Faults.DetectTimeout = true, time.Millisecond, patience
	})
	dead := w.fake.Brokers[1]
	w.stop(dead)
	w.spread(0, 24, queues)
	before := dead.Requests(310)
	w.eventually("it is avoided", func() bool { return w.count(avoided) == 1 })
	dead.Restart()
	w.eventually("it is back", func() bool {
		if w.count(back) == 0 && dead.Requests(310) != before {
			t.Fatal("a send was risked")
		}
		w.spread(0, 1, queues)
		return w.count(back) == 1
	})
	if dead.Requests(30) == 0 {
		t.Error("it was not asked")
	}
	if count := w.spread(0, 12, queues); len(count) != 6 {
		t.Errorf("sent to %v", count)
	}
}

// TestAllBrokersAreBad: a send is tried all the same, on a slow one before one that is gone.
func TestAllBrokersAreBad(t *testing.T) {
	w, queues := threeBrokers(t, withLatency)
	for _, b := range w.fake.Brokers {
		b.Fail(310, 1, fakebroker.Response{Silent: true, Hangup: true})
	}
	for range w.fake.Brokers {
		if op := w.send(sends(w.topic("orders"), "", "x")); op.Fault.OK() {
			t.Error("stored although the broker hung up")
		}
	}
	if n := w.count(avoided); n != 3 {
		t.Fatalf("%d brokers are avoided: %v", n, w.told())
	}
	queues()
	w.sendAt(-16*time.Second, sends(w.topic("orders"), "", "slow"))
	slow, _, _ := strings.Cut(queues()[0], "/")
	if n := w.count(back); n != 1 {
		t.Errorf("%d brokers are back", n)
	}
	for queue, n := range w.spread(5*time.Second, 4, queues) {
		if !strings.HasPrefix(queue, slow) {
			t.Errorf("%d sends to %s, and %s is only slow", n, queue, slow)
		}
	}
}

// TestAllBrokersAreDown: the send ends with what the last of them said, each having been tried.
func TestAllBrokersAreDown(t *testing.T) {
	w, _ := threeBrokers(t)
	topic := w.topic("orders")
	for _, b := range w.fake.Brokers {
		w.stop(b)
	}
	for range 6 {
		if op := w.send(sends(topic, "", "x")); op.Fault.Kind != backend.Internal || !strings.Contains(op.Fault.Text, "connect to 127.0.0.1:") {
			t.Errorf("%+v", op.Fault)
		}
	}
	if n := w.count(avoided); n != 3 {
		t.Errorf("%d brokers are avoided: %v", n, w.told())
	}
	for _, b := range w.fake.Brokers {
		b.Restart()
	}
	w.eventually("a send succeeds", func() bool { return w.send(sends(topic, "", "x")).Fault.OK() })
}

// TestWhatWasWrittenIsNotSentAgain: the broker may have stored it before it fell silent.
func TestWhatWasWrittenIsNotSentAgain(t *testing.T) {
	for name, test := range map[string]struct {
		answer fakebroker.Response
		kind   backend.Kind
	}{
		"silence": {fakebroker.Response{Silent: true}, backend.Timeout},
		"hangup":  {fakebroker.Response{Silent: true, Hangup: true}, backend.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := threeBrokers(t, withLatency)
			for _, b := range w.fake.Brokers {
				b.Fail(310, 1, test.answer)
			}
			queues := queuesOf(w.fake) // in front of what was just said
			op := sends(w.topic("orders"), "", "x")
			if test.kind == backend.Timeout {
				op.Deadline = time.Now().Add(200 * time.Millisecond)
			}
			if w.send(op); op.Fault.Kind != test.kind {
				t.Errorf("%+v", op.Fault)
			}
			if got := queues(); len(got) != 1 {
				t.Errorf("it went to %v", got)
			}
		})
	}
}

// TestMessageGroupsStay on the queue of their group, also when its broker is down.
func TestMessageGroupsStay(t *testing.T) {
	w, queues := threeBrokers(t, withLatency)
	dead := w.fake.Brokers[1]
	w.stop(dead)
	var there, elsewhere string
	for i := 0; there == "" || elsewhere == ""; i++ {
		group := fmt.Sprint("group-", i)
		if n := message.GroupBucket([]byte(group), 6); n/2 == 1 {
			there = group
		} else {
			elsewhere = group
		}
	}
	for range 3 {
		if op := w.send(sends(w.topic("orders"), there, "x")); op.Fault.Kind != backend.Internal {
			t.Errorf("%+v", op.Fault)
		}
		if op := w.send(sends(w.topic("orders"), elsewhere, "x")); !op.Fault.OK() {
			t.Errorf("%+v", op.Fault)
		}
	}
	if got := queues(); len(got) != 3 || slices.ContainsFunc(got, func(q string) bool { return q != got[0] }) {
		t.Errorf("sent to %v", got)
	}
}

// TestLateSendIsNobodysFault: what comes to a broker's lane after its time says nothing of the broker.
func TestLateSendIsNobodysFault(t *testing.T) {
	w, queues := threeBrokers(t, withLatency)
	for range 6 {
		op := sends(w.topic("orders"), "", "x")
		op.Deadline = time.Now().Add(-time.Second)
		if w.send(op); op.Fault.Kind != backend.Timeout {
			t.Errorf("%+v", op.Fault)
		}
	}
	if got := queues(); len(got) != 0 || w.count(avoided) != 0 {
		t.Errorf("sent to %v, reported %v", got, w.told())
	}
}
