package messaging

import (
	"net/netip"
	"strconv"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/backend"
)

// delivers pops one record of a topic and returns the message as the client sees it.
func delivers(t *testing.T, w *world, topic string, record message.Record, properties, body string) *apiv2.Message {
	t.Helper()
	w.fake.know(&backend.Topic{Name: topic, Exists: true})
	p := w.reader()
	c := p.call("ReceiveMessage", receiveRequest(func(r *apiv2.ReceiveMessageRequest) { r.MessageQueue.Topic.Name = topic }))
	op := asked[*backend.Pop](p, 0)
	record.Topic, record.Properties = []byte(topic), encoded(properties)
	op.Body.Append(pool.Copied(message.AppendRecord(nil, &record, []byte(body))))
	records := message.NewReader(&op.Body)
	m := op.NextMessage()
	if !records.Next(&m.Record) {
		t.Fatal(records.Err())
	}
	op.Handles = append(op.Handles, "the handle"...)
	m.HandleTo = len(op.Handles)
	p.reply(&op.Exchange, backend.Fault{})
	all := c.streams("20000 OK", "message "+strconv.Quote(body), "time")
	return all[1].GetMessage()
}

// TestDeliveredMessage is gRPC specification 3.2: a stored message with everything, and what
// is shown of it.
func TestDeliveredMessage(t *testing.T) {
	w := newWorld(t)
	record := message.Record{
		QueueID: 3, QueueOffset: 77, PhysicalOffset: 987654, ReconsumeTimes: 2, SysFlag: message.FlagCompressed,
		BornTimestamp: 1_700_000_000_123, StoreTimestamp: 1_700_000_000_456,
		BornHost:  message.Host{IP: netip.MustParseAddr("10.0.0.9"), Port: 1234},
		StoreHost: message.Host{IP: netip.MustParseAddr("10.0.0.1"), Port: 10911},
	}
	got := delivers(t, w, "ns%orders", record, "color=red;TAGS=tag-a;KEYS= k1  k2 ;UNIQ_KEY=ID1;TIMER_DELIVER_MS=1700000100500;"+
		"_SYS_MSG_PRIORITY_=7;RECONSUME_TIME=1;PGROUP=orders;__SHARDINGKEY=group-1;__LITE_TOPIC=lite;TRACE_CONTEXT=trace;"+
		"__BORNHOST=laptop;BORN_TIMESTAMP=1;DLQ_ORIGIN_TOPIC=origin;DLQ_ORIGIN_MESSAGE_ID=ID0;POP_CK=x;INNER_NUM=4;", "hello")
	want := &apiv2.Message{
		Topic:          &apiv2.Resource{ResourceNamespace: "ns", Name: "orders"},
		UserProperties: map[string]string{"color": "red", "__SHARDINGKEY": "group-1", "TRACE_CONTEXT": "trace", "INNER_NUM": "4"},
		Body:           []byte("hello"),
		SystemProperties: &apiv2.SystemProperties{
			Tag: proto.String("tag-a"), Keys: []string{"", "k1", "", "k2"}, MessageId: "ID1",
			BodyDigest:   &apiv2.Digest{Type: apiv2.DigestType_MD5, Checksum: "5D41402ABC4B2A76B9719D911017C592"},
			BodyEncoding: apiv2.Encoding_GZIP, MessageType: apiv2.MessageType_DELAY,
			BornTimestamp: stamp(time.UnixMilli(1_700_000_000_123)), BornHost: "laptop",
			StoreTimestamp: stamp(time.UnixMilli(1_700_000_000_456)), StoreHost: "10.0.0.1:10911",
			DeliveryTimestamp: stamp(time.UnixMilli(1_700_000_100_500)), ReceiptHandle: proto.String("the handle"),
			QueueId: 3, QueueOffset: proto.Int64(77), DeliveryAttempt: proto.Int32(3),
			MessageGroup: proto.String("group-1"), TraceContext: proto.String("trace"), LiteTopic: proto.String("lite"),
			DeadLetterQueue: &apiv2.DeadLetterQueue{Topic: "origin", MessageId: "ID0"}, Priority: proto.Int32(7),
		},
	}
	if !proto.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestDeliveredMessageOfNothing: what is not stored is not shown, or comes from the record.
func TestDeliveredMessageOfNothing(t *testing.T) {
	record := message.Record{
		PhysicalOffset: 255, BornHost: message.Host{IP: netip.MustParseAddr("10.0.0.9"), Port: 1234},
		StoreHost: message.Host{IP: netip.MustParseAddr("10.0.0.1"), Port: 10911},
	}
	got := delivers(t, newWorld(t), "orders", record, "", "")
	want := &apiv2.Message{
		Topic: resource("orders"),
		SystemProperties: &apiv2.SystemProperties{
			MessageId:    "0A00000100002A9F00000000000000FF",
			BodyDigest:   &apiv2.Digest{Type: apiv2.DigestType_MD5, Checksum: "D41D8CD98F00B204E9800998ECF8427E"},
			BodyEncoding: apiv2.Encoding_IDENTITY, MessageType: apiv2.MessageType_NORMAL,
			BornTimestamp: stamp(time.UnixMilli(0)), BornHost: "10.0.0.9",
			StoreTimestamp: stamp(time.UnixMilli(0)), StoreHost: "10.0.0.1:10911", ReceiptHandle: proto.String("the handle"),
			QueueOffset: proto.Int64(0), DeliveryAttempt: proto.Int32(1),
		},
	}
	if !proto.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestDeliveredFields looks at single properties.
func TestDeliveredFields(t *testing.T) {
	w := newWorld(t)
	for _, test := range []struct {
		topic, properties string
		check             func(m *apiv2.Message, s *apiv2.SystemProperties) bool
	}{
		{"orders", "TIMER_DELAY_SEC=5;TIMER_DELIVER_MS=1;", func(_ *apiv2.Message, s *apiv2.SystemProperties) bool {
			return s.GetDeliveryTimestamp().AsTime().Equal(w.now.Add(5 * time.Second))
		}},
		{"orders", "TIMER_DELIVER_MS=1;TIMER_DELAY_SEC=5;", func(_ *apiv2.Message, s *apiv2.SystemProperties) bool {
			return s.GetDeliveryTimestamp().AsTime().Equal(w.now.Add(5 * time.Second))
		}},
		{"orders", "TIMER_DELIVER_MS=soon;", func(_ *apiv2.Message, s *apiv2.SystemProperties) bool { return s.DeliveryTimestamp == nil }},
		{"orders", "TIMER_DELAY_SEC=999999999999999999;", func(_ *apiv2.Message, s *apiv2.SystemProperties) bool { return s.DeliveryTimestamp == nil }},
		{"orders", "_SYS_MSG_PRIORITY_=-1;", func(_ *apiv2.Message, s *apiv2.SystemProperties) bool { return s.Priority == nil }},
		{"orders", "_SYS_MSG_PRIORITY_=4294967297;", func(_ *apiv2.Message, s *apiv2.SystemProperties) bool { return s.Priority == nil }},
		{"orders", "_SYS_MSG_PRIORITY_=0;", func(_ *apiv2.Message, s *apiv2.SystemProperties) bool {
			return s.Priority != nil && s.MessageType == apiv2.MessageType_PRIORITY
		}},
		{"orders", "DLQ_ORIGIN_TOPIC=t;", func(_ *apiv2.Message, s *apiv2.SystemProperties) bool { return s.DeadLetterQueue == nil }},
		{"orders", "TAGS=;", func(_ *apiv2.Message, s *apiv2.SystemProperties) bool { return s.Tag == nil }},
		{"orders", "KEYS=  ;", func(_ *apiv2.Message, s *apiv2.SystemProperties) bool { return len(s.Keys) == 0 }},
		{"orders", "TRAN_MSG=TRUE;__SHARDINGKEY=g;", func(_ *apiv2.Message, s *apiv2.SystemProperties) bool {
			return s.MessageType == apiv2.MessageType_TRANSACTION
		}},
		{"orders", "k=\xff;", func(m *apiv2.Message, _ *apiv2.SystemProperties) bool { return m.UserProperties["k"] == "\uFFFD" }},
		{"%RETRY%g_orders", "", func(m *apiv2.Message, _ *apiv2.SystemProperties) bool { return m.Topic.Name == "%RETRY%g_orders" }},
		{"%DLQ%g", "", func(m *apiv2.Message, _ *apiv2.SystemProperties) bool { return m.Topic.Name == "%DLQ%g" }},
	} {
		m := delivers(t, w, test.topic, message.Record{}, test.properties, "x")
		if !test.check(m, m.GetSystemProperties()) {
			t.Errorf("%s %q: %v", test.topic, test.properties, m)
		}
	}
}

// TestDigestAcrossBlocks: a body may lie in any number of pieces.
func TestDigestAcrossBlocks(t *testing.T) {
	for cut := 1; cut < 12; cut++ {
		var v shown
		var records pool.Chain
		block := []byte("..hello...")
		for from := 0; from < len(block); from += cut {
			records.Append(pool.Copied(block[from:min(from+cut, len(block))]))
		}
		v.digestBody(&message.Record{BodyOffset: 2, BodyLen: 5}, &records)
		if got := string(v.message.BodyDigest); got != "5D41402ABC4B2A76B9719D911017C592" {
			t.Errorf("cut every %d bytes: %s", cut, got)
		}
		records.Release()
	}
}
