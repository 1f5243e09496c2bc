package differential

import (
	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
)

// badTopics are names that no topic may have, and some at the edge of what one may.
var badTopics = []struct{ what, name string }{
	{"blank topic", ""},
	{"topic of white space", " \t"},
	{"topic of 127 bytes", "{t*127}"},
	{"topic of 128 bytes", "{t*128}"},
	{"topic of 128 characters beyond ASCII", "{é*128}"},
	{"topic of 64 characters beyond the BMP", "{😀*64}"},
	{"topic with a slash", "a/b"},
	{"topic with a space", "a b"},
	{"topic with a dot", "a.b"},
	{"topic with a colon", "a:b"},
	{"topic beyond ASCII", "tópico"},
	{"topic with a control character", "a\x01b"},
	{"topic with per cent and bar", "%a|b%"},
	{"system topic", "RMQ_SYS_TRANS_HALF_TOPIC"},
	{"system topic TBW102", "TBW102"},
	{"system topic for schedules", "SCHEDULE_TOPIC_XXXX"},
	{"system topic by its prefix", "rmq_sys_x"},
	{"system topic by its prefix in capitals", "RMQ_SYS_x"},
	{"retry topic of no group", "%RETRY%{missing}"},
	{"dead letter topic of no group", "%DLQ%{missing}"},
	{"unknown topic", "{missing}"},
}

// badGroups are names that no group may have, and some at the edge of what one may.
var badGroups = []struct{ what, name string }{
	{"blank group", ""},
	{"group of white space", "  "},
	{"group of 120 bytes", "{g*120}"},
	{"group of 121 bytes", "{g*121}"},
	{"group with a slash", "a/b"},
	{"group with a dot", "a.b"},
	{"group beyond ASCII", "grüppe"},
	{"group with per cent and bar", "%a|b%"},
	{"system group", "CID_RMQ_SYS_x"},
	{"system group in small letters", "cid_rmq_sys_x"},
	{"retry topic as group", "%RETRY%x"},
}

func routeRows() []Row {
	rows := []Row{
		one("route: no request", Call{Method: "QueryRoute", Request: &v2.QueryRouteRequest{}}),
		one("route: no endpoints", route(resource("{normal}"), nil)),
		one("route: endpoints without addresses", route(resource("{normal}"), endpoints(v2.AddressScheme_IPv4))),
		one("route: domain without addresses", route(resource("{normal}"), endpoints(v2.AddressScheme_DOMAIN_NAME))),
		one("route: two addresses", route(resource("{normal}"), endpoints(v2.AddressScheme_IPv4, address("192.0.2.1", 8081), address("192.0.2.2", 8082)))),
		one("route: domain name", route(resource("{normal}"), endpoints(v2.AddressScheme_DOMAIN_NAME, address("proxy.example", 443)))),
		one("route: IPv6", route(resource("{normal}"), endpoints(v2.AddressScheme_IPv6, address("2001:db8::1", 8081)))),
		one("route: IPv6 of another scheme", route(resource("{normal}"), endpoints(v2.AddressScheme_IPv4, address("2001:db8::1", 8081)))),
		one("route: scheme not specified", route(resource("{normal}"), endpoints(v2.AddressScheme_ADDRESS_SCHEME_UNSPECIFIED, address("192.0.2.1", 8081)))),
		one("route: scheme not specified, no address", route(resource("{normal}"), endpoints(v2.AddressScheme_ADDRESS_SCHEME_UNSPECIFIED))),
		one("route: scheme nobody knows", route(resource("{normal}"), endpoints(9, address("192.0.2.1", 8081)))),
		one("route: port 0", route(resource("{normal}"), endpoints(v2.AddressScheme_IPv4, address("192.0.2.1", 0)))),
		one("route: port below 0", route(resource("{normal}"), endpoints(v2.AddressScheme_IPv4, address("192.0.2.1", -1)))),
		one("route: port 70000", route(resource("{normal}"), endpoints(v2.AddressScheme_IPv4, address("192.0.2.1", 70000)))),
		one("route: no host", route(resource("{normal}"), endpoints(v2.AddressScheme_DOMAIN_NAME, address("", 8081)))),
		one("route: namespace", route(&v2.Resource{Name: "{normal}", ResourceNamespace: "shop"}, dialled)),
		one("route: namespace in the header", headed(route(resource("{normal}"), dialled), "x-mq-namespace", "shop")),
	}
	for _, kind := range []string{"normal", "fifo", "delay", "transaction", "mixed", "priority", "lite"} {
		rows = append(rows, one("route: topic of type "+kind, route(resource("{"+kind+"}"), dialled)))
	}
	for _, bad := range badTopics {
		rows = append(rows, one("route: "+bad.what, route(resource(bad.name), dialled)))
	}
	return rows
}

func assignmentRows() []Row {
	rows := []Row{
		one("assignment: no request", Call{Method: "QueryAssignment", Request: &v2.QueryAssignmentRequest{}}),
		one("assignment: new group", assignment("{normal}", "{group}", dialled)),
		one("assignment: no endpoints", assignment("{normal}", "{group}", nil)),
		one("assignment: domain name", assignment("{normal}", "{group}", endpoints(v2.AddressScheme_DOMAIN_NAME, address("proxy.example", 443)))),
		one("assignment: scheme not specified", assignment("{normal}", "{group}", endpoints(v2.AddressScheme_ADDRESS_SCHEME_UNSPECIFIED, address("192.0.2.1", 8081)))),
		one("assignment: fifo topic, group without order", assignment("{fifo}", "{group}", dialled)),
		{Name: "assignment: group with order", Group: orderly(), Steps: steps(assignment("{fifo}", "{group}", dialled))},
		{Name: "assignment: group with order, normal topic", Group: orderly(), Steps: steps(assignment("{normal}", "{group}", dialled))},
		one("assignment: namespace", Call{Method: "QueryAssignment", Request: &v2.QueryAssignmentRequest{
			Topic: &v2.Resource{Name: "{normal}", ResourceNamespace: "shop"}, Group: &v2.Resource{Name: "{group}", ResourceNamespace: "shop"}, Endpoints: dialled,
		}}),
		one("assignment: bad topic and bad group", assignment("a/b", "a/b", dialled)),
	}
	for _, bad := range badTopics {
		rows = append(rows, one("assignment: "+bad.what, assignment(bad.name, "{group}", dialled)))
	}
	for _, bad := range badGroups {
		rows = append(rows, one("assignment: "+bad.what, assignment("{normal}", bad.name, dialled)))
	}
	return rows
}
