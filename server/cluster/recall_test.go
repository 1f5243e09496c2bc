package cluster_test

import (
	"fmt"
	"testing"
	"time"

	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/backend"
)

// TestRecall takes a message back by the handle that its send was given.
func TestRecall(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "later", Queues: 1, Type: "DELAY"})
	w := newWorld(t, fake)
	op := sends(w.topic("later"), "", "x")
	op.Messages[0].Properties = fmt.Appendf(nil, "UNIQ_KEY\x01ID1\x02TIMER_DELIVER_MS\x01%d\x02", time.Now().Add(time.Hour).UnixMilli())
	text := string(w.send(op).RecallHandle)
	recall := func(topic, text string) *backend.Recall {
		h, err := handle.ParseRecall([]byte(text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		op := &backend.Recall{Topic: []byte(topic), Text: []byte(text), Handle: h}
		w.wait(w.start(&op.Exchange, func(now time.Time) { w.Recall(op, now) }))
		return op
	}
	for range 2 {
		if op := recall("later", text); !op.Fault.OK() || string(op.MessageID) != "ID1" {
			t.Errorf("%+v, id %q", op.Fault, op.MessageID)
		}
	}
	if op := recall("others", text); op.Fault.Kind != backend.Internal || op.Fault.Text != "recall handle is invalid" {
		t.Errorf("%+v", op.Fault)
	}
	stranger := handle.AppendRecall(nil, &handle.Recall{Topic: []byte("later"), Broker: []byte("nobody"), Timestamp: 1, MessageID: []byte("m")})
	if op := recall("later", string(stranger)); op.Fault != (backend.Fault{Kind: backend.BadBroker, Text: "cannot find broker nobody"}) {
		t.Errorf("%+v", op.Fault)
	}
	fake.Brokers[0].Fail(370, 1, fakebroker.Response{})
	if op := recall("later", text); op.Fault.OK() {
		t.Error("an answer without an id is none")
	}
	fake.Brokers[0].Fail(370, 1, fakebroker.Response{Silent: true, Hangup: true})
	if op := recall("later", text); op.Fault.OK() {
		t.Error("no answer is no success")
	}
}
