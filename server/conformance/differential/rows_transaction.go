package differential

import (
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
)

func endTransaction(changes ...func(*v2.EndTransactionRequest)) Call {
	request := &v2.EndTransactionRequest{
		Topic: resource("{own}"), MessageId: "{message1}", TransactionId: "{transactionid}",
		Resolution: v2.TransactionResolution_COMMIT, Source: v2.TransactionSource_SOURCE_CLIENT,
	}
	for _, change := range changes {
		change(request)
	}
	return Call{Method: "EndTransaction", Request: request}
}

func resolved(r v2.TransactionResolution) func(*v2.EndTransactionRequest) {
	return func(m *v2.EndTransactionRequest) { m.Resolution = r }
}

func transactionRows() []Row {
	type request = v2.EndTransactionRequest
	consumes := Opens{First: settings(consumer(v2.ClientType_SIMPLE_CONSUMER, "{own}", "{group}"))}
	halfSent := func(what string, then ...Step) Row {
		return Row{Name: "transaction: " + what, Own: "TRANSACTION", Steps: append([]Step{consumes, send(message("{own}", half()))}, then...)}
	}
	refused := func(what string, changes ...func(*request)) Row {
		return one("transaction: "+what, endTransaction(append([]func(*request){func(m *request) { m.TransactionId = "x" }}, changes...)...))
	}
	rows := []Row{
		halfSent("commit", endTransaction(), receives(), Stored{}),
		halfSent("roll back", endTransaction(resolved(v2.TransactionResolution_ROLLBACK)), polls()),
		halfSent("undecided", endTransaction(resolved(v2.TransactionResolution_TRANSACTION_RESOLUTION_UNSPECIFIED)), polls()),
		halfSent("decision nobody knows", endTransaction(resolved(9)), polls()),
		halfSent("commit twice", endTransaction(), endTransaction()),
		halfSent("commit after rolling back", endTransaction(resolved(v2.TransactionResolution_ROLLBACK)), endTransaction(), polls()),
		halfSent("source not specified", endTransaction(func(m *request) { m.Source = v2.TransactionSource_SOURCE_UNSPECIFIED }), receives()),
		halfSent("as if after a check", endTransaction(func(m *request) { m.Source = v2.TransactionSource_SOURCE_SERVER_CHECK }), receives()),
		halfSent("source nobody knows", endTransaction(func(m *request) { m.Source = 9 }), receives()),
		halfSent("without a message id", endTransaction(func(m *request) { m.MessageId = "" })),
		halfSent("under another message id", endTransaction(func(m *request) { m.MessageId = "x" })),
		halfSent("of another topic", endTransaction(func(m *request) { m.Topic = resource("{transaction}") })),
		halfSent("by a stranger", Becomes{"other"}, endTransaction()),
		halfSent("with a trace context", endTransaction(func(m *request) { m.TraceContext = "00-abc" }), receives(), Stored{}),
		{Name: "transaction: half message with a tag and a recovery of 3600 s", Own: "TRANSACTION", Steps: steps(
			consumes, send(message("{own}", half(), recovery(3600))), endTransaction(), receives(), Stored{})},
		{Name: "transaction: in a mixed topic", Own: "MIXED", Steps: steps(consumes, send(message("{own}", half())), endTransaction(), receives(), Stored{})},
		{Name: "transaction: half message with a message group", Own: "MIXED", Steps: steps(consumes, send(message("{own}", half(), func(m *v2.Message) {
			group := "g"
			m.SystemProperties.MessageGroup = &group
		})), endTransaction(), receives(), Stored{})},
		{Name: "transaction: half message with a delivery time", Own: "MIXED", Steps: steps(send(message("{own}", half(), func(m *v2.Message) {
			m.SystemProperties.DeliveryTimestamp = at(-time.Second)
		})))},
		one("transaction: no request", Call{Method: "EndTransaction", Request: &request{}}),
		refused("id nobody knows"),
		refused("no id", func(m *request) { m.TransactionId = "" }),
		refused("id of white space", func(m *request) { m.TransactionId = " " }),
	}
	for _, bad := range badTopics {
		rows = append(rows, refused(bad.what, func(m *request) { m.Topic = resource(bad.name) }))
	}
	return rows
}

func recall(topic, handle string) Call {
	return Call{Method: "RecallMessage", Request: &v2.RecallMessageRequest{Topic: resource(topic), RecallHandle: handle}}
}

func recallRows() []Row {
	consumes := Opens{First: settings(consumer(v2.ClientType_SIMPLE_CONSUMER, "{own}", "{group}"))}
	waits := func(what string, then ...Step) Row {
		return Row{Name: "recall: " + what, Own: "DELAY", Steps: append([]Step{send(message("{own}", delayed(time.Hour)))}, then...)}
	}
	refused := func(what, handle string) Row { return one("recall: "+what, recall("{delay}", handle)) }
	rows := []Row{
		waits("delayed message", recall("{own}", "{recall}")),
		waits("twice", recall("{own}", "{recall}"), recall("{own}", "{recall}")),
		waits("of another topic", recall("{delay}", "{recall}")),
		waits("of a mixed topic", recall("{mixed}", "{recall}")),
		waits("of a normal topic", recall("{normal}", "{recall}")),
		{Name: "recall: in a mixed topic", Own: "MIXED", Steps: steps(send(message("{own}", delayed(time.Hour))), recall("{own}", "{recall}"))},
		{Name: "recall: what is recalled does not come", Own: "DELAY", Steps: steps(
			consumes, send(message("{own}", delayed(8*time.Second))), recall("{own}", "{recall}"),
			within(polls(func(m *v2.ReceiveMessageRequest) { m.LongPollingTimeout = seconds(12) }), 16*time.Second))},
		{Name: "recall: what was delivered", Own: "DELAY", Steps: steps(
			consumes, send(message("{own}", delayed(5*time.Second))), receives(), recall("{own}", "{recall}"))},
		one("recall: no request", Call{Method: "RecallMessage", Request: &v2.RecallMessageRequest{}}),
		refused("no handle", ""),
		refused("handle that is no base64", "!!!"),
		refused("handle that is none", "Z2FyYmFnZQ=="),
		// v2 t broker-a 1700000000001 x
		refused("handle of another version", "djIgdCBicm9rZXItYSAxNzAwMDAwMDAwMDAxIHg="),
		// v1 t no-such-broker 4100000000000 x
		refused("handle of a broker nobody knows", "djEgdCBuby1zdWNoLWJyb2tlciA0MTAwMDAwMDAwMDAwIHg="),
		// v1 t broker-a 1700000000001
		refused("handle of four words", "djEgdCBicm9rZXItYSAxNzAwMDAwMDAwMDAx"),
		refused("handle with a word for a time", "{recall at soon}"),
		refused("handle of another topic that is due", "{recall at 1700000000001}"),
		refused("handle of another topic", "{recall at 4100000000000}"),
	}
	for _, kind := range []string{"fifo", "transaction", "priority", "lite"} {
		rows = append(rows, one("recall: topic of type "+kind, recall("{"+kind+"}", "x")))
	}
	for _, bad := range badTopics {
		rows = append(rows, one("recall: "+bad.what, recall(bad.name, "x")))
	}
	return rows
}
