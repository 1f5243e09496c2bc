package cluster_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/cluster"
)

func liteWorld(t *testing.T) *world {
	fake := fakebroker.Start(t, fakebroker.WithBrokers(2))
	fake.SetTopic(fakebroker.Topic{Name: "lites", Queues: 1, Type: "LITE"})
	return newWorld(t, fake)
}

func (w *world) lite(action backend.LiteAction, topics ...string) backend.Fault {
	w.Helper()
	op := &backend.SyncLite{Topic: "lites", Group: "readers", ClientID: "c", Action: action, LiteTopics: topics, Version: 3}
	w.wait(w.start(&op.Exchange, func(now time.Time) { w.SyncLite(op, now) }))
	return op.Fault
}

// TestSyncLite tells every broker, and wants them all to agree.
func TestSyncLite(t *testing.T) {
	w := liteWorld(t)
	for _, step := range []struct {
		action backend.LiteAction
		topics []string
		left   int
	}{
		{backend.LiteAdd, []string{"a", "b"}, 2},
		{backend.LiteRemove, []string{"a"}, 1},
		{backend.LiteReplace, []string{"c", "d", "e"}, 3},
		{backend.LiteRemoveAll, nil, 0},
	} {
		if f := w.lite(step.action, step.topics...); !f.OK() {
			t.Errorf("%+v", f)
		}
		for _, b := range w.fake.Brokers {
			if n := b.LiteTopics("c"); n != step.left {
				t.Errorf("%v: %d lite topics at %s", step, n, b.Name)
			}
		}
	}
	w.fake.Brokers[1].Fail(200071, 1, fakebroker.Response{Code: 2018, Remark: "too many"})
	if f := w.lite(backend.LiteAdd, "a"); f != (backend.Fault{Kind: backend.SubscriptionQuota, Text: "too many"}) {
		t.Errorf("%+v", f)
	}
	w.fake.Brokers[0].Fail(200071, 1, fakebroker.Response{Silent: true, Hangup: true})
	if f := w.lite(backend.LiteAdd, "a"); f.Kind != backend.Internal {
		t.Errorf("%+v", f)
	}
	op := &backend.SyncLite{Topic: "unheard", Group: "readers", ClientID: "c"}
	w.wait(w.start(&op.Exchange, func(now time.Time) { w.SyncLite(op, now) }))
	if op.Fault.Kind != backend.TopicNotFound {
		t.Errorf("%+v", op.Fault)
	}
}

// TestLiteStarts are told as the broker knows them.
func TestLiteStarts(t *testing.T) {
	w := liteWorld(t)
	told := make(chan string, 2)
	for _, b := range w.fake.Brokers {
		b.Control(200071, func(r *fakebroker.Request) (fakebroker.Response, bool) {
			told <- string(r.Body)
			return fakebroker.Response{}, false
		})
	}
	for start, want := range map[backend.LiteStart]string{
		{}:                            ``,
		{Kind: backend.LiteStartLast}: `"offsetOption":{"type":"POLICY","value":0},`, {Kind: backend.LiteStartMin}: `"offsetOption":{"type":"POLICY","value":1},`,
		{Kind: backend.LiteStartMax}:                    `"offsetOption":{"type":"POLICY","value":2},`,
		{Kind: backend.LiteStartOffset, Value: 5}:       `"offsetOption":{"type":"OFFSET","value":5},`,
		{Kind: backend.LiteStartTail, Value: 6}:         `"offsetOption":{"type":"TAIL_N","value":6},`,
		{Kind: backend.LiteStartTimestamp, Value: 1000}: `"offsetOption":{"type":"TIMESTAMP","value":1000},`,
	} {
		op := &backend.SyncLite{Topic: "lites", Group: "readers", ClientID: "c", LiteTopics: []string{"a"}, Version: 3, Start: start}
		w.wait(w.start(&op.Exchange, func(now time.Time) { w.SyncLite(op, now) }))
		want = `{"subscriptionSet":[{"action":"PARTIAL_ADD","clientId":"c","group":"readers","liteTopicSet":["a"],` + want + `"topic":"lites","version":3}]}`
		for range w.fake.Brokers {
			if got := <-told; got != want {
				t.Errorf("%+v: %s", start, got)
			}
		}
	}
}

// TestPopLite takes what the client subscribes to; the handles name places in the lite topics.
func TestPopLite(t *testing.T) {
	live := pool.Live()
	w := liteWorld(t)
	for i, lite := range []string{"a", "b", "a", "c"} {
		op := sends(w.topic("lites"), lite, fmt.Sprint(lite, i))
		op.Messages[0].Properties = fmt.Appendf(nil, "UNIQ_KEY\x01ID%d\x02__LITE_TOPIC\x01%s\x02", i, lite)
		if w.send(op); !op.Fault.OK() {
			t.Fatalf("%+v", op.Fault)
		}
	}
	w.lite(backend.LiteAdd, "a", "b")
	var got []string
	for _, b := range w.fake.Brokers {
		op := pops(w.topic("lites"), "readers")
		op.Lite, op.ClientID, op.Broker = true, []byte("c"), []byte(b.Name)
		if w.pop(op); !op.Fault.OK() {
			t.Fatalf("%+v", op.Fault)
		}
		for i := range op.Messages {
			m := &op.Messages[i]
			h := delivery(t, op, m).Handle
			got = append(got, fmt.Sprintf("%s at %d", body(op, m), m.QueueOffset))
			if h.Offset != m.QueueOffset || h.StartOffset != 0 || h.ReviveQueueID != 999 || string(h.Broker) != b.Name || h.QueueID != 0 ||
				h.CommitLogOffset != m.PhysicalOffset || h.InvisibleTime != 30_000 || m.ReconsumeTimes != 0 {
				t.Errorf("%+v", h)
			}
		}
		op.Reset()
		op.Topic, op.Group, op.Lite, op.ClientID = w.topic("lites"), []byte("readers"), true, []byte("c")
		op.MessagesMax, op.Broker = 32, []byte(b.Name)
		if w.pop(op); op.Outcome != backend.PopNone || !op.Fault.OK() {
			t.Errorf("outcome %d, %+v", op.Outcome, op.Fault)
		}
		op.Reset()
	}
	slices.Sort(got)
	if want := []string{"a0 at 0", "a2 at 1", "b1 at 0"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	w.fake.Brokers[0].Fail(200070, 1, fakebroker.Response{Ext: map[string]string{"popTime": "x"}})
	op := pops(w.topic("lites"), "readers")
	op.Lite, op.Broker = true, []byte("fake-0")
	if w.pop(op); op.Fault.OK() {
		t.Error("an answer without numbers is none")
	}
	op.Reset()
	if left := pool.Live() - live; left > 16 { // what the open connections hold
		t.Errorf("%d buffers were not released", left)
	}
}

// TestUnsubscribed: what a broker says of a client's lite topic reaches the client.
func TestUnsubscribed(t *testing.T) {
	w := liteWorld(t)
	who := &clients{}
	w.Attach(who)
	w.lite(backend.LiteAdd, "a")
	w.fake.Brokers[0].Push(200073, map[string]string{"liteTopic": "a"}, nil)
	w.fake.Brokers[0].Unsubscribe("c", "readers", "a")
	w.eventually("the client hears of it", func() bool {
		who.mu.Lock()
		defer who.mu.Unlock()
		return slices.Equal(who.unsubscribed, []string{"c readers a"})
	})
}

var _ backend.Backend = (*cluster.Cluster)(nil)
