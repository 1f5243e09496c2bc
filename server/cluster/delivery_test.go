package cluster_test

import (
	"slices"
	"testing"
	"time"

	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/backend"
)

// TestHandlesOfBrokers that nobody knows, and of one that only its name leads to.
func TestHandlesOfBrokers(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	w := newWorld(t, fake)
	w.sent("orders", "x")
	op := w.pop(pops(w.topic("orders"), "readers"))
	d := delivery(t, op, &op.Messages[0])
	op.Reset()

	other := newWorld(t, fake) // has never heard of the topic
	defer w.Close()            // the other looks for open connections first
	if ack := other.ack(d); !ack.Known || !ack.Fault.OK() {
		t.Errorf("by the broker's name: %+v", ack.Fault)
	}
	d.Handle.Broker = []byte("nowhere")
	if ack := w.ack(d); ack.Fault.Kind != backend.BadHandle || ack.Fault.Text != "cannot find broker nowhere" {
		t.Errorf("%+v", ack.Fault)
	}
	change := &backend.ChangeInvisible{Delivery: d}
	w.wait(w.start(&change.Exchange, func(now time.Time) { w.ChangeInvisible(change, now) }))
	dead := &backend.DeadLetter{Delivery: d}
	w.wait(w.start(&dead.Exchange, func(now time.Time) { w.DeadLetter(dead, now) }))
	if change.Fault.Kind != backend.BadHandle || dead.Fault.Kind != backend.BadHandle {
		t.Errorf("%+v, %+v", change.Fault, dead.Fault)
	}
}

// TestRefusedAcks are told apart from faults: the broker answered, and does not know it.
func TestRefusedAcks(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	w := newWorld(t, fake)
	w.sent("orders", "x")
	op := w.pop(pops(w.topic("orders"), "readers"))
	d := delivery(t, op, &op.Messages[0])
	op.Reset()
	fake.Brokers[0].Fail(200051, 1, fakebroker.Response{Code: 2, Remark: "busy"})
	if ack := w.ack(d); ack.Known || !ack.Fault.OK() {
		t.Errorf("%v, %+v", ack.Known, ack.Fault)
	}
	fake.Brokers[0].Freeze()
	late := &backend.Ack{Delivery: d}
	late.Deadline = time.Now().Add(100 * time.Millisecond)
	w.wait(w.start(&late.Exchange, func(now time.Time) { w.Ack(late, now) }))
	if late.Known || late.Fault.Kind != backend.Timeout {
		t.Errorf("%v, %+v", late.Known, late.Fault)
	}
	fake.Brokers[0].Thaw()
}

func TestDeadLetter(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	fake.SetGroup("readers", nil)
	w := newWorld(t, fake)
	w.sent("orders", "hopeless")
	op := w.pop(pops(w.topic("orders"), "readers"))
	dead := &backend.DeadLetter{Delivery: delivery(t, op, &op.Messages[0]), MessageID: []byte("ID0")}
	op.Reset()
	w.wait(w.start(&dead.Exchange, func(now time.Time) { w.DeadLetter(dead, now) }))
	if got := fake.Brokers[0].Messages("%DLQ%readers"); !dead.Fault.OK() || !slices.Equal(got, []string{"hopeless"}) {
		t.Errorf("%+v, dead letters %q", dead.Fault, got)
	}
	fake.Brokers[0].Fail(36, 1, fakebroker.Response{Code: 1, Remark: "no"})
	dead.Exchange = backend.Exchange{}
	w.wait(w.start(&dead.Exchange, func(now time.Time) { w.DeadLetter(dead, now) }))
	if dead.Fault.Kind != backend.Internal || dead.Fault.Text != "no" {
		t.Errorf("%+v", dead.Fault)
	}
}
