package cluster_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/backend"
)

// queuesOf notes where sends of a code go: broker and queue.
func queuesOf(fake *fakebroker.Cluster) func() []string {
	var mu sync.Mutex
	var all []string
	for _, b := range fake.Brokers {
		b.Control(310, func(r *fakebroker.Request) (fakebroker.Response, bool) {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, b.Name+"/"+r.Ext["e"])
			return fakebroker.Response{}, false
		})
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		got := all
		all = nil
		return got
	}
}

// TestSendsGoAround all queues of all brokers.
func TestSendsGoAround(t *testing.T) {
	fake := fakebroker.Start(t, fakebroker.WithBrokers(2))
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 3})
	w := newWorld(t, fake)
	queues := queuesOf(fake)
	for range 2 {
		w.sent("orders", "1", "2", "3", "4", "5", "6")
		got := queues()
		slices.Sort(got)
		if want := "[fake-0/0 fake-0/1 fake-0/2 fake-1/0 fake-1/1 fake-1/2]"; fmt.Sprint(got) != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
}

// TestSendsArePinned by their message group, as gRPC specification 16 computes it.
func TestSendsArePinned(t *testing.T) {
	for n, want := range map[int32][5]int{
		1: {0, 0, 0, 0, 0}, 2: {0, 0, 0, 1, 0}, 4: {0, 3, 2, 3, 0}, 8: {0, 3, 2, 4, 0}, 16: {0, 3, 11, 13, 8}, 64: {29, 3, 46, 13, 8},
	} {
		fake := fakebroker.Start(t)
		fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: n})
		w := newWorld(t, fake)
		queues := queuesOf(fake)
		for i, shard := range []string{"a", "order-1", "order-2", "用户42", "group"} {
			if op := w.send(sends(w.topic("orders"), shard, "x")); !op.Fault.OK() {
				t.Errorf("%+v", op.Fault)
			}
			if got := queues(); fmt.Sprint(got) != fmt.Sprintf("[fake-0/%d]", want[i]) {
				t.Errorf("%s of %d queues: %v, want %d", shard, n, got, want[i])
			}
		}
	}
}

func TestSendIsStored(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	w := newWorld(t, fake)
	topic := w.topic("orders")
	large := strings.Repeat("0123456789", 100_000)
	for i, body := range []string{"small", large} {
		op := w.send(sends(topic, "", body))
		if !op.Fault.OK() || op.Offset != int64(i) || string(op.TransactionID) != "ID0" || len(op.RecallHandle) != 0 {
			t.Errorf("%+v, offset %d, transaction %q", op.Fault, op.Offset, op.TransactionID)
		}
	}
	batch := w.send(sends(topic, "", "one", "two", "three"))
	if !batch.Fault.OK() || batch.Offset != 2 || fake.Brokers[0].Requests(320) != 1 {
		t.Errorf("%+v, offset %d", batch.Fault, batch.Offset)
	}
	if got := fake.Brokers[0].Messages("orders"); !slices.Equal(got, []string{"small", large, "one", "two", "three"}) {
		t.Errorf("%d messages are stored", len(got))
	}
}

// TestSendHead is what goes with a message beside its body.
func TestSendHead(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	w := newWorld(t, fake)
	got := make(chan map[string]string, 1)
	fake.Brokers[0].Control(310, func(r *fakebroker.Request) (fakebroker.Response, bool) {
		got <- r.Ext
		return fakebroker.Response{}, false
	})
	op := sends(w.topic("orders"), "", "x")
	op.Messages[0].SysFlag, op.Messages[0].ReconsumeTimes = 4, 3
	w.send(op)
	ext := <-got
	for key, want := range map[string]string{
		"a": "orders", "b": "orders", "c": "TBW102", "d": "4", "e": "0", "f": "4", "g": "1700000000000", "h": "0",
		"i": "TAGS\x01a\x02UNIQ_KEY\x01ID0\x02", "j": "3",
	} {
		if ext[key] != want {
			t.Errorf("%s is %q, want %q", key, ext[key], want)
		}
	}
}

func TestSendAnswers(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders", Queues: 1})
	w := newWorld(t, fake)
	stored := map[string]string{"msgId": "0A00000100002A9F00000000000000FF", "queueId": "0", "queueOffset": "7"}
	for _, test := range []struct {
		answer fakebroker.Response
		stored backend.StoreStatus
		fault  backend.Fault
	}{
		{fakebroker.Response{Code: 10, Ext: stored}, backend.StoreFlushDiskTimeout, backend.Fault{}},
		{fakebroker.Response{Code: 12, Ext: stored}, backend.StoreFlushReplicaTimeout, backend.Fault{}},
		{fakebroker.Response{Code: 11, Ext: stored}, backend.StoreReplicaNotAvailable, backend.Fault{}},
		{fakebroker.Response{Code: 2, Remark: "[OVERLOAD]system busy"}, 0, backend.Fault{Kind: backend.Busy, Text: "[OVERLOAD]system busy"}},
		{fakebroker.Response{Code: 2}, 0, backend.Fault{Kind: backend.Busy}},
		{fakebroker.Response{Code: 3, Remark: "no"}, 0, backend.Fault{Kind: backend.NotSupported, Text: "no"}},
		{fakebroker.Response{Code: 17, Remark: "no"}, 0, backend.Fault{Kind: backend.TopicNotFound, Text: "CODE: 17  DESC: no"}},
		{fakebroker.Response{Code: 26, Remark: "no"}, 0, backend.Fault{Kind: backend.GroupNotFound, Text: "no"}},
		{fakebroker.Response{Code: 2017, Remark: "no"}, 0, backend.Fault{Kind: backend.LiteTopicQuota, Text: "no"}},
		{fakebroker.Response{Code: 2018, Remark: "no"}, 0, backend.Fault{Kind: backend.SubscriptionQuota, Text: "no"}},
		{fakebroker.Response{Code: 16, Remark: "no"}, 0, backend.Fault{Kind: backend.Internal, Text: "no"}},
		{fakebroker.Response{Code: 215, Remark: "no"}, 0, backend.Fault{Kind: backend.Internal, Text: "no"}},
		{fakebroker.Response{Code: 4711, Remark: "no"}, 0, backend.Fault{Kind: backend.Internal, Text: "no"}},
	} {
		fake.Brokers[0].Fail(310, 1, test.answer)
		op := w.send(sends(w.topic("orders"), "", "x"))
		if op.Stored != test.stored || op.Fault != test.fault {
			t.Errorf("code %d: stored %d, %+v; want %d, %+v", test.answer.Code, op.Stored, op.Fault, test.stored, test.fault)
		}
	}
}

// TestSendTimesOut by its own deadline, and the broker's late answer finds nobody.
func TestSendTimesOut(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders"})
	w := newWorld(t, fake)
	w.sent("orders", "before")
	fake.Brokers[0].Freeze()
	op := sends(w.topic("orders"), "", "x")
	op.Deadline = time.Now().Add(100 * time.Millisecond)
	if w.send(op); op.Fault.Kind != backend.Timeout {
		t.Errorf("%+v", op.Fault)
	}
	fake.Brokers[0].Thaw()
	w.sent("orders", "after")
}

// TestBrokerRestarts: calls fail while it is down, none hangs, and then it is used again.
func TestBrokerRestarts(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders"})
	announces(fake, func(*command.TopicRoute) {}) // the fake must not look at an address that it is about to set
	w := newWorld(t, fake)
	w.sent("orders", "before")
	fake.Brokers[0].Stop()
	if op := w.send(sends(w.topic("orders"), "", "x")); op.Fault.OK() {
		t.Error("stored by a broker that is down")
	}
	fake.Brokers[0].Restart()
	w.eventually("a send succeeds", func() bool { return w.send(sends(w.topic("orders"), "", "after")).Fault.OK() })
}
