package cluster_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/backend"
)

// clock is a time that only the test moves.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(time.Now().UnixMilli())
	return c
}

func (c *clock) now() time.Time { return time.UnixMilli(c.ms.Load()) }

func (c *clock) pass(fake *fakebroker.Cluster, d time.Duration) {
	c.ms.Add(d.Milliseconds())
	fake.Tick()
}

// TestPop in pieces of any size: the records of one answer straddle the blocks of a socket.
func TestPop(t *testing.T) {
	live := pool.Live()
	t.Cleanup(func() {
		if left := pool.Live() - live; left != 0 {
			t.Errorf("%d buffers were not released", left)
		}
	})
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	w := newWorld(t, fake)
	var want []string
	for i := range 20 {
		want = append(want, strings.Repeat(fmt.Sprint(i), 1+i*i*i))
	}
	w.sent("orders", want...)
	op := w.pop(pops(w.topic("orders"), "readers"))
	if !op.Fault.OK() || op.Outcome != backend.PopFound || len(op.Messages) != len(want) {
		t.Fatalf("%+v, outcome %d, %d messages", op.Fault, op.Outcome, len(op.Messages))
	}
	for i := range op.Messages {
		m := &op.Messages[i]
		d := delivery(t, op, m)
		if got := body(op, m); got != want[i] || string(m.Topic) != "orders" || m.QueueOffset != int64(i) {
			t.Errorf("message %d: %d bytes of %s at %d", i, len(got), m.Topic, m.QueueOffset)
		}
		if h := d.Handle; h.StartOffset != 0 || h.Offset != int64(i) || h.CommitLogOffset != m.PhysicalOffset ||
			h.TopicMark != handle.MarkNormal || string(h.Broker) != "fake-0" || h.InvisibleTime != 30_000 {
			t.Errorf("message %d: handle %s", i, d.HandleText)
		}
		if ack := w.ack(d); !ack.Known || !ack.Fault.OK() {
			t.Errorf("message %d: ack %+v", i, ack.Fault)
		}
	}
	if n := fake.Brokers[0].Invisible(); n != 0 {
		t.Errorf("%d deliveries wait for their ack", n)
	}
	op.Reset()
}

// TestPopRequest is what the broker is asked.
func TestPopRequest(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	w := newWorld(t, fake)
	var got atomic.Pointer[fakebroker.Request]
	fake.Brokers[0].Control(200050, func(r *fakebroker.Request) (fakebroker.Response, bool) {
		got.Store(r)
		return fakebroker.Response{Code: 210}, true
	})
	op := pops(w.topic("orders"), "readers")
	op.MessagesMax, op.Poll, op.FIFO, op.AttemptID, op.Expression = 99, 5*time.Second, true, []byte("try"), []byte("a||b")
	w.pop(op)
	sql := pops(w.topic("orders"), "readers")
	for key, want := range map[string]string{
		"consumerGroup": "readers", "topic": "orders", "queueId": "-1", "maxMsgNums": "32", "invisibleTime": "30000", "pollTime": "5000",
		"initMode": "1", "expType": "TAG", "exp": "a||b", "order": "true", "attemptId": "try",
	} {
		if ext := got.Load().Ext; ext[key] != want {
			t.Errorf("%s is %q, want %q", key, ext[key], want)
		}
	}
	sql.SQL, sql.Expression = true, []byte("a > 1")
	w.pop(sql)
	if ext := got.Load().Ext; ext["expType"] != "SQL92" || ext["exp"] != "a > 1" {
		t.Errorf("%v", ext)
	}
}

func TestPopOutcomes(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	w := newWorld(t, fake)
	numbers := map[string]string{"popTime": "1", "invisibleTime": "1", "reviveQid": "1", "restNum": "0"}
	for _, test := range []struct {
		answer  fakebroker.Response
		outcome backend.PopOutcome
		fault   backend.Kind
	}{
		{fakebroker.Response{Code: 19}, backend.PopNone, backend.None},
		{fakebroker.Response{Code: 210}, backend.PopNone, backend.None},
		{fakebroker.Response{Code: 209}, backend.PopFull, backend.None},
		{fakebroker.Response{Code: 0, Ext: numbers}, backend.PopNone, backend.None},
		{fakebroker.Response{Code: 0, Ext: numbers, Body: []byte("no record")}, backend.PopNone, backend.Internal},
		{fakebroker.Response{Code: 26, Remark: "no group"}, 0, backend.GroupNotFound},
		{fakebroker.Response{Code: 17, Remark: "no topic"}, 0, backend.TopicNotFound},
		{fakebroker.Response{Code: 2, Remark: "busy"}, 0, backend.Busy},
	} {
		fake.Brokers[0].Fail(200050, 1, test.answer)
		op := w.pop(pops(w.topic("orders"), "readers"))
		if op.Outcome != test.outcome || op.Fault.Kind != test.fault || len(op.Messages) != 0 {
			t.Errorf("code %d: outcome %d, %+v, %d messages", test.answer.Code, op.Outcome, op.Fault, len(op.Messages))
		}
		op.Reset()
	}
}

// TestPopWaits for the first message, which wakes it.
func TestPopWaits(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	w := newWorld(t, fake)
	op := pops(w.topic("orders"), "readers")
	op.Poll = patience / 2
	home := w.start(&op.Exchange, func(now time.Time) { w.Pop(op, now) })
	w.eventually("the poll waits", func() bool { return fake.Brokers[0].Waiting() == 1 })
	w.sent("orders", "hello")
	w.wait(home)
	if len(op.Messages) != 1 || body(op, &op.Messages[0]) != "hello" {
		t.Errorf("%+v, %d messages", op.Fault, len(op.Messages))
	}
	op.Reset()
}

// TestPopByBroker asks the one that is named, others in turn, and none that there is not.
func TestPopByBroker(t *testing.T) {
	fake := fakebroker.Start(t, fakebroker.WithBrokers(2))
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	w := newWorld(t, fake)
	for range 4 {
		op := pops(w.topic("orders"), "readers")
		op.Broker = []byte("fake-1")
		w.pop(op)
	}
	if a, b := fake.Brokers[0].Requests(200050), fake.Brokers[1].Requests(200050); a != 0 || b != 4 {
		t.Errorf("%d and %d pops, want 0 and 4", a, b)
	}
	for range 4 {
		w.pop(pops(w.topic("orders"), "readers"))
	}
	if a, b := fake.Brokers[0].Requests(200050), fake.Brokers[1].Requests(200050); a != 2 || b != 6 {
		t.Errorf("%d and %d pops, want 2 and 6", a, b)
	}
	for range 2 { // a broker that is not there any more, or never was
		op := pops(w.topic("orders"), "readers")
		op.Broker = []byte("nowhere")
		w.pop(op)
	}
	if a, b := fake.Brokers[0].Requests(200050), fake.Brokers[1].Requests(200050); a != 3 || b != 7 {
		t.Errorf("%d and %d pops, want 3 and 7", a, b)
	}
}

// TestRetries come from the retry topic with a handle of the broker's own, and go back there.
func TestRetries(t *testing.T) {
	at := newClock()
	fake := fakebroker.Start(t, fakebroker.WithClock(at.now))
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	w := newWorld(t, fake)
	w.sent("orders", "one", "two")
	first := w.pop(pops(w.topic("orders"), "readers"))
	if len(first.Messages) != 2 {
		t.Fatalf("%+v, %d messages", first.Fault, len(first.Messages))
	}
	first.Reset()
	at.pass(fake, 31*time.Second)

	again := w.pop(pops(w.topic("orders"), "readers"))
	if len(again.Messages) != 2 {
		t.Fatalf("%+v, %d messages again", again.Fault, len(again.Messages))
	}
	acked := make(chan string, 1)
	fake.Brokers[0].Control(200051, func(r *fakebroker.Request) (fakebroker.Response, bool) {
		acked <- r.Ext["topic"] + " " + r.Ext["extraInfo"]
		return fakebroker.Response{}, false
	})
	m := &again.Messages[0]
	d := delivery(t, again, m)
	if m.ReconsumeTimes != 1 || d.Handle.TopicMark != handle.MarkRetryV1 || d.Handle.CommitLogOffset != m.PhysicalOffset || string(m.Topic) != "orders" {
		t.Errorf("%d times, handle %s, topic %s", m.ReconsumeTimes, d.HandleText, m.Topic)
	}
	if op := w.ack(d); !op.Known {
		t.Errorf("ack %+v", op.Fault)
	}
	if got := <-acked; got != "%RETRY%readers_orders "+string(d.HandleText) {
		t.Errorf("acked %s", got)
	}

	// The other one is put off, with a new handle, and comes again without counting.
	change := &backend.ChangeInvisible{Delivery: delivery(t, again, &again.Messages[1]), Invisible: time.Minute, Suspend: true}
	old := change.Handle
	w.wait(w.start(&change.Exchange, func(now time.Time) { w.ChangeInvisible(change, now) }))
	h, err := handle.Parse(change.NewHandle)
	if err != nil || !change.Known || h.StartOffset != old.Offset || h.CommitLogOffset != old.CommitLogOffset || h.InvisibleTime != 60_000 {
		t.Errorf("%+v, new handle %q, %v", change.Fault, change.NewHandle, err)
	}
	again.Reset()
	at.pass(fake, 59*time.Second)
	if op := w.pop(pops(w.topic("orders"), "readers")); op.Outcome != backend.PopNone {
		t.Errorf("%d messages too early", len(op.Messages))
	}
	at.pass(fake, 2*time.Second)
	third := w.pop(pops(w.topic("orders"), "readers"))
	if len(third.Messages) != 1 || third.Messages[0].ReconsumeTimes != 1 {
		t.Errorf("%d messages", len(third.Messages))
	}
	third.Reset()
}

// TestOrderCounts: of a FIFO group the broker counts attempts beside the records.
func TestOrderCounts(t *testing.T) {
	at := newClock()
	fake := fakebroker.Start(t, fakebroker.WithClock(at.now))
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1, Type: "FIFO"})
	fake.SetGroup("readers", func(g *command.GroupConfig) { g.ConsumeOrderly = true })
	w := newWorld(t, fake)
	w.sent("orders", "one", "two")
	for times := range int32(3) {
		op := pops(w.topic("orders"), "readers")
		op.FIFO = true
		w.pop(op)
		if len(op.Messages) != 2 {
			t.Fatalf("%+v, %d messages", op.Fault, len(op.Messages))
		}
		for i := range op.Messages {
			if got := op.Messages[i].ReconsumeTimes; got != times {
				t.Errorf("message %d was consumed %d times, want %d", i, got, times)
			}
			if d := delivery(t, op, &op.Messages[i]); d.Handle.ReviveQueueID != handle.ReviveQueueOrder {
				t.Errorf("handle %s", d.HandleText)
			}
		}
		op.Reset()
		at.pass(fake, 31*time.Second)
	}
}
