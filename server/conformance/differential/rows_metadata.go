package differential

import (
	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/protobuf/proto"
)

// everyMethod has a good request of each unary method and of ReceiveMessage.
func everyMethod() []Call {
	return []Call{
		route(resource("{normal}"), dialled), assignment("{normal}", "{group}", dialled),
		send(message("{own}")), polls(), ack("garbage"), change("garbage", 40), forward("garbage"),
		heartbeat("{group}", v2.ClientType_PUSH_CONSUMER), goodbye("{group}"),
		endTransaction(func(m *v2.EndTransactionRequest) { m.TransactionId = "x" }),
		recall("{delay}", "x"), subscribe(v2.LiteSubscriptionAction_PARTIAL_ADD, []string{"l"}),
	}
}

// metadataRows are calls whose headers are missing or strange.
func metadataRows() []Row {
	const pushes = v2.ClientType_PUSH_CONSUMER
	var rows []Row
	for _, c := range everyMethod() {
		rows = append(rows,
			one("metadata: no client id, "+c.Method, headed(c, "x-mq-client-id", "")),
			one("metadata: empty client id, "+c.Method, headed(c, "x-mq-client-id", "EMPTY")),
		)
	}
	for _, language := range []string{"", "JAVA", "CPP", "DOTNET", "PYTHON", "RUST", "NODE_JS", "HTTP", "GOLANG", "go", "KLINGON"} {
		what := language
		if what == "" {
			what = "none"
		}
		header := []string{"x-mq-language", language}
		rows = append(rows,
			Row{Name: "metadata: language " + what + ", settings", Steps: steps(Opens{Header: header, First: settings(producer("{normal}"))})},
			Row{Name: "metadata: language " + what + ", heartbeat", Steps: steps(push(), headed(heartbeat("{group}", pushes), header...))},
			Row{Name: "metadata: language " + what + ", goodbye", Steps: steps(push(), headed(goodbye("{group}"), header...))},
			one("metadata: language "+what+", route", headed(route(resource("{normal}"), dialled), header...)),
		)
	}
	settle := func(what string, header ...string) Row {
		return Row{Name: "metadata: " + what + ", settings", Steps: steps(Opens{Header: header, First: settings(producer("{normal}"))})}
	}
	return append(rows,
		Row{Name: "metadata: no client id, settings", Steps: steps(Opens{Header: []string{"x-mq-client-id", ""}, First: settings(producer("{normal}"))}, Closes{})},
		settle("no version", "x-mq-client-version", ""),
		settle("version nobody knows", "x-mq-client-version", "banana"),
		settle("no protocol", "x-mq-protocol", ""),
		settle("protocol v1", "x-mq-protocol", "v1"),
		settle("namespace", "x-mq-namespace", "shop"),
		settle("signature that nobody asked for", "authorization", "MQv2-HMAC-SHA1 Credential=a, SignedHeaders=x-mq-date-time, Signature=00"),
		settle("signature that is none", "authorization", "x"),
		settle("session token", "x-mq-session-token", "x"),
		settle("request id", "x-mq-request-id", "x"),
		one("metadata: client id beyond what is usual", headed(route(resource("{normal}"), dialled), "x-mq-client-id", "{c*2000}")),
		one("metadata: spoofed address, born host of a message", headed(send(message("{own}", func(m *v2.Message) {
			m.SystemProperties.BornHost = ""
		})), "rpc-remote-address", "203.0.113.9:1")),
		Row{Name: "metadata: spoofed address in what is stored", Steps: steps(simple(), headed(send(message("{own}", func(m *v2.Message) {
			m.SystemProperties.BornHost = ""
		})), "rpc-remote-address", "203.0.113.9:1"), receives(), Stored{})},
		one("metadata: spoofed channel id", headed(route(resource("{normal}"), dialled), "x-mq-channel-id", "0000")),
	)
}

// wireRows are calls below the level of messages. The pull methods, which the reference has not, are
// not among them.
func wireRows() []Row {
	rows := []Row{
		one("wire: method that is not there", Call{Method: "/" + service + "/NoSuchMethod", Raw: []byte{}}),
		one("wire: service that is not there", Call{Method: "/no.such.Service/Method", Raw: []byte{}}),
		one("wire: admin service", Call{Method: "/apache.rocketmq.v2.Admin/ChangeLogLevel", Raw: []byte{}}),
		one("wire: service in small letters", Call{Method: "/apache.rocketmq.v2.messagingservice/QueryRoute", Raw: []byte{}}),
		one("wire: method in small letters", Call{Method: "/" + service + "/queryRoute", Raw: []byte{}}),
		{Name: "wire: Telemetry without settings, a stranger's heartbeat", Steps: steps(Opens{}, heartbeat("{group}", v2.ClientType_PUSH_CONSUMER))},
	}
	for _, c := range everyMethod() {
		rows = append(rows,
			one("wire: no message, "+c.Method, Call{Method: c.Method, Raw: []byte{0x0a, 0xff}}),
			one("wire: empty message, "+c.Method, Call{Method: c.Method, Raw: []byte{}}),
			one("wire: field of a later version, "+c.Method, Call{Method: c.Method, Raw: []byte{0xd2, 0x05, 0x01, 'x'}}),
		)
	}
	// A text that is no UTF-8.
	broken, err := proto.Marshal(&v2.QueryRouteRequest{Topic: resource("ab")})
	if err != nil {
		panic(err) // it is a constant
	}
	broken[len(broken)-1] = 0xff
	compressed := send(message("{own}"))
	compressed.Gzip = true
	rows = append(rows, one("wire: compressed request", compressed))
	return append(rows, one("wire: topic that is no UTF-8", Call{Method: "QueryRoute", Raw: broken}))
}
