package differential

import (
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/server/conformance/cluster"
)

// badHandles are receipt handles that stand for no delivery.
var badHandles = []struct{ what, handle string }{
	{"no handle", ""},
	{"handle that is none", "garbage"},
	{"handle of white space", " "},
	{"handle of 7 words", "0 {now} 60000 0 0 {broker} 0"},
	{"handle with a word for a number", "0 {now} 60000 0 0 {broker} zero 0 0"},
	{"handle with a word for a time", "0 soon 60000 0 0 {broker} 0 0 0"},
	{"handle with an offset beyond 64 bits", "0 {now} 60000 0 0 {broker} 0 99999999999999999999 0"},
	{"handle with a queue beyond 32 bits", "0 {now} 60000 0 0 {broker} 4294967296 0 0"},
	{"handle with two spaces", "0  {now} 60000 0 0 {broker} 0 0 0"},
	{"handle with a space in front", " 0 {now} 60000 0 0 {broker} 0 0 0"},
	{"handle that has expired", "0 1000 1000 0 0 {broker} 0 0 0"},
	{"handle that expired a second ago", "0 {now-61000} 60000 0 0 {broker} 0 0 0"},
	{"handle of a broker nobody knows", "0 {now} 60000 0 0 no-such-broker 0 0 0"},
	{"handle of a queue that is not there", "0 {now} 60000 0 0 {broker} 99 0 0"},
	{"handle of a queue below 0", "0 {now} 60000 0 0 {broker} -1 0 0"},
	{"handle of an offset that is not there", "0 {now} 60000 0 0 {broker} 0 99 0"},
	{"handle of an offset below 0", "0 {now} 60000 0 0 {broker} 0 -1 0"},
	{"handle of a retry topic that is not there", "0 {now} 60000 0 1 {broker} 0 0 0"},
	{"handle of a topic of no kind", "0 {now} 60000 0 7 {broker} 0 0 0"},
	{"handle of a revive queue that is not there", "0 {now} 60000 99 0 {broker} 0 0 0"},
	{"handle of a delivery that never was", "0 {now} 60000 0 0 {broker} 0 0 0"},
}

func ackRows() []Row {
	rows := []Row{
		{Name: "ack: good handle", Steps: delivered(ack("{handle}"))},
		{Name: "ack: twice", Steps: delivered(ack("{handle}"), ack("{handle}"))},
		{Name: "ack: one handle twice at once", Steps: delivered(ack("{handle}", "{handle}"))},
		{Name: "ack: handle without the commit log offset", Steps: delivered(ack("{handle/8}"))},
		{Name: "ack: handle with one word more", Steps: delivered(ack("{handle} 7"))},
		{Name: "ack: by a stranger", Steps: delivered(Becomes{"other"}, ack("{handle}"))},
		{Name: "ack: after the client has gone", Steps: delivered(goodbye("{group}"), ack("{handle}"))},
		{Name: "ack: what is acknowledged does not come again", Steps: steps(simple(), send(message("{own}")),
			receives(invisible(10)), ack("{handle}"), within(polls(func(m *v2.ReceiveMessageRequest) { m.LongPollingTimeout = seconds(14) }), 18*time.Second))},
		{Name: "ack: for another group", Steps: delivered(Call{Method: "AckMessage", Request: &v2.AckMessageRequest{
			Topic: resource("{own}"), Group: resource("{othergroup}"), Entries: []*v2.AckMessageEntry{{MessageId: "{message1}", ReceiptHandle: "{handle}"}},
		}})},
		{Name: "ack: for another topic", Steps: delivered(Call{Method: "AckMessage", Request: &v2.AckMessageRequest{
			Topic: resource("{normal}"), Group: resource("{group}"), Entries: []*v2.AckMessageEntry{{MessageId: "{message1}", ReceiptHandle: "{handle}"}},
		}})},
		{Name: "ack: under another message id", Steps: delivered(Call{Method: "AckMessage", Request: &v2.AckMessageRequest{
			Topic: resource("{own}"), Group: resource("{group}"), Entries: []*v2.AckMessageEntry{{MessageId: "x", ReceiptHandle: "{handle}"}},
		}})},
		{Name: "ack: a delivery that is renewed", Steps: steps(push(), send(message("{own}")),
			receives(func(m *v2.ReceiveMessageRequest) { m.AutoRenew = true }), ack("{handle}"))},
		{Name: "ack: with a lite topic", Steps: delivered(Call{Method: "AckMessage", Request: &v2.AckMessageRequest{
			Topic: resource("{own}"), Group: resource("{group}"),
			Entries: []*v2.AckMessageEntry{{MessageId: "{message1}", ReceiptHandle: "{handle}", LiteTopic: proto.String("l")}},
		}})},
		one("ack: no request", Call{Method: "AckMessage", Request: &v2.AckMessageRequest{}}),
		one("ack: no entry", ack()),
		one("ack: entry without anything", Call{Method: "AckMessage", Request: &v2.AckMessageRequest{
			Topic: resource("{own}"), Group: resource("{group}"), Entries: []*v2.AckMessageEntry{{}},
		}}),
		{Name: "ack: a good handle, an expired one and a damaged one", Steps: delivered(ack("{handle}", "0 1000 1000 0 0 {broker} 0 0 0", "garbage"))},
		{Name: "ack: two expired ones", Steps: steps(ack("0 1000 1000 0 0 {broker} 0 0 0", "1 1000 1000 0 0 {broker} 0 1 0"))},
		{Name: "ack: order of a fifo group", Own: "FIFO", Group: orderly(), Steps: steps(simple(),
			send(message("{own}", messageGroup("g"))), send(message("{own}", id("{message2}"), messageGroup("g"))),
			receives(), ack("{handle}"), receives(), ack("{handle}"))},
	}
	for _, bad := range badHandles {
		rows = append(rows, one("ack: "+bad.what, ack(bad.handle)))
	}
	for _, bad := range badTopics {
		rows = append(rows, one("ack: "+bad.what, Call{Method: "AckMessage", Request: &v2.AckMessageRequest{Topic: resource(bad.name), Group: resource("{group}")}}))
	}
	for _, bad := range badGroups {
		rows = append(rows, one("ack: "+bad.what, Call{Method: "AckMessage", Request: &v2.AckMessageRequest{Topic: resource("{normal}"), Group: resource(bad.name)}}))
	}
	return rows
}

func changeRows() []Row {
	type request = v2.ChangeInvisibleDurationRequest
	rows := []Row{
		{Name: "change: to 40 s", Steps: delivered(change("{handle}", 40), ack("{changed}"))},
		{Name: "change: twice", Steps: delivered(change("{handle}", 40), change("{changed}", 50), ack("{changed}"))},
		{Name: "change: with the old handle", Steps: delivered(change("{handle}", 40), change("{handle}", 50))},
		{Name: "change: then ack with the old handle", Steps: delivered(change("{handle}", 40), ack("{handle}"))},
		{Name: "change: to 0", Steps: delivered(change("{handle}", 0), receives(), ack("{handle}"))},
		{Name: "change: to a second", Steps: delivered(change("{handle}", 1), receives(), Stored{}, ack("{handle}"))},
		{Name: "change: to half a millisecond", Steps: delivered(change("{handle}", 0.0005))},
		{Name: "change: to 12 h", Steps: delivered(change("{handle}", 43200))},
		{Name: "change: no duration", Steps: delivered(change("{handle}", 0, func(m *request) { m.InvisibleDuration = nil }))},
		{Name: "change: suspended", Steps: delivered(change("{handle}", 1, func(m *request) { m.Suspend = proto.Bool(true) }), receives(), Stored{})},
		{Name: "change: handle without the commit log offset", Steps: delivered(change("{handle/8}", 40), ack("{changed}"))},
		{Name: "change: by a stranger", Steps: delivered(Becomes{"other"}, change("{handle}", 40))},
		{Name: "change: after an ack", Steps: delivered(ack("{handle}"), change("{handle}", 40))},
		{Name: "change: a delivery that is renewed", Steps: steps(push(), send(message("{own}")),
			receives(func(m *v2.ReceiveMessageRequest) { m.AutoRenew = true }), change("{handle}", 40), ack("{changed}"))},
		{Name: "change: for another group", Steps: delivered(change("{handle}", 40, func(m *request) { m.Group = resource("{othergroup}") }))},
		{Name: "change: under another message id", Steps: delivered(change("{handle}", 40, func(m *request) { m.MessageId = "x" }))},
		{Name: "change: in a group with order", Own: "FIFO", Group: orderly(), Steps: steps(simple(),
			send(message("{own}", messageGroup("g"))), receives(), change("{handle}", 1), receives(), ack("{handle}"))},
		one("change: no request", Call{Method: "ChangeInvisibleDuration", Request: &request{}}),
		{Name: "change: to less than nothing", Steps: steps(simple(), change("0 {now} 60000 0 0 {broker} 0 0 0", -1))},
		{Name: "change: to a little less than nothing", Steps: steps(simple(), change("0 1000 1000 0 0 {broker} 0 0 0", -0.0001))},
		{Name: "change: to 12 h and a millisecond", Steps: steps(simple(), change("0 {now} 60000 0 0 {broker} 0 0 0", 43200.001))},
		{Name: "change: bad duration and bad handle", Steps: steps(simple(), change("garbage", 50000))},
		one("change: by a client without settings", change("0 {now} 60000 0 0 {broker} 0 0 0", 40)),
	}
	for _, bad := range badHandles {
		rows = append(rows, Row{Name: "change: " + bad.what, Steps: steps(simple(), change(bad.handle, 40))})
	}
	for _, bad := range badTopics {
		rows = append(rows, Row{Name: "change: " + bad.what, Steps: steps(simple(), change("garbage", 40, func(m *request) { m.Topic = resource(bad.name) }))})
	}
	for _, bad := range badGroups {
		rows = append(rows, Row{Name: "change: " + bad.what, Steps: steps(simple(), change("garbage", 40, func(m *request) { m.Group = resource(bad.name) }))})
	}
	return rows
}

func forwardRows() []Row {
	type request = v2.ForwardMessageToDeadLetterQueueRequest
	rows := []Row{
		{Name: "forward: good handle", Steps: delivered(forward("{handle}"))},
		{Name: "forward: and read the dead letter", Steps: delivered(forward("{handle}"),
			Becomes{"other"}, opens(consumer(v2.ClientType_SIMPLE_CONSUMER, "%DLQ%{group}", "{othergroup}")),
			receives(from("%DLQ%{group}"), by("{othergroup}")), Stored{})},
		{Name: "forward: twice", Steps: delivered(forward("{handle}"), forward("{handle}"))},
		{Name: "forward: after an ack", Steps: delivered(ack("{handle}"), forward("{handle}"))},
		{Name: "forward: then ack", Steps: delivered(forward("{handle}"), ack("{handle}"))},
		{Name: "forward: handle without the commit log offset", Steps: delivered(forward("{handle/8}"))},
		{Name: "forward: with attempts to come", Steps: delivered(forward("{handle}", func(m *request) { m.DeliveryAttempt, m.MaxDeliveryAttempts = 1, 16 }))},
		{Name: "forward: under another message id", Steps: delivered(forward("{handle}", func(m *request) { m.MessageId = "x" }))},
		{Name: "forward: no message id", Steps: delivered(forward("{handle}", func(m *request) { m.MessageId = "" }))},
		{Name: "forward: by a stranger", Steps: delivered(Becomes{"other"}, forward("{handle}"))},
		{Name: "forward: in a group with order", Own: "FIFO", Group: &cluster.Group{Orderly: true, RetryMax: 3}, Steps: steps(simple(),
			send(message("{own}", messageGroup("g"))), receives(), forward("{handle}"))},
		one("forward: no request", Call{Method: "ForwardMessageToDeadLetterQueue", Request: &request{}}),
		one("forward: by a client without settings", forward("garbage")),
	}
	for _, bad := range badHandles {
		rows = append(rows, Row{Name: "forward: " + bad.what, Steps: steps(simple(), forward(bad.handle))})
	}
	for _, bad := range badTopics {
		rows = append(rows, Row{Name: "forward: " + bad.what, Steps: steps(simple(), forward("garbage", func(m *request) { m.Topic = resource(bad.name) }))})
	}
	for _, bad := range badGroups {
		rows = append(rows, Row{Name: "forward: " + bad.what, Steps: steps(simple(), forward("garbage", func(m *request) { m.Group = resource(bad.name) }))})
	}
	return rows
}
