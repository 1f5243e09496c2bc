package cluster_test

import (
	"testing"
	"time"

	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/backend"
)

func queue(topic *backend.Topic) backend.Queue {
	return backend.Queue{Topic: topic, Broker: []byte("fake-0")}
}

func (w *world) updateOffset(topic, group string, offset int64) backend.Fault {
	w.Helper()
	op := &backend.UpdateOffset{Queue: queue(w.topic(topic)), Group: []byte(group), Offset: offset}
	w.wait(w.start(&op.Exchange, func(now time.Time) { w.UpdateOffset(op, now) }))
	return op.Fault
}

func (w *world) offset(topic, group string) (int64, backend.Fault) {
	w.Helper()
	op := &backend.GetOffset{Queue: queue(w.topic(topic)), Group: []byte(group)}
	w.wait(w.start(&op.Exchange, func(now time.Time) { w.GetOffset(op, now) }))
	return op.Offset, op.Fault
}

func (w *world) queryOffset(topic string, at backend.OffsetAt, timestamp int64) (int64, backend.Fault) {
	w.Helper()
	op := &backend.QueryOffset{Queue: queue(w.topic(topic)), At: at, Timestamp: timestamp}
	w.wait(w.start(&op.Exchange, func(now time.Time) { w.QueryOffset(op, now) }))
	return op.Offset, op.Fault
}

// TestOffsetsOfGroups are those that their pops go by.
func TestOffsetsOfGroups(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	w := newWorld(t, fake)
	w.sent("orders", "one", "two", "three")
	if _, f := w.offset("orders", "readers"); f.Kind != backend.OffsetNotFound {
		t.Errorf("%+v", f)
	}
	if f := w.updateOffset("orders", "readers", 1); f.Kind != backend.GroupNotFound {
		t.Errorf("%+v", f)
	}
	fake.SetGroup("readers", nil)
	if f := w.updateOffset("orders", "readers", 1); !f.OK() {
		t.Errorf("%+v", f)
	}
	if offset, f := w.offset("orders", "readers"); offset != 1 || !f.OK() {
		t.Errorf("%d, %+v", offset, f)
	}
	if op := w.pop(pops(w.topic("orders"), "readers")); len(op.Messages) != 2 || body(op, &op.Messages[0]) != "two" {
		t.Errorf("%+v, %d messages", op.Fault, len(op.Messages))
	} else {
		op.Reset()
	}
	if offset, f := w.offset("orders", "readers"); offset != 3 || !f.OK() {
		t.Errorf("%d, %+v", offset, f)
	}
}

func TestOffsetsOfQueues(t *testing.T) {
	at := newClock()
	fake := fakebroker.Start(t, fakebroker.WithClock(at.now))
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	w := newWorld(t, fake)
	w.sent("orders", "one")
	at.pass(fake, time.Second)
	w.sent("orders", "two")
	now := at.now().UnixMilli()
	for _, test := range []struct {
		at        backend.OffsetAt
		timestamp int64
		want      int64
	}{
		{backend.AtBeginning, 0, 0}, {backend.AtEnd, 0, 2}, {backend.AtTime, 0, 0},
		{backend.AtTime, now - 999, 1}, {backend.AtTime, now, 1}, {backend.AtTime, now + 1, 2},
	} {
		if offset, f := w.queryOffset("orders", test.at, test.timestamp); offset != test.want || !f.OK() {
			t.Errorf("%+v: %d, %+v", test, offset, f)
		}
	}
}

func TestOffsetFaults(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	w := newWorld(t, fake)
	b := fake.Brokers[0]
	for code, want := range map[int32]backend.Kind{2: backend.Busy, 17: backend.TopicNotFound, 26: backend.GroupNotFound, 1: backend.Internal} {
		for _, request := range []int32{14, 15, 30, 31, 29} {
			b.Fail(request, 1, fakebroker.Response{Code: code, Remark: "no"})
		}
		_, get := w.offset("orders", "readers")
		update := w.updateOffset("orders", "readers", 1)
		_, first := w.queryOffset("orders", backend.AtBeginning, 0)
		_, end := w.queryOffset("orders", backend.AtEnd, 0)
		_, then := w.queryOffset("orders", backend.AtTime, 1)
		for _, f := range []backend.Fault{get, update, first, end, then} {
			if f.Kind != want || f.Text == "" {
				t.Errorf("code %d: %+v", code, f)
			}
		}
	}
	b.Fail(30, 1, fakebroker.Response{}) // an answer without an offset
	if _, f := w.queryOffset("orders", backend.AtEnd, 0); f.Kind != backend.Internal {
		t.Errorf("%+v", f)
	}
	topic := w.topic("orders")
	b.Stop()
	op := &backend.QueryOffset{Queue: queue(topic)}
	w.wait(w.start(&op.Exchange, func(now time.Time) { w.QueryOffset(op, now) }))
	if op.Fault.Kind != backend.Internal {
		t.Errorf("%+v", op.Fault)
	}
}
