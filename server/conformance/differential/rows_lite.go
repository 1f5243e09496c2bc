package differential

import (
	"strconv"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/server/conformance/cluster"
)

func subscribe(action v2.LiteSubscriptionAction, liteTopics []string, changes ...func(*v2.SyncLiteSubscriptionRequest)) Call {
	request := &v2.SyncLiteSubscriptionRequest{
		Topic: resource("{own}"), Group: resource("{group}"), Action: action, LiteTopicSet: liteTopics,
	}
	for _, change := range changes {
		change(request)
	}
	return Call{Method: "SyncLiteSubscription", Request: request}
}

// liteGroup is a group for the lite topics of the row's own topic.
func liteGroup() *cluster.Group {
	return &cluster.Group{RetryMax: 16, LiteOf: "{own}"}
}

func liteRows() []Row {
	const add, remove = v2.LiteSubscriptionAction_PARTIAL_ADD, v2.LiteSubscriptionAction_PARTIAL_REMOVE
	const addAll, removeAll = v2.LiteSubscriptionAction_COMPLETE_ADD, v2.LiteSubscriptionAction_COMPLETE_REMOVE
	type request = v2.SyncLiteSubscriptionRequest
	consumes := opens(consumer(v2.ClientType_LITE_PUSH_CONSUMER, "{own}", "{group}"))
	lite := func(what string, all ...Step) Row {
		return Row{Name: "lite: " + what, Own: "LITE", Group: liteGroup(), Steps: append([]Step{consumes}, all...)}
	}
	from := func(o *v2.OffsetOption) func(*request) { return func(m *request) { m.OffsetOption = o } }
	many := func(n int) (names []string) {
		for i := range n {
			names = append(names, "l"+strconv.Itoa(i))
		}
		return names
	}
	rows := []Row{
		lite("add one", subscribe(add, []string{"l"})),
		lite("add none", subscribe(add, nil)),
		lite("add what is there", subscribe(add, []string{"l"}), subscribe(add, []string{"l"})),
		lite("remove", subscribe(add, []string{"l"}), subscribe(remove, []string{"l"})),
		lite("remove what is not there", subscribe(remove, []string{"l"})),
		lite("add all", subscribe(addAll, []string{"a", "b"})),
		lite("add all of none", subscribe(addAll, nil)),
		lite("remove all", subscribe(add, []string{"l"}), subscribe(removeAll, nil)),
		lite("action nobody knows", subscribe(9, []string{"l"})),
		lite("lite topic of 64 bytes", subscribe(add, []string{"{l*64}"})),
		lite("lite topic of 65 bytes", subscribe(add, []string{"{l*65}"})),
		lite("blank lite topic", subscribe(add, []string{""})),
		lite("lite topic of white space", subscribe(add, []string{"a", " "})),
		lite("lite topic with a dot", subscribe(add, []string{"a.b"})),
		lite("bad lite topic to remove", subscribe(remove, []string{"a.b"})),
		lite("bad lite topic among all", subscribe(addAll, []string{"a.b"})),
		lite("2300 at once", subscribe(addAll, many(2300))),
		lite("2301 at once", subscribe(addAll, many(2301))),
		lite("version", subscribe(addAll, []string{"a"}, func(m *request) { m.Version = new(int64) })),
		lite("from the last offset", subscribe(add, []string{"l"}, from(&v2.OffsetOption{OffsetType: &v2.OffsetOption_Policy_{Policy: v2.OffsetOption_LAST}}))),
		lite("from the lowest offset", subscribe(add, []string{"l"}, from(&v2.OffsetOption{OffsetType: &v2.OffsetOption_Policy_{Policy: v2.OffsetOption_MIN}}))),
		lite("from a policy nobody knows", subscribe(add, []string{"l"}, from(&v2.OffsetOption{OffsetType: &v2.OffsetOption_Policy_{Policy: 9}}))),
		lite("from an offset", subscribe(add, []string{"l"}, from(&v2.OffsetOption{OffsetType: &v2.OffsetOption_Offset{Offset: 3}}))),
		lite("from the tail", subscribe(add, []string{"l"}, from(&v2.OffsetOption{OffsetType: &v2.OffsetOption_TailN{TailN: 3}}))),
		lite("from a time", subscribe(add, []string{"l"}, from(&v2.OffsetOption{OffsetType: &v2.OffsetOption_Timestamp{Timestamp: 1}}))),
		lite("from nowhere", subscribe(add, []string{"l"}, from(&v2.OffsetOption{}))),
		lite("from nowhere, to remove", subscribe(remove, []string{"l"}, from(&v2.OffsetOption{}))),
		lite("another topic", subscribe(add, []string{"l"}, func(m *request) { m.Topic = resource("{lite}") })),
		lite("group nobody bound", subscribe(add, []string{"l"}, func(m *request) { m.Group = resource("{othergroup}") })),
		lite("by a stranger", Becomes{"other"}, subscribe(add, []string{"l"})),
		lite("message to a lite topic", subscribe(add, []string{"l"}), send(message("{own}", liteTopic("l"))), receives(), Stored{},
			Call{Method: "AckMessage", Request: &v2.AckMessageRequest{Topic: resource("{own}"), Group: resource("{group}"),
				Entries: []*v2.AckMessageEntry{{MessageId: "{message1}", ReceiptHandle: "{handle}", LiteTopic: proto.String("l")}}}}),
		lite("ack that does not name its lite topic", subscribe(add, []string{"l"}), send(message("{own}", liteTopic("l"))), receives(), ack("{handle}")),
		lite("message to a lite topic nobody reads", send(message("{own}", liteTopic("l"))), polls()),
		{Name: "lite: settings of a push consumer for a lite group", Own: "LITE", Group: liteGroup(), Steps: steps(push())},
		{Name: "lite: settings of a lite consumer for a regular group", Steps: steps(consumes)},
		{Name: "lite: settings of a lite consumer for another topic", Own: "LITE", Group: liteGroup(), Steps: steps(
			opens(consumer(v2.ClientType_LITE_PUSH_CONSUMER, "{lite}", "{group}")))},
		{Name: "lite: settings of a lite simple consumer", Own: "LITE", Group: liteGroup(), Steps: steps(
			opens(consumer(v2.ClientType_LITE_SIMPLE_CONSUMER, "{own}", "{group}")))},
		lite("receive of a topic of another type", polls(func(m *v2.ReceiveMessageRequest) { m.MessageQueue.Topic = resource("{normal}") })),
		lite("goodbye", subscribe(add, []string{"l"}), goodbye("{group}")),
		one("lite: no request", Call{Method: "SyncLiteSubscription", Request: &request{}}),
	}
	for _, bad := range badTopics {
		rows = append(rows, one("lite: "+bad.what, subscribe(add, []string{"l"}, func(m *request) { m.Topic = resource(bad.name) })))
	}
	for _, bad := range badGroups {
		rows = append(rows, one("lite: "+bad.what, subscribe(add, []string{"l"}, func(m *request) { m.Group = resource(bad.name) })))
	}
	return rows
}
