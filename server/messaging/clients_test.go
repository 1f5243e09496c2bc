package messaging

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/backend"
)

// checkOf asks about a half message of a topic.
func checkOf(topic, body string) *backend.TransactionCheck {
	check := &backend.TransactionCheck{Topic: topic, TransactionID: "TX1"}
	check.Body.Append(pool.Copied(message.AppendRecord(nil, &message.Record{
		Topic: []byte(topic), QueueID: 2, Properties: encoded("UNIQ_KEY=ID1;TAGS=a;TRAN_MSG=true;color=red;"),
	}, []byte(body))))
	records := message.NewReader(&check.Body)
	if !records.Next(&check.Record) {
		panic(records.Err())
	}
	return check
}

// producer is a client with an open telemetry stream.
func (w *world) producer(id string, topics ...string) (*peer, *callStream) {
	p := w.connect()
	c := p.open("Telemetry", "x-mq-client-id", id)
	c.send(telemetrySettings(producerSettings(topics...)), 0)
	c.told(1)
	return p, c
}

// orphans are the bodies of the half messages that a stream was asked about.
func (c *callStream) orphans() (bodies []string) {
	c.settle()
	for _, command := range c.commands() {
		if o := command.GetRecoverOrphanedTransactionCommand(); o != nil {
			bodies = append(bodies, string(o.GetMessage().GetBody()))
		}
	}
	return bodies
}

// TestCheckTransaction asks one producer of the topic, as it would be shown the message.
func TestCheckTransaction(t *testing.T) {
	w := newWorld(t)
	_, c := w.producer("a", "orders")
	if !w.fake.clients.CheckTransaction(checkOf("orders", "half")) {
		t.Error("there is a producer")
	}
	c.settle()
	all := c.commands()
	command := all[len(all)-1]
	want := &apiv2.Message{
		Topic: resource("orders"), UserProperties: map[string]string{"color": "red"}, Body: []byte("half"),
		SystemProperties: &apiv2.SystemProperties{
			Tag: proto.String("a"), MessageId: "ID1", MessageType: apiv2.MessageType_TRANSACTION, BodyEncoding: apiv2.Encoding_IDENTITY,
			QueueId: 2, QueueOffset: proto.Int64(0), DeliveryAttempt: proto.Int32(1),
		},
	}
	got := command.GetRecoverOrphanedTransactionCommand().GetMessage()
	want.SystemProperties.BodyDigest = got.GetSystemProperties().GetBodyDigest()
	want.SystemProperties.BornTimestamp, want.SystemProperties.StoreTimestamp = got.GetSystemProperties().GetBornTimestamp(), got.GetSystemProperties().GetStoreTimestamp()
	want.SystemProperties.BornHost, want.SystemProperties.StoreHost = got.GetSystemProperties().GetBornHost(), got.GetSystemProperties().GetStoreHost()
	same(c.peer, got, want)
	if command.GetRecoverOrphanedTransactionCommand().GetTransactionId() != "TX1" || command.Status != nil {
		t.Error(command)
	}

	for _, topic := range []string{"others", ""} {
		if w.fake.clients.CheckTransaction(checkOf(topic, "half")) {
			t.Errorf("nobody publishes to %q", topic)
		}
	}
	c.halfClose()
	if w.fake.clients.CheckTransaction(checkOf("orders", "half")) {
		t.Error("the producer's stream has ended")
	}
}

// TestCheckTransactionGoesAround the producers, and past those whose stream has just ended.
func TestCheckTransactionGoesAround(t *testing.T) {
	w := newWorld(t)
	_, a := w.producer("a", "orders")
	_, b := w.producer("b", "orders", "others")
	for i := range 4 {
		w.fake.clients.CheckTransaction(checkOf("orders", fmt.Sprint(i)))
	}
	w.fake.clients.CheckTransaction(checkOf("others", "other"))
	if n, m := len(a.orphans()), len(b.orphans()); n != 2 || m != 3 {
		t.Errorf("one was asked %d times, the other %d", n, m)
	}
	// The question is on its way to a stream that ends before it arrives.
	onTurn(a.turn, func() {
		onTurn(b.turn, func() {
			for range 2 {
				w.fake.clients.CheckTransaction(checkOf("orders", "late"))
			}
			b.client.Close(nil)
			b.closed = true
		})
	})
	b.peer.settle() // tries the other one
	if got := a.orphans(); len(got) != 4 {
		t.Errorf("%q", got)
	}
}

func TestUnsubscribed(t *testing.T) {
	w := newWorld(t)
	p := w.connect()
	c := p.open("Telemetry")
	c.send(telemetrySettings(consumerSettings(apiv2.ClientType_PUSH_CONSUMER, "readers", "orders")), 0)
	w.fake.clients.Unsubscribed("client-1", "others", "lite-1")
	w.fake.clients.Unsubscribed("client-2", "readers", "lite-1")
	w.fake.clients.Unsubscribed("client-1", "readers", "lite-2")
	p.settle()
	all := c.commands()
	if got := all[len(all)-1].GetNotifyUnsubscribeLiteCommand().GetLiteTopic(); got != "lite-2" || len(all) != 2 {
		t.Errorf("%v", all)
	}
	c.cancel()
	w.fake.clients.Unsubscribed("client-1", "readers", "lite-1")
}
