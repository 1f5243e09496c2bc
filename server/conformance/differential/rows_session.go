package differential

import (
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"rocketmq-proxy/server/conformance/cluster"
)

// settingsRows are what clients say of themselves on their telemetry streams.
func settingsRows() []Row {
	const pushes, pulls = v2.ClientType_PUSH_CONSUMER, v2.ClientType_PULL_CONSUMER
	const simply = v2.ClientType_SIMPLE_CONSUMER
	said := func(what string, s *v2.Settings) Row { return spoken("settings: "+what, opens(s)) }
	subscribed := func(kind v2.FilterType, expression string) func(*v2.Settings) {
		return func(s *v2.Settings) {
			s.GetSubscription().Subscriptions[0].Expression = &v2.FilterExpression{Type: kind, Expression: expression}
		}
	}
	rows := []Row{
		said("nothing", &v2.Settings{}),
		said("client type alone", clientSettings(v2.ClientType_PRODUCER)),
		said("producer", producer("{normal}")),
		said("producer of no topic", producer()),
		said("producer of two topics", producer("{normal}", "{fifo}")),
		said("producer of a topic twice", producer("{normal}", "{normal}")),
		said("producer of every type", producer("{fifo}", "{delay}", "{transaction}", "{priority}", "{lite}", "{mixed}")),
		said("producer without a client type", &v2.Settings{PubSub: producer("{normal}").PubSub}),
		said("producer with wishes", func() *v2.Settings {
			s := producer("{normal}")
			s.BackoffPolicy = &v2.RetryPolicy{MaxAttempts: 9, Strategy: &v2.RetryPolicy_CustomizedBackoff{
				CustomizedBackoff: &v2.CustomizedBackoff{Next: []*durationpb.Duration{seconds(7)}},
			}}
			s.GetPublishing().MaxBodySize, s.GetPublishing().ValidateMessageType = 7, false
			s.Metric = &v2.Metric{On: true, Endpoints: dialled}
			return s
		}()),
		said("publishing of a push consumer", func() *v2.Settings {
			s := producer("{normal}")
			s.ClientType = pushes.Enum()
			return s
		}()),
		said("push consumer", consumer(pushes, "{normal}", "{group}")),
		said("simple consumer", consumer(simply, "{normal}", "{group}")),
		said("pull consumer", consumer(pulls, "{normal}", "{group}")),
		said("lite push consumer", consumer(v2.ClientType_LITE_PUSH_CONSUMER, "{normal}", "{group}")),
		said("lite simple consumer", consumer(v2.ClientType_LITE_SIMPLE_CONSUMER, "{normal}", "{group}")),
		said("subscription of a producer", consumer(v2.ClientType_PRODUCER, "{normal}", "{group}")),
		said("subscription of a client of no type", consumer(v2.ClientType_CLIENT_TYPE_UNSPECIFIED, "{normal}", "{group}")),
		said("subscription of a client nobody knows", consumer(99, "{normal}", "{group}")),
		said("subscription without a client type", &v2.Settings{PubSub: consumer(simply, "{normal}", "{group}").PubSub}),
		said("subscription without a group", consumer(pushes, "{normal}", "", func(s *v2.Settings) { s.GetSubscription().Group = nil })),
		said("subscription of no topic", consumer(pushes, "", "{group}", func(s *v2.Settings) { s.GetSubscription().Subscriptions = nil })),
		said("subscription of two topics", consumer(pushes, "{normal}", "{group}", func(s *v2.Settings) {
			sub := s.GetSubscription()
			sub.Subscriptions = append(sub.Subscriptions, &v2.SubscriptionEntry{Topic: resource("{fifo}"), Expression: &v2.FilterExpression{Type: v2.FilterType_TAG, Expression: "a || b"}})
		})),
		said("subscription with wishes", consumer(simply, "{normal}", "{group}", func(s *v2.Settings) {
			sub := s.GetSubscription()
			sub.Fifo, sub.ReceiveBatchSize, sub.LongPollingTimeout = proto.Bool(true), proto.Int32(7), seconds(7)
			s.BackoffPolicy = &v2.RetryPolicy{MaxAttempts: 9, Strategy: &v2.RetryPolicy_ExponentialBackoff{
				ExponentialBackoff: &v2.ExponentialBackoff{Initial: seconds(1), Max: seconds(2), Multiplier: 3},
			}}
		})),
		said("subscription with customized wishes", consumer(simply, "{normal}", "{group}", func(s *v2.Settings) {
			s.BackoffPolicy = &v2.RetryPolicy{MaxAttempts: 9, Strategy: &v2.RetryPolicy_CustomizedBackoff{
				CustomizedBackoff: &v2.CustomizedBackoff{Next: []*durationpb.Duration{seconds(7)}},
			}}
		})),
		said("subscription without a filter", consumer(pushes, "{normal}", "{group}", func(s *v2.Settings) { s.GetSubscription().Subscriptions[0].Expression = nil })),
		said("subscription without a topic's name", consumer(pushes, "", "{group}")),
		said("subscription of a bad topic", consumer(pushes, "a/b", "{group}")),
		said("subscription of an unknown topic", consumer(pushes, "{missing}", "{group}")),
		said("filter of two tags", consumer(pushes, "{normal}", "{group}", subscribed(v2.FilterType_TAG, "a || b"))),
		said("filter of separators", consumer(pushes, "{normal}", "{group}", subscribed(v2.FilterType_TAG, "||"))),
		said("filter of white space", consumer(pushes, "{normal}", "{group}", subscribed(v2.FilterType_TAG, " "))),
		said("filter of an empty text", consumer(pushes, "{normal}", "{group}", subscribed(v2.FilterType_TAG, ""))),
		said("filter in SQL", consumer(pushes, "{normal}", "{group}", subscribed(v2.FilterType_SQL, "n > 1"))),
		said("filter in no SQL", consumer(pushes, "{normal}", "{group}", subscribed(v2.FilterType_SQL, "n >"))),
		said("filter in empty SQL", consumer(pushes, "{normal}", "{group}", subscribed(v2.FilterType_SQL, ""))),
		said("filter in SQL of white space", consumer(pushes, "{normal}", "{group}", subscribed(v2.FilterType_SQL, " "))),
		said("filter of no type", consumer(pushes, "{normal}", "{group}", subscribed(v2.FilterType_FILTER_TYPE_UNSPECIFIED, "a"))),
		said("namespaces", consumer(pushes, "{normal}", "{group}", func(s *v2.Settings) {
			s.GetSubscription().Group.ResourceNamespace, s.GetSubscription().Subscriptions[0].Topic.ResourceNamespace = "shop", "shop"
		})),
		{Name: "settings: group with order", Group: orderly(), Steps: steps(push())},
		{Name: "settings: group of few attempts", Group: &cluster.Group{RetryMax: 2}, Steps: steps(push())},
		{Name: "settings: group with rests of its own", Group: &cluster.Group{RetryMax: 2, RestsMs: []int64{1000, 60000}}, Steps: steps(push())},
		{Name: "settings: again", Steps: steps(push(), settings(consumer(pushes, "{own}", "{group}")))},
		{Name: "settings: again as another", Steps: steps(push(), settings(producer("{own}")))},
		{Name: "settings: again, and bad", Steps: steps(push(), settings(consumer(pushes, "{own}", "a/b")))},
		{Name: "settings: on a second stream", Steps: steps(push(), push(), heartbeat("{group}", pushes))},
		{Name: "settings: by a client with another id", Steps: steps(push(), Becomes{"other"}, push())},
		{Name: "settings: half-closed", Steps: steps(push(), Closes{})},
		{Name: "settings: half-closed before anything is said", Steps: steps(Opens{}, Closes{})},
		{Name: "settings: after a command of nothing", Steps: steps(Opens{}, Tells{Command: &v2.TelemetryCommand{}, Mute: true}, settings(producer("{normal}")))},
		{Name: "settings: after a stack trace that nobody asked for", Steps: steps(Opens{},
			Tells{Mute: true, Command: &v2.TelemetryCommand{Command: &v2.TelemetryCommand_ThreadStackTrace{ThreadStackTrace: &v2.ThreadStackTrace{Nonce: "77", ThreadStackTrace: proto.String("x")}}}},
			settings(producer("{normal}")))},
		{Name: "settings: after a result that nobody asked for", Steps: steps(Opens{},
			Tells{Mute: true, Command: &v2.TelemetryCommand{Command: &v2.TelemetryCommand_VerifyMessageResult{VerifyMessageResult: &v2.VerifyMessageResult{Nonce: "77"}}}},
			settings(producer("{normal}")))},
		{Name: "settings: after a command that only servers give", Steps: steps(Opens{},
			Tells{Mute: true, Command: &v2.TelemetryCommand{Command: &v2.TelemetryCommand_RecoverOrphanedTransactionCommand{RecoverOrphanedTransactionCommand: &v2.RecoverOrphanedTransactionCommand{}}}},
			settings(producer("{normal}")))},
		{Name: "settings: with a status", Steps: steps(Opens{}, &Tells{Command: &v2.TelemetryCommand{
			Status: &v2.Status{Code: v2.Code_BAD_REQUEST, Message: "x"}, Command: &v2.TelemetryCommand_Settings{Settings: producer("{normal}")},
		}})},
		{Name: "settings: that are no message", Steps: steps(Opens{}, &Tells{Raw: []byte{0x0a, 0xff}})},
		{Name: "settings: with fields of a later version", Steps: steps(Opens{}, &Tells{Raw: laterSettings()})},
		{Name: "settings: orphaned transaction is asked for", Own: "TRANSACTION", Steps: steps(opens(producer("{own}")), send(message("{own}", half())), Hears{},
			endTransaction(func(m *v2.EndTransactionRequest) { m.Source = v2.TransactionSource_SOURCE_SERVER_CHECK }),
			Becomes{"other"}, simple(), receives(), Stored{})},
	}
	for _, bad := range badTopics {
		rows = append(rows, said("producer of "+bad.what, producer(bad.name)))
	}
	for _, bad := range badGroups {
		rows = append(rows, said(bad.what, consumer(pushes, "{normal}", bad.name)))
	}
	return rows
}

// spoken is a row of a single step that is no call.
func spoken(name string, step Step) Row { return Row{Name: name, Steps: steps(step)} }

// laterSettings are a producer's with a field 90 that no version has yet.
func laterSettings() []byte {
	s := &v2.Settings{PubSub: &v2.Settings_Publishing{Publishing: &v2.Publishing{}}}
	s.ProtoReflect().SetUnknown([]byte{0xd2, 0x05, 0x01, 'x'})
	text, err := proto.Marshal(&v2.TelemetryCommand{Command: &v2.TelemetryCommand_Settings{Settings: s}})
	if err != nil {
		panic(err) // it is a constant
	}
	return text
}

// sessionRows are heartbeats and goodbyes.
func sessionRows() []Row {
	const none = v2.ClientType_CLIENT_TYPE_UNSPECIFIED
	const pushes, produces = v2.ClientType_PUSH_CONSUMER, v2.ClientType_PRODUCER
	rows := []Row{
		one("heartbeat: stranger", heartbeat("{group}", pushes)),
		one("heartbeat: stranger without a group", heartbeat("", none)),
		one("goodbye: stranger", goodbye("{group}")),
		one("goodbye: stranger without a group", goodbye("")),
		{Name: "heartbeat: producer", Steps: steps(opens(producer("{normal}")), heartbeat("", produces))},
		{Name: "heartbeat: producer of no topic", Steps: steps(opens(producer()), heartbeat("", produces))},
		{Name: "heartbeat: producer with a bad group", Steps: steps(opens(producer("{normal}")), heartbeat("a/b", produces))},
		{Name: "heartbeat: producer of a topic that is not there", Steps: steps(opens(producer("{missing}")), heartbeat("", produces))},
		{Name: "heartbeat: push consumer", Steps: steps(push(), heartbeat("{group}", pushes))},
		{Name: "heartbeat: simple consumer", Steps: steps(simple(), heartbeat("{group}", v2.ClientType_SIMPLE_CONSUMER))},
		{Name: "heartbeat: as another type", Steps: steps(push(), heartbeat("{group}", produces))},
		{Name: "heartbeat: as no type", Steps: steps(push(), heartbeat("{group}", none))},
		{Name: "heartbeat: of another group", Steps: steps(push(), heartbeat("{othergroup}", pushes))},
		{Name: "heartbeat: after the stream has ended", Steps: steps(push(), Closes{}, heartbeat("{group}", pushes))},
		{Name: "heartbeat: after a goodbye", Steps: steps(push(), goodbye("{group}"), heartbeat("{group}", pushes))},
		{Name: "heartbeat: after settings that were refused", Steps: steps(opens(consumer(pushes, "{normal}", "a/b")), heartbeat("{group}", pushes))},
		{Name: "heartbeat: producer without a client type", Steps: steps(opens(&v2.Settings{PubSub: producer("{normal}").PubSub}), heartbeat("", produces))},
		{Name: "heartbeat: publishing of a push consumer", Steps: steps(opens(func() *v2.Settings {
			s := producer("{normal}")
			s.ClientType = pushes.Enum()
			return s
		}()), heartbeat("{group}", pushes))},
		{Name: "heartbeat: publishing of a pull consumer", Steps: steps(opens(func() *v2.Settings {
			s := producer("{normal}")
			s.ClientType = v2.ClientType_PULL_CONSUMER.Enum()
			return s
		}()), heartbeat("{group}", pushes), goodbye("{group}"))},
		{Name: "goodbye: producer", Steps: steps(opens(producer("{normal}")), goodbye(""), goodbye(""))},
		{Name: "goodbye: producer of two topics", Steps: steps(opens(producer("{normal}", "{fifo}")), goodbye(""))},
		{Name: "goodbye: producer of no topic", Steps: steps(opens(producer()), goodbye(""))},
		{Name: "goodbye: producer with a bad group", Steps: steps(opens(producer("{normal}")), goodbye("a/b"))},
		{Name: "goodbye: push consumer", Steps: steps(push(), goodbye("{group}"), goodbye("{group}"))},
		{Name: "goodbye: simple consumer", Steps: steps(simple(), goodbye("{group}"))},
		{Name: "goodbye: of another group", Steps: steps(push(), goodbye("{othergroup}"), heartbeat("{group}", pushes))},
		{Name: "goodbye: and what happens to the stream", Steps: steps(push(), goodbye("{group}"), Closes{})},
		{Name: "goodbye: and settings again", Steps: steps(push(), goodbye("{group}"), settings(consumer(pushes, "{own}", "{group}")), heartbeat("{group}", pushes))},
		{Name: "goodbye: renewed deliveries come at once", Steps: steps(push(), send(message("{own}")),
			receives(func(m *v2.ReceiveMessageRequest) { m.AutoRenew = true }), goodbye("{group}"), Becomes{"other"}, push(),
			within(Call{Method: "ReceiveMessage", Request: receiveRequest(), Until: 2}, 10*time.Second))},
	}
	for _, bad := range badGroups {
		if bad.name == "{g*120}" || bad.name == "%a|b%" || bad.name == "cid_rmq_sys_x" || bad.name == "%RETRY%x" {
			continue // good ones: whether they are the client's is not asked
		}
		rows = append(rows,
			Row{Name: "heartbeat: " + bad.what, Steps: steps(push(), heartbeat(bad.name, pushes))},
			Row{Name: "goodbye: " + bad.what, Steps: steps(push(), goodbye(bad.name))},
		)
	}
	return rows
}
