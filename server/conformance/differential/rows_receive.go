package differential

import (
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/server/conformance/cluster"
)

// receiveRows are receives that are refused, and the forms in which messages come.
func receiveRows() []Row {
	type request = v2.ReceiveMessageRequest
	refused := func(what string, changes ...func(*request)) Row {
		return Row{Name: "receive: " + what, Steps: steps(simple(), polls(changes...))}
	}
	comes := func(what string, changes ...func(*request)) Row {
		return Row{Name: "receive: " + what, Steps: steps(simple(), send(message("{own}")), receives(changes...))}
	}
	waits := func(what string, poll float64, deadline time.Duration) Row {
		return Row{Name: "receive: " + what, Steps: steps(simple(), within(polls(func(m *request) {
			m.LongPollingTimeout = seconds(poll)
		}), deadline))}
	}
	rows := []Row{
		one("receive: no settings", polls()),
		one("receive: no settings, bad topic", polls(from("a/b"))),
		{Name: "receive: settings of a producer", Steps: steps(opens(producer("{own}")), send(message("{own}")), receives())},
		{Name: "receive: topic that the settings do not name", Steps: steps(
			opens(consumer(v2.ClientType_SIMPLE_CONSUMER, "{normal}", "{group}")), send(message("{own}")), receives())},
		{Name: "receive: group that the settings do not name", Steps: steps(simple(), send(message("{own}")), receives(by("{othergroup}")))},
		{Name: "receive: no request", Steps: steps(simple(), Call{Method: "ReceiveMessage", Request: &request{}})},
		refused("no queue", func(m *request) { m.MessageQueue = nil }),
		refused("no topic", func(m *request) { m.MessageQueue.Topic = nil }),
		refused("no group", func(m *request) { m.Group = nil }),
		refused("bad topic and bad group", from("a/b"), by("a/b")),
		refused("bad group and bad invisible duration", by("a/b"), invisible(1)),
		refused("bad invisible duration and bad filter", invisible(1), filter(v2.FilterType_TAG, "||")),

		refused("no invisible duration", func(m *request) { m.InvisibleDuration = nil }),
		refused("invisible for 0 s", invisible(0)),
		refused("invisible for less than nothing", invisible(-1)),
		refused("invisible for 9.999 s", invisible(9.999)),
		refused("invisible for 9.9999 s", invisible(9.9999)),
		refused("invisible for 12 h and a millisecond", invisible(43200.001)),
		refused("invisible for 12 h and a microsecond, empty queue", invisible(43200.000001)),
		refused("invisible for a year", invisible(365*86400)),
		comes("invisible for 10 s", invisible(10)),
		comes("invisible for 12 h", invisible(43200)),
		comes("renewed by the proxy, invisible for 1 s", invisible(1), func(m *request) { m.AutoRenew = true }),
		comes("renewed by the proxy, no invisible duration", func(m *request) { m.InvisibleDuration, m.AutoRenew = nil, true }),

		{Name: "receive: batch of 0", Steps: steps(simple(), send(message("{own}")), polls(batch(0)))},
		{Name: "receive: batch below 0", Steps: steps(simple(), send(message("{own}")), polls(batch(-1)))},
		comes("batch of 32", batch(32)),
		comes("batch of 33", batch(33)),
		comes("batch of a million", batch(1<<20)),
		{Name: "receive: three at once", Steps: steps(simple(),
			send(message("{own}", id("{message3}")), message("{own}", id("{message2}"), tag("b")), message("{own}", tag("c"))), Rests{}, receives(batch(32)))},
		comes("broker by its name", func(m *request) { m.MessageQueue.Broker = &v2.Broker{Name: "{broker}"} }),
		comes("broker nobody knows", func(m *request) { m.MessageQueue.Broker = &v2.Broker{Name: "no-such-broker"} }),
		comes("queue by its id", func(m *request) { m.MessageQueue.Id = 0 }),
		comes("queue that is not there", func(m *request) { m.MessageQueue.Id = 99 }),
		comes("queue without permission", func(m *request) { m.MessageQueue.Permission = v2.Permission_NONE }),
		comes("attempt id", func(m *request) { m.AttemptId = proto.String("attempt-1") }),
		comes("empty attempt id", func(m *request) { m.AttemptId = proto.String("") }),
		comes("namespace", func(m *request) {
			m.Group.ResourceNamespace, m.MessageQueue.Topic.ResourceNamespace = "shop", "shop"
		}),
		comes("no filter", func(m *request) { m.FilterExpression = nil }),

		// Long polls: 5 s at least, 20 s at most, and the deadline must leave room.
		waits("poll of 5 s, nothing comes", 5, 10*time.Second),
		waits("poll of 0 s, nothing comes", 0, 10*time.Second),
		waits("poll below 0, nothing comes", -1, 10*time.Second),
		waits("poll of 6 s, nothing comes", 6, 10*time.Second),
		waits("poll of a minute, deadline of 6 s", 60, 6500*time.Millisecond),
		waits("poll of 5 s, deadline of 3 s", 5, 3*time.Second),
		waits("poll of 1 s, deadline of 4 s", 1, 4*time.Second),
		{Name: "receive: deadline of 3 s, old client", Steps: steps(simple(), headed(within(polls(), 3*time.Second), "x-mq-client-version", "5.0.2"))},
		{Name: "receive: deadline of 3 s, client of version 5.0.3", Steps: steps(simple(), headed(within(polls(), 3*time.Second), "x-mq-client-version", "5.0.3"))},
		{Name: "receive: deadline of 3 s, client of version 5.0.10", Steps: steps(simple(), headed(within(polls(), 3*time.Second), "x-mq-client-version", "5.0.10"))},
		{Name: "receive: deadline of 3 s, no version", Steps: steps(simple(), headed(within(polls(), 3*time.Second), "x-mq-client-version", ""))},
		{Name: "receive: deadline of 3 s and a bad topic", Steps: steps(simple(), within(polls(from("a/b")), 3*time.Second))},
		{Name: "receive: deadline in ten years", Steps: steps(simple(), within(polls(), 3650*24*time.Hour))},
		{Name: "receive: no deadline", Steps: steps(simple(), within(polls(), -1))},
		{Name: "receive: no poll time, deadline of 8 s", Steps: steps(simple(), within(polls(func(m *request) { m.LongPollingTimeout = nil }), 8*time.Second))},

		// Order, redelivery and dead letters.
		{Name: "receive: fifo topic, group with order", Own: "FIFO", Group: orderly(), Steps: steps(simple(),
			send(message("{own}", id("{message2}"), messageGroup("g"))), send(message("{own}", messageGroup("g"))),
			receives(), polls(), ack("{handle}"), receives(batch(32)))},
		{Name: "receive: fifo topic, group without order", Own: "FIFO", Steps: steps(simple(),
			send(message("{own}", id("{message2}"), messageGroup("g"))), send(message("{own}", messageGroup("g"))),
			receives(), receives())},
		{Name: "receive: again when the invisible duration is over", Steps: steps(simple(), send(message("{own}")),
			receives(invisible(10)), receives(), Stored{})},
		{Name: "receive: too many attempts", Group: &cluster.Group{RetryMax: 0}, Steps: steps(simple(), send(message("{own}")),
			receives(), change("{handle}", 0), polls(), polls())},
		{Name: "receive: after the last client has gone", Steps: steps(simple(), send(message("{own}")), goodbye("{group}"), polls())},
		{Name: "receive: half message is not delivered", Own: "TRANSACTION", Steps: steps(simple(), send(message("{own}", half())), polls())},
	}
	for _, bad := range badTopics {
		rows = append(rows, refused(bad.what, from(bad.name)))
	}
	for _, bad := range badGroups {
		rows = append(rows, refused(bad.what, by(bad.name)))
	}
	return rows
}

// filterRows are filters that are refused, let a message pass, or do not.
func filterRows() []Row {
	const sql, byTag = v2.FilterType_SQL, v2.FilterType_TAG
	refused := func(what string, kind v2.FilterType, expression string) Row {
		return Row{Name: "filter: " + what, Steps: steps(simple(), polls(filter(kind, expression)))}
	}
	// The first message has tag red, colour green and n 5; what the filter keeps back, a second one
	// shows: tag blue, colour white and n 7.
	picks := func(what string, kind v2.FilterType, expression string) Row {
		return Row{Name: "filter: " + what, Steps: steps(
			opens(consumer(v2.ClientType_SIMPLE_CONSUMER, "{own}", "{group}", func(s *v2.Settings) {
				s.GetSubscription().Subscriptions[0].Expression = &v2.FilterExpression{Type: kind, Expression: expression}
			})),
			send(message("{own}", property("n", "5"))), send(message("{own}", id("{message2}"), tag("blue"), property("colour", "white"), property("n", "7"))),
			receives(filter(kind, expression)), ack("{handle}"), polls(filter(kind, expression)),
		)}
	}
	return []Row{
		refused("nothing but separators", byTag, "||"),
		refused("nothing but separators and white space", byTag, " || "),
		refused("white space", byTag, " "),
		refused("empty SQL", sql, ""),
		refused("SQL of white space", sql, " "),
		refused("SQL that is none", sql, "hello world"),
		refused("SQL without an end", sql, "n > "),
		refused("SQL with an unclosed text", sql, "colour = 'green"),
		refused("SQL with unbalanced brackets", sql, "(n > 1"),
		refused("SQL of a star", sql, "*"),
		refused("type not specified", v2.FilterType_FILTER_TYPE_UNSPECIFIED, "||"),
		refused("type nobody knows", 9, "||"),

		picks("empty expression", byTag, ""),
		picks("star", byTag, "*"),
		picks("one tag", byTag, "red"),
		picks("two tags", byTag, "red || blue"),
		picks("two tags without spaces", byTag, "red||blue"),
		picks("one bar", byTag, "blue|red || blue"),
		picks("tag and separators", byTag, "|| blue ||"),
		picks("star among tags", byTag, "* || blue"),
		picks("type not specified, two tags", v2.FilterType_FILTER_TYPE_UNSPECIFIED, "red || blue"),
		picks("SQL on a number", sql, "n > 6"),
		picks("SQL on a text", sql, "colour = 'green'"),
		picks("SQL on the tag", sql, "TAGS = 'blue'"),
		picks("SQL on a missing property", sql, "missing IS NULL AND n BETWEEN 5 AND 6"),
		picks("SQL with lists and negation", sql, "colour NOT IN ('green', 'black') OR n IN ('5')"),
		picks("SQL that is always true", sql, "TRUE"),
	}
}
