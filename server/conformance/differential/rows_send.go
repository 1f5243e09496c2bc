package differential

import (
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"rocketmq-proxy/server/conformance/cluster"
)

func orderly() *cluster.Group { return &cluster.Group{Orderly: true, RetryMax: 16} }

// sendRows are sends that are refused, or of which nothing but the answer is looked at.
func sendRows() []Row {
	normal := func(what string, changes ...func(*v2.Message)) Row {
		return one("send: "+what, sends("{normal}", changes...))
	}
	rows := []Row{
		one("send: no message", send()),
		one("send: message without anything", send(&v2.Message{})),
		one("send: message without system properties", send(&v2.Message{Topic: resource("{normal}"), Body: []byte("x")})),

		normal("empty body", body("")),
		normal("body of 4 MiB and a byte", body("{b*4194305}")),
		normal("128 properties and more", properties(129)),
		normal("properties of 16385 bytes", tag(""), keys(), func(m *v2.Message) { m.UserProperties = map[string]string{"p": "{v*16384}"} }),
		normal("properties, tag and keys of 16385 bytes", tag("t"), keys("k"), func(m *v2.Message) { m.UserProperties = map[string]string{"p": "{v*16382}"} }),
		normal("properties of 16385 bytes beyond ASCII", tag(""), keys(), func(m *v2.Message) { m.UserProperties = map[string]string{"p": "{é*8192}"} }),
		normal("key of a property with a control character", property("a\x01b", "x")),
		normal("key of a property with DEL", property("a\x7fb", "x")),
		normal("key of a property with a C1 control character", property("a\u0085b", "x")),
		normal("property with a control character", property("a", "\x02")),
		normal("property with a line end", property("a", "x\ny")),
		normal("tag of white space", tag(" ")),
		normal("tag with a bar", tag("a|b")),
		normal("tag with two bars", tag("a || b")),
		normal("tag with a control character", tag("a\tb")),
		normal("tag of white space beyond ASCII", tag("\u2003")),
		normal("key of white space", keys(" ")),
		normal("key of white space after a good one", keys("k", "\t")),
		normal("key with a control character", keys("a\nb")),
		normal("no message id", id("")),
		normal("message id of white space", id(" ")),
		normal("priority below 0", priority(-1)),
		normal("message group of white space", messageGroup(" ")),
		normal("message group of 64 bytes", messageGroup("{g*64}")),
		normal("message group of 64 bytes beyond ASCII", messageGroup("{é*32}")),
		normal("message group with a control character", messageGroup("a\x01b")),
		normal("lite topic of white space", liteTopic(" ")),
		normal("lite topic of 65 bytes", liteTopic("{l*65}")),
		normal("lite topic with a dot", liteTopic("a.b")),
		normal("lite topic with a per cent", liteTopic("a%b")),
		normal("delayed for more than a day", delayed(24*time.Hour+5*time.Minute)),
		normal("delayed for a year", delayed(365*24*time.Hour)),
		normal("half message with a recovery of 3601 s", half(), recovery(3601)),
		normal("normal message with a recovery of 3601 s", recovery(3601), messageGroup("g")),

		// The first fault is told: they are looked for in this order.
		normal("bad body before bad properties", body(""), tag(" ")),
		normal("bad property before bad tag", property("UNIQ_KEY", "x"), tag(" ")),
		normal("bad tag before bad key", tag(" "), keys(" ")),
		normal("bad key before no id", keys(" "), id("")),
		normal("no id before bad message group", id(""), messageGroup(" ")),
		normal("bad delay before bad priority", delayed(25*time.Hour), priority(-1)),
		normal("bad priority before bad message group", priority(-1), messageGroup(" ")),
		normal("too many properties before a bad one", properties(129), property("UNIQ_KEY", "x")),

		// Two messages.
		one("send: two topics", send(message("{normal}"), message("{fifo}", id("{message2}")))),
		one("send: two namespaces", send(message("{normal}"), message("{normal}", id("{message2}"), func(m *v2.Message) { m.Topic.ResourceNamespace = "shop" }))),
		one("send: second message bad", send(message("{normal}"), message("{normal}", id("{message2}"), tag(" ")))),
		one("send: second message of a bad topic", send(message("{normal}"), message("a/b", id("{message2}")))),
		one("send: second message without a body", send(message("{normal}"), message("{normal}", id("{message2}"), body("")))),
	}
	for _, reserved := range []string{
		"UNIQ_KEY", "KEYS", "TAGS", "DELAY", "TRAN_MSG", "PGROUP", "POP_CK", "RECONSUME_TIME", "TIMER_DELIVER_MS", "__BORNHOST",
		"BORN_TIMESTAMP", "_SYS_MSG_PRIORITY_", "__LITE_TOPIC", "DLQ_ORIGIN_TOPIC", "__CRC32#", "TRANSFER_FLAG", "REAL_TOPIC", "CLUSTER",
	} {
		rows = append(rows, normal("property of the system's: "+reserved, property(reserved, "x")))
	}
	for _, bad := range badTopics {
		rows = append(rows, one("send: "+bad.what, sends(bad.name)))
	}

	// Each type of topic takes its own messages only.
	kinds := map[string]func(*v2.Message){
		"normal": func(*v2.Message) {}, "fifo": messageGroup("g"), "delay": delayed(time.Second), "transaction": half(),
		"priority": priority(1), "lite": liteTopic("l"),
	}
	for _, topic := range []string{"normal", "fifo", "delay", "transaction", "priority", "lite"} {
		for _, kind := range []string{"normal", "fifo", "delay", "transaction", "priority", "lite"} {
			if kind != topic {
				rows = append(rows, one("send: "+kind+" message to a topic of type "+topic, sends("{"+topic+"}", kinds[kind])))
			}
		}
	}
	return append(rows,
		one("send: delayed message with a group to a fifo topic", sends("{fifo}", messageGroup("g"), delayed(time.Second))),
		one("send: half message with a group to a fifo topic", sends("{fifo}", messageGroup("g"), half())),
		one("send: message of type fifo without a group", sends("{fifo}", system(func(s *v2.SystemProperties) { s.MessageType = v2.MessageType_FIFO }))),
		one("send: message of type delay without a time", sends("{delay}", system(func(s *v2.SystemProperties) { s.MessageType = v2.MessageType_DELAY }))),
		one("send: group in a user's property to a normal topic", sends("{normal}", property("__SHARDINGKEY", "g"))),
		one("send: delivery time beyond what a Timestamp may be", sends("{delay}", system(func(s *v2.SystemProperties) {
			s.DeliveryTimestamp = &timestamppb.Timestamp{Seconds: 1 << 50}
		}))),
		one("send: delivery time with too many nanoseconds", sends("{delay}", system(func(s *v2.SystemProperties) {
			s.DeliveryTimestamp = &timestamppb.Timestamp{Seconds: 1, Nanos: 2_000_000_000}
		}))),
		one("send: message group with a separator of properties", sends("{fifo}", messageGroup("a\x02b"))),
		one("send: trace context with a separator of properties", sends("{normal}", system(func(s *v2.SystemProperties) { s.TraceContext = proto.String("a\x01b\x02c") }))),
		one("send: born host with a separator of properties", sends("{normal}", system(func(s *v2.SystemProperties) { s.BornHost = "a\x01b\x02c" }))),
		one("send: message id with a separator of properties", sends("{normal}", id("a\x01b\x02c"))),
	)
}

// storedRows are messages that are taken, delivered, and looked up in the broker's store.
func storedRows() []Row {
	kept := func(what, own string, changes ...func(*v2.Message)) Row {
		return Row{Name: "stored: " + what, Own: own, Steps: steps(simple(), send(message("{own}", changes...)), receives(), Stored{}, ack("{handle}"))}
	}
	set := system
	return []Row{
		kept("normal message", "NORMAL"),
		kept("nothing but what must be", "NORMAL", func(m *v2.Message) {
			m.UserProperties, m.SystemProperties = nil, &v2.SystemProperties{MessageId: "{message1}"}
		}),
		kept("no tag", "NORMAL", set(func(s *v2.SystemProperties) { s.Tag = nil })),
		kept("empty tag", "NORMAL", tag("")),
		kept("tag beyond ASCII", "NORMAL", tag("röd ✓ 😀")),
		kept("no key", "NORMAL", keys()),
		kept("one key", "NORMAL", keys("k")),
		kept("empty key", "NORMAL", keys("")),
		kept("empty key between others", "NORMAL", keys("a", "", "b")),
		kept("empty key at the end", "NORMAL", keys("a", "")),
		kept("key with a space", "NORMAL", keys("a b")),
		kept("128 properties", "NORMAL", properties(128)),
		kept("properties of 16384 bytes", "NORMAL", tag(""), keys(), func(m *v2.Message) { m.UserProperties = map[string]string{"p": "{v*16383}"} }),
		kept("empty property", "NORMAL", property("empty", "")),
		kept("property without a key", "NORMAL", property("", "x")),
		kept("property beyond ASCII", "NORMAL", property("färg", "grön 😀")),
		kept("properties that only look like the system's", "NORMAL", property("uniq_key", "x"), property("tags", "x"), property("__transactionId__", "x")),
		kept("properties that the system forgets to keep for itself", "NORMAL",
			property("TRACE_CONTEXT", "x"), property("REDIRECT", "x"), property("CHECK_IMMUNITY_TIME_IN_SECONDS", "5")),
		kept("body of a byte", "NORMAL", body("x")),
		kept("body with every byte", "NORMAL", func(m *v2.Message) {
			m.Body = nil
			for i := range 256 {
				if i != '{' && i != '}' {
					m.Body = append(m.Body, byte(i))
				}
			}
		}),
		kept("body of 64 KiB", "NORMAL", body("{b*65536}")),
		kept("body of 4 MiB less what surrounds it", "NORMAL", body("{b*4190000}")),
		kept("compressed body", "NORMAL", set(func(s *v2.SystemProperties) { s.BodyEncoding = v2.Encoding_GZIP })),
		kept("body of no encoding", "NORMAL", set(func(s *v2.SystemProperties) { s.BodyEncoding = v2.Encoding_ENCODING_UNSPECIFIED })),
		kept("body of an encoding nobody knows", "NORMAL", set(func(s *v2.SystemProperties) { s.BodyEncoding = 9 })),
		kept("wrong digest of the body", "NORMAL", set(func(s *v2.SystemProperties) {
			s.BodyDigest = &v2.Digest{Type: v2.DigestType_CRC32, Checksum: "00"}
		})),
		kept("no type", "NORMAL", set(func(s *v2.SystemProperties) { s.MessageType = v2.MessageType_MESSAGE_TYPE_UNSPECIFIED })),
		kept("type nobody knows", "NORMAL", set(func(s *v2.SystemProperties) { s.MessageType = 99 })),
		kept("normal message that says it is of type fifo", "NORMAL", set(func(s *v2.SystemProperties) { s.MessageType = v2.MessageType_FIFO })),
		kept("normal message with a recovery time", "NORMAL", recovery(10)),
		kept("no born timestamp", "NORMAL", set(func(s *v2.SystemProperties) { s.BornTimestamp = nil })),
		kept("born timestamp before 1970", "NORMAL", set(func(s *v2.SystemProperties) { s.BornTimestamp = &timestamppb.Timestamp{Seconds: -1000} })),
		kept("born timestamp between milliseconds", "NORMAL", set(func(s *v2.SystemProperties) {
			s.BornTimestamp = &timestamppb.Timestamp{Seconds: 1_700_000_000, Nanos: 123_987_654}
		})),
		kept("born timestamp beyond what a Timestamp may be", "NORMAL", set(func(s *v2.SystemProperties) { s.BornTimestamp = &timestamppb.Timestamp{Seconds: 1 << 50} })),
		kept("no born host", "NORMAL", set(func(s *v2.SystemProperties) { s.BornHost = "" })),
		kept("born host of white space", "NORMAL", set(func(s *v2.SystemProperties) { s.BornHost = " " })),
		kept("delivery attempt", "NORMAL", set(func(s *v2.SystemProperties) { s.DeliveryAttempt = proto.Int32(7) })),
		kept("trace context", "NORMAL", set(func(s *v2.SystemProperties) { s.TraceContext = proto.String("00-abc-def-01") })),
		kept("what only the server may say", "NORMAL", set(func(s *v2.SystemProperties) {
			s.StoreHost, s.QueueId, s.QueueOffset = "there", 7, proto.Int64(99)
			s.ReceiptHandle, s.InvisibleDuration = proto.String("x"), seconds(1)
			s.StoreTimestamp = at(-time.Hour)
			s.DeadLetterQueue = &v2.DeadLetterQueue{Topic: "t", MessageId: "m"}
		})),
		kept("namespace", "NORMAL", func(m *v2.Message) { m.Topic.ResourceNamespace = "shop" }),
		kept("message id as short as may be", "NORMAL", id("x")),
		kept("message id beyond ASCII", "NORMAL", id("é {message1}")),
		kept("empty message group", "NORMAL", messageGroup("")),
		kept("empty lite topic", "NORMAL", liteTopic("")),
		kept("fifo message", "FIFO", messageGroup("orders")),
		kept("fifo message with a group of 63 bytes", "FIFO", messageGroup("{g*63}")),
		kept("fifo message with a group beyond ASCII", "FIFO", messageGroup("用户42")),
		kept("fifo message by a user's property", "FIFO", property("__SHARDINGKEY", "g")),
		kept("fifo message with a priority", "FIFO", messageGroup("g"), priority(3)),
		kept("priority message", "PRIORITY", priority(3)),
		kept("priority message of priority 0", "PRIORITY", priority(0)),
		kept("priority message of a large priority", "PRIORITY", priority(1<<31-1)),
		kept("message to a mixed topic", "MIXED"),
		kept("fifo message to a mixed topic", "MIXED", messageGroup("g")),
		kept("priority message to a mixed topic", "MIXED", priority(2)),
		kept("delayed message", "DELAY", delayed(5*time.Second)),
		kept("delayed message that is due", "DELAY", delayed(-time.Minute)),
		kept("delayed message of 1970", "DELAY", set(func(s *v2.SystemProperties) { s.DeliveryTimestamp = &timestamppb.Timestamp{} })),
		kept("delayed message with a group", "DELAY", delayed(5*time.Second), messageGroup("g")),
		kept("delayed message to a mixed topic", "MIXED", delayed(5*time.Second)),
		{Name: "stored: delayed for a day", Own: "DELAY", Steps: steps(send(message("{own}", delayed(24*time.Hour-time.Minute))))},
		{Name: "stored: to a retry topic", Steps: steps(simple(), send(message("{own}")), receives(), send(message("%RETRY%{group}")))},
	}
}

// batchRows are sends of several messages in one request.
func batchRows() []Row {
	second := id("{message2}")
	both := func(what, own string, first, other func(*v2.Message)) Row {
		return Row{Name: "batch: " + what, Own: own, Steps: steps(
			simple(), send(message("{own}", first), message("{own}", second, other)),
			receives(), Stored{}, ack("{handle}"), receives(), Stored{}, ack("{handle}"),
		)}
	}
	plain := func(*v2.Message) {}
	many := func(n int, text string) (all []*v2.Message) {
		for range n {
			all = append(all, message("{own}", body(text)))
		}
		return all
	}
	return []Row{
		both("two messages", "NORMAL", plain, tag("blue")),
		both("two bodies, one compressed", "NORMAL", plain, system(func(s *v2.SystemProperties) { s.BodyEncoding = v2.Encoding_GZIP })),
		both("two of one message group", "FIFO", messageGroup("g"), messageGroup("g")),
		both("two message groups", "FIFO", messageGroup("g"), messageGroup("h")),
		{Name: "batch: second message of another type", Steps: steps(send(message("{own}"), message("{own}", second, messageGroup("g"))))},
		{Name: "batch: first message of another type", Steps: steps(send(message("{own}", messageGroup("g")), message("{own}", second)))},
		{Name: "batch: two delayed messages", Own: "DELAY", Steps: steps(send(message("{own}", delayed(time.Minute)), message("{own}", second, delayed(time.Minute))))},
		{Name: "batch: a normal and a delayed message", Own: "MIXED", Steps: steps(send(message("{own}"), message("{own}", second, delayed(time.Minute))))},
		{Name: "batch: two to a retry topic", Steps: steps(simple(), send(message("{own}")), receives(), send(message("%RETRY%{group}"), message("%RETRY%{group}", second)))},
		{Name: "batch: two half messages", Own: "TRANSACTION", Steps: steps(send(message("{own}", half()), message("{own}", second, half())))},
		{Name: "batch: 32 messages", Steps: steps(send(many(32, "x")...))},
		{Name: "batch: 100 messages", Steps: steps(send(many(100, "x")...))},
		{Name: "batch: one id twice", Steps: steps(send(message("{own}"), message("{own}")))},
		{Name: "batch: two of 3 MiB", Steps: steps(send(many(2, "{b*3145728}")...))},
		{Name: "batch: two that are too large together by a little", Steps: steps(send(many(2, "{b*2097152}")...))},
	}
}
