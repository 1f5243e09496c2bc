package apiv2

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"rocketmq-proxy/pool"
)

const (
	ordinaryID     = "01A2B3C4D5E6F70123456789ABCDEF0123"
	ordinaryHandle = "1234567 1763939807123 60000 3 0 broker-a 2 1234567 98765432100"
)

// What an official client sends: one message of 256 bytes with a tag, a key and two properties.
func ordinarySend() *SendMessageRequest {
	return &SendMessageRequest{Messages: []*Message{{
		Topic:          &Resource{Name: "orders"},
		UserProperties: map[string]string{"region": "eu-west", "trace": "0af7651916cd43dd"},
		SystemProperties: &SystemProperties{
			Tag:           proto.String("created"),
			Keys:          []string{"order-4711"},
			MessageId:     ordinaryID,
			BodyEncoding:  Encoding_IDENTITY,
			MessageType:   MessageType_NORMAL,
			BornTimestamp: &timestamppb.Timestamp{Seconds: 1763939807, Nanos: 123e6},
			BornHost:      "producer-host-1",
			TraceContext:  proto.String("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
		},
		Body: bytes.Repeat([]byte{'x'}, 256),
	}}}
}

func ordinaryReceive() *ReceiveMessageRequest {
	return &ReceiveMessageRequest{
		Group: &Resource{Name: "billing"},
		MessageQueue: &MessageQueue{
			Topic: &Resource{Name: "orders"}, Id: -1, Permission: Permission_READ_WRITE,
			Broker: &Broker{Name: "broker-a", Endpoints: &Endpoints{
				Scheme: AddressScheme_IPv4, Addresses: []*Address{{Host: "10.0.0.1", Port: 8081}},
			}},
			AcceptMessageTypes: []MessageType{MessageType_NORMAL},
		},
		FilterExpression:   &FilterExpression{Type: FilterType_TAG, Expression: "*"},
		BatchSize:          32,
		AutoRenew:          true,
		LongPollingTimeout: durationpb.New(20e9),
		AttemptId:          proto.String("5f0c1c5e-8c4d-4a39-9d0c-1f0d2f8a9b7e"),
	}
}

func ordinaryPull() *PullMessageRequest {
	receive := ordinaryReceive()
	return &PullMessageRequest{
		Group: receive.Group, MessageQueue: receive.MessageQueue, Offset: 1234567, BatchSize: 32,
		FilterExpression: receive.FilterExpression, LongPollingTimeout: durationpb.New(20e9),
	}
}

func ordinaryAck() *AckMessageRequest {
	return &AckMessageRequest{
		Group:   &Resource{Name: "billing"},
		Topic:   &Resource{Name: "orders"},
		Entries: []*AckMessageEntry{{MessageId: ordinaryID, ReceiptHandle: ordinaryHandle}},
	}
}

func ordinaryChange() *ChangeInvisibleDurationRequest {
	return &ChangeInvisibleDurationRequest{
		Group:             &Resource{Name: "billing"},
		Topic:             &Resource{Name: "orders"},
		ReceiptHandle:     ordinaryHandle,
		InvisibleDuration: durationpb.New(30e9),
		MessageId:         ordinaryID,
	}
}

func ordinaryDelivered() *DeliveredMessage {
	return &DeliveredMessage{
		Topic: ResourceView{Name: []byte("orders")},
		UserProperties: []Property{
			{Key: []byte("region"), Value: []byte("eu-west")},
			{Key: []byte("trace"), Value: []byte("0af7651916cd43dd")},
		},
		Keys:            [][]byte{[]byte("order-4711")},
		Tag:             []byte("created"),
		MessageID:       []byte(ordinaryID),
		BodyDigest:      []byte("9E107D9D372BB6826BD81D3542A419D6"),
		BornHost:        []byte("producer-host-1"),
		StoreHost:       []byte("10.0.0.1:10911"),
		ReceiptHandle:   []byte(ordinaryHandle),
		BornTimestamp:   TimestampOfMillis(1763939807123),
		StoreTimestamp:  TimestampOfMillis(1763939807125),
		BodyEncoding:    Encoding_IDENTITY,
		MessageType:     MessageType_NORMAL,
		QueueID:         2,
		QueueOffset:     1234567,
		DeliveryAttempt: 1,
	}
}

// work is one hot thing to do, over and over, with memory that is already there.
type work struct {
	name string
	do   func() error
}

func hotWork(tb testing.TB) []work {
	limits := DefaultLimits()
	var (
		send    SendView
		receive ReceiveView
		pull    PullView
		ack     AckView
		change  ChangeInvisibleView
	)
	sendChain := chainOf(marshal(tb, ordinarySend()))
	sendCut := chop(newRand(), marshal(tb, ordinarySend()), 64)
	receiveChain := chainOf(marshal(tb, ordinaryReceive()))
	pullChain := chainOf(marshal(tb, ordinaryPull()))
	ackChain := chainOf(marshal(tb, ordinaryAck()))
	changeChain := chainOf(marshal(tb, ordinaryChange()))
	dst := make([]byte, 0, 4<<10)
	ok := Outcome{Code: Code_OK, Message: "OK"}
	sent := []SendResult{{Outcome: ok, MessageID: []byte(ordinaryID), Offset: 1234567}}
	acked := []AckResult{{Outcome: ok, MessageID: []byte(ordinaryID), ReceiptHandle: []byte(ordinaryHandle)}}
	delivered, now := ordinaryDelivered(), TimestampOfMillis(1763939807123)
	appends := func(name string, f func(dst []byte) []byte) work {
		return work{name, func() error { dst = f(dst[:0]); return nil }}
	}
	return []work{
		{"SendView", func() error { return send.Parse(sendChain, &limits) }},
		{"SendViewCut", func() error { return send.Parse(sendCut, &limits) }},
		{"ReceiveView", func() error { return receive.Parse(receiveChain) }},
		{"PullView", func() error { return pull.Parse(pullChain) }},
		{"AckView", func() error { return ack.Parse(ackChain, &limits) }},
		{"ChangeInvisibleView", func() error { return change.Parse(changeChain) }},
		appends("AppendSendMessageResponse", func(dst []byte) []byte { return AppendSendMessageResponse(dst, ok, sent) }),
		appends("AppendAckMessageResponse", func(dst []byte) []byte { return AppendAckMessageResponse(dst, ok, acked) }),
		appends("AppendChangeInvisibleDurationResponse", func(dst []byte) []byte {
			return AppendChangeInvisibleDurationResponse(dst, ok, []byte(ordinaryHandle))
		}),
		appends("AppendElementStatus", func(dst []byte) []byte { return AppendElementStatus(dst, ok) }),
		appends("AppendReceiveDeliveryTimestamp", func(dst []byte) []byte { return AppendReceiveDeliveryTimestamp(dst, now) }),
		appends("AppendPullNextOffset", func(dst []byte) []byte { return AppendPullNextOffset(dst, 1234567) }),
		appends("AppendDeliveredHead", func(dst []byte) []byte {
			return AppendDeliveredHead(dst, delivered, SizeDelivered(delivered, 256))
		}),
		appends("Repair", func(dst []byte) []byte { delivered.Repair(); return dst }),
	}
}

// The hot path allocates nothing once its memory is warm.
func TestHotPathAllocatesNothing(t *testing.T) {
	for _, w := range hotWork(t) {
		t.Run(w.name, func(t *testing.T) {
			if err := w.do(); err != nil {
				t.Fatal(err)
			}
			if n := testing.AllocsPerRun(100, func() { _ = w.do() }); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func BenchmarkHot(b *testing.B) {
	for _, w := range hotWork(b) {
		b.Run(w.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = w.do()
			}
		})
	}
}

// The generated types on the same messages, so that each number has a neighbour.
func BenchmarkGenerated(b *testing.B) {
	for _, request := range []proto.Message{ordinarySend(), ordinaryReceive(), ordinaryAck(), ordinaryChange()} {
		encoded := marshal(b, request)
		b.Run(string(request.ProtoReflect().Descriptor().Name()), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := proto.Unmarshal(encoded, request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The cost of a body that is not looked at: one of 4 MiB, in blocks of 64 KiB.
func BenchmarkSendViewLargeBody(b *testing.B) {
	request := ordinarySend()
	request.Messages[0].Body = make([]byte, 4<<20)
	encoded, chain := marshal(b, request), new(pool.Chain)
	for len(encoded) > 0 {
		n := min(len(encoded), 64<<10)
		chain.Append(pool.Static(encoded[:n]))
		encoded = encoded[n:]
	}
	var v SendView
	limits := DefaultLimits()
	b.ReportAllocs()
	for b.Loop() {
		if err := v.Parse(chain, &limits); err != nil {
			b.Fatal(err)
		}
	}
}
