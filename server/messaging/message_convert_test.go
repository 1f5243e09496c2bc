package messaging

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/backend"
)

// readable writes encoded properties as name=value;.
func readable(properties []byte) string {
	return strings.NewReplacer("\x01", "=", "\x02", ";").Replace(string(properties))
}

// TestStoredProperties is gRPC specification 3.1, one message at a time: the exact property
// string, and what travels beside it.
func TestStoredProperties(t *testing.T) {
	born := time.UnixMilli(1_700_000_000_123)
	for _, test := range []struct {
		name       string
		change     func(*apiv2.Message)
		properties string
		flag       int32
		born       int64
		reconsumed int32
	}{{
		name: "nothing but an id", change: func(*apiv2.Message) {},
		properties: "TAGS=;UNIQ_KEY=ID1;RECONSUME_TIME=0;PGROUP=orders;__BORNHOST=10.1.2.3:4567;BORN_TIMESTAMP=0;",
	}, {
		name: "everything",
		change: func(m *apiv2.Message) {
			m.UserProperties = map[string]string{"color": "red"}
			m.SystemProperties = &apiv2.SystemProperties{
				Tag: proto.String("tag-a"), Keys: []string{"k1", "k2"}, MessageId: "ID1", BodyEncoding: apiv2.Encoding_GZIP,
				MessageType: apiv2.MessageType_TRANSACTION, BornTimestamp: stamp(born), BornHost: "laptop",
				DeliveryTimestamp: &timestamppb.Timestamp{Seconds: 1_700_000_100}, DeliveryAttempt: proto.Int32(3),
				MessageGroup: proto.String("group-1"), TraceContext: proto.String("trace"), LiteTopic: proto.String("lite"),
				OrphanedTransactionRecoveryDuration: durationpb.New(90*time.Second + time.Millisecond), Priority: proto.Int32(7),
				// what only servers say is not looked at
				StoreHost: "x", QueueId: 5, QueueOffset: proto.Int64(6), ReceiptHandle: proto.String("r"),
			}
		},
		properties: "color=red;TAGS=tag-a;KEYS=k1 k2;UNIQ_KEY=ID1;TRAN_MSG=true;CHECK_IMMUNITY_TIME_IN_SECONDS=90;" +
			"TIMER_DELIVER_MS=1700000100000;_SYS_MSG_PRIORITY_=7;RECONSUME_TIME=3;PGROUP=orders;__SHARDINGKEY=group-1;" +
			"__LITE_TOPIC=lite;TRACE_CONTEXT=trace;__BORNHOST=laptop;BORN_TIMESTAMP=1700000000123;",
		flag: 4 | 1, born: 1_700_000_000_123,
	}, {
		name: "empty fields",
		change: func(m *apiv2.Message) {
			m.SystemProperties.Keys = []string{"only"}
			m.SystemProperties.MessageGroup, m.SystemProperties.LiteTopic, m.SystemProperties.TraceContext = proto.String(""), proto.String(""), proto.String("")
			m.SystemProperties.BornHost = " "
		},
		properties: "TAGS=;KEYS=only;UNIQ_KEY=ID1;RECONSUME_TIME=0;PGROUP=orders;__BORNHOST=10.1.2.3:4567;BORN_TIMESTAMP=0;",
	}, {
		name:       "a recovery time without a transaction",
		change:     system(func(s *apiv2.SystemProperties) { s.OrphanedTransactionRecoveryDuration = durationpb.New(time.Minute) }),
		properties: "TAGS=;UNIQ_KEY=ID1;RECONSUME_TIME=0;PGROUP=orders;__BORNHOST=10.1.2.3:4567;BORN_TIMESTAMP=0;",
	}, {
		name: "a retry topic has the attempt in the head",
		change: func(m *apiv2.Message) {
			m.Topic = resource("%RETRY%g_orders")
			m.SystemProperties.DeliveryAttempt = proto.Int32(4)
		},
		properties: "TAGS=;UNIQ_KEY=ID1;PGROUP=%RETRY%g_orders;__BORNHOST=10.1.2.3:4567;BORN_TIMESTAMP=0;",
		reconsumed: 4,
	}} {
		w := newWorld(t)
		w.fake.know(&backend.Topic{Name: "%RETRY%g_orders", Exists: true})
		p := w.connect()
		p.call("SendMessage", sendRequest(message1(test.change)))
		m := asked[*backend.Send](p, 0).Messages[0]
		if got := readable(m.Properties); got != test.properties {
			t.Errorf("%s:\n%s, want\n%s", test.name, got, test.properties)
		}
		if m.SysFlag != test.flag || m.BornTimestamp != test.born || m.ReconsumeTimes != test.reconsumed {
			t.Errorf("%s: %+v, want flag %d, born %d, %d times", test.name, m, test.flag, test.born, test.reconsumed)
		}
		p.works()
	}
}

// TestStoredBornTimestamp: a client that says what is no time gets ours.
func TestStoredBornTimestamp(t *testing.T) {
	w := newWorld(t)
	p := w.connect()
	p.call("SendMessage", sendRequest(message1(system(func(s *apiv2.SystemProperties) {
		s.BornTimestamp = &timestamppb.Timestamp{Nanos: -1}
	}))))
	m := asked[*backend.Send](p, 0).Messages[0]
	if m.BornTimestamp != w.now.UnixMilli() || strings.Contains(string(m.Properties), "BORN_TIMESTAMP") {
		t.Errorf("%+v, properties %q", m, m.Properties)
	}
	p.works()
}

// TestStoredPropertiesOfABatch are each message's own, though they share memory that grows.
func TestStoredPropertiesOfABatch(t *testing.T) {
	p := newWorld(t).connect()
	var messages []*apiv2.Message
	for i := range 40 {
		messages = append(messages, message1(property("n", strings.Repeat("v", 10*i+1))))
	}
	p.call("SendMessage", sendRequest(messages...))
	for i, m := range asked[*backend.Send](p, 0).Messages {
		if want := "n=" + strings.Repeat("v", 10*i+1) + ";TAGS="; !strings.HasPrefix(readable(m.Properties), want) {
			t.Errorf("message %d: %q", i, readable(m.Properties))
		}
	}
	p.works()
}
