package messaging

import (
	"fmt"
	"net/netip"
	"testing"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/backend"
)

func dialled(scheme apiv2.AddressScheme, addresses ...string) *apiv2.Endpoints {
	e := &apiv2.Endpoints{Scheme: scheme}
	for i, host := range addresses {
		e.Addresses = append(e.Addresses, &apiv2.Address{Host: host, Port: int32(9000 + i)})
	}
	return e
}

// queues writes one word a queue: id, permission, broker.
func queues(all []*apiv2.MessageQueue) (words []string) {
	short := map[apiv2.Permission]string{
		apiv2.Permission_READ: "r", apiv2.Permission_WRITE: "w", apiv2.Permission_READ_WRITE: "rw", apiv2.Permission_NONE: "-",
	}
	for _, q := range all {
		words = append(words, fmt.Sprint(q.GetId(), short[q.GetPermission()], "@", q.GetBroker().GetName(), q.GetBroker().GetId()))
	}
	return words
}

func onBroker(read, write int, readable, writable bool, ids ...int64) backend.BrokerQueues {
	return backend.BrokerQueues{Broker: "b", BrokerIDs: ids, Read: read, Write: write, Readable: readable, Writable: writable}
}

// TestRouteQueues is the expansion of gRPC specification 4.2.
func TestRouteQueues(t *testing.T) {
	for _, test := range []struct {
		name   string
		queues backend.BrokerQueues
		want   string
	}{
		{"read and write", onBroker(2, 2, true, true, 0), "[0rw@b0 1rw@b0]"},
		{"more to read", onBroker(3, 1, true, true, 0), "[0r@b0 1r@b0 2rw@b0]"},
		{"more to write", onBroker(1, 3, true, true, 0), "[0w@b0 1w@b0 2rw@b0]"},
		{"write only", onBroker(1, 3, false, true, 0), "[0w@b0 1w@b0 2w@b0]"},
		{"read only", onBroker(2, 4, true, false, 0), "[0r@b0 1r@b0]"},
		{"no permission", onBroker(1, 2, false, false, 0), "[0-@b0 1-@b0]"},
		{"no permission and no queue", onBroker(0, 0, false, false, 0), "[0-@b0]"},
		{"replicas too", onBroker(1, 1, true, true, 0, 1, 2), "[0rw@b0 0rw@b1 0rw@b2]"},
		{"no replica left", onBroker(1, 1, true, true), "[]"},
	} {
		w := newWorld(t)
		w.fake.know(&backend.Topic{Name: "orders", Exists: true, Type: backend.TypeFIFO, Queues: []backend.BrokerQueues{test.queues}})
		c := w.connect().call("QueryRoute", &apiv2.QueryRouteRequest{Topic: &apiv2.Resource{Name: "orders", ResourceNamespace: "ns"}})
		var answer apiv2.QueryRouteResponse
		c.says(&answer, apiv2.Code_OK, "OK")
		if got := fmt.Sprint(queues(answer.GetMessageQueues())); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
		for _, q := range answer.GetMessageQueues() {
			if q.GetTopic().GetResourceNamespace() != "ns" || fmt.Sprint(q.GetAcceptMessageTypes()) != "[FIFO]" {
				t.Errorf("%s: %v", test.name, q)
			}
		}
	}
}

func TestRouteMessageTypes(t *testing.T) {
	want := map[backend.MessageType]string{
		backend.TypeUnspecified: "[MESSAGE_TYPE_UNSPECIFIED]", backend.TypeNormal: "[NORMAL]", backend.TypeFIFO: "[FIFO]",
		backend.TypeDelay: "[DELAY]", backend.TypeTransaction: "[TRANSACTION]", backend.TypePriority: "[PRIORITY]",
		backend.TypeLite: "[LITE]", backend.TypeMixed: "[NORMAL FIFO DELAY TRANSACTION]",
	}
	for kind := backend.TypeUnspecified; kind <= backend.TypeMixed; kind++ {
		if got := fmt.Sprint(accepted(kind)); got != want[kind] {
			t.Errorf("%v takes %s, want %s", kind, got, want[kind])
		}
	}
}

// TestEndpoints is gRPC specification 4.1: this proxy, as the client dialled it.
func TestEndpoints(t *testing.T) {
	const unspecified, v4, v6, name = apiv2.AddressScheme_ADDRESS_SCHEME_UNSPECIFIED, apiv2.AddressScheme_IPv4, apiv2.AddressScheme_IPv6, apiv2.AddressScheme_DOMAIN_NAME
	told := func(scheme apiv2.AddressScheme, ports []int32, hosts ...string) *apiv2.Endpoints {
		e := dialled(scheme, hosts...)
		for i, port := range ports {
			e.Addresses[i].Port = port
		}
		return e
	}
	for _, test := range []struct {
		asked    *apiv2.Endpoints
		fromThem bool
		want     *apiv2.Endpoints
	}{
		{dialled(v4, "1.2.3.4", "1.2.3.5"), false, told(v4, []int32{8081, 8081}, "1.2.3.4", "1.2.3.5")},
		{dialled(v4, "1.2.3.4", "1.2.3.5"), true, told(v4, []int32{9000, 9001}, "1.2.3.4", "1.2.3.5")},
		{dialled(name, "proxy.example"), false, told(name, []int32{8081}, "proxy.example")},
		{dialled(unspecified, "proxy.example"), false, told(name, []int32{8081}, "proxy.example")},
		{dialled(unspecified, "::1"), false, told(v6, []int32{8081}, "::1")},
		{dialled(unspecified, "1.2.3.4"), false, told(v4, []int32{8081}, "1.2.3.4")},
		{dialled(name), false, told(v4, nil)},
		{nil, false, told(v4, nil)},
	} {
		w := newWorld(t, func(c *Config) { c.EndpointPortFromRequest = test.fromThem })
		w.fake.know(&backend.Topic{Name: "orders", Exists: true, Queues: []backend.BrokerQueues{onBroker(1, 1, true, true, 0)}})
		c := w.connect().call("QueryRoute", &apiv2.QueryRouteRequest{Topic: resource("orders"), Endpoints: test.asked})
		var answer apiv2.QueryRouteResponse
		c.says(&answer, apiv2.Code_OK, "OK")
		if got := answer.GetMessageQueues()[0].GetBroker().GetEndpoints(); !proto.Equal(got, test.want) {
			t.Errorf("%v: told %v, want %v", test.asked, got, test.want)
		}
	}
}

// TestAdvertised is what the key advertise says, by the client's network; a peer is 10.1.2.3.
func TestAdvertised(t *testing.T) {
	const v4, v6, name = apiv2.AddressScheme_IPv4, apiv2.AddressScheme_IPv6, apiv2.AddressScheme_DOMAIN_NAME
	asked := dialled(name, "outside.example")
	inner, outer, ours := dialled(v4, "10.9.9.9"), dialled(name, "lb.example"), dialled(v6, "fd00::1")
	network := func(cidr string, told *apiv2.Endpoints) Advertise {
		return Advertise{Network: netip.MustParsePrefix(cidr), Endpoints: told}
	}
	everybody := func(told *apiv2.Endpoints) Advertise { return Advertise{Endpoints: told} }
	for _, test := range []struct {
		name   string
		rules  []Advertise
		remote string
		asked  *apiv2.Endpoints
		want   *apiv2.Endpoints
	}{
		{"a fixed list", []Advertise{everybody(outer)}, "10.1.2.3:1", asked, outer},
		{"a fixed list, and nothing asked", []Advertise{everybody(outer)}, "10.1.2.3:1", nil, outer},
		{"its network", []Advertise{everybody(outer), network("10.0.0.0/8", inner)}, "10.1.2.3:1", asked, inner},
		{"the narrowest network", []Advertise{network("10.0.0.0/8", outer), network("10.1.0.0/16", inner), network("10.1.2.0/30", ours)}, "10.1.2.3:1", asked, ours},
		{"another network", []Advertise{network("10.0.0.0/8", inner), everybody(outer)}, "11.1.2.3:1", asked, outer},
		{"no network, and no rule for others", []Advertise{network("10.0.0.0/8", inner)}, "11.1.2.3:1", asked, &apiv2.Endpoints{
			Scheme: name, Addresses: []*apiv2.Address{{Host: "outside.example", Port: 8081}}}},
		{"IPv6", []Advertise{network("fd00::/8", ours), everybody(outer)}, "[fd00::7]:1", asked, ours},
		{"IPv6 with a zone", []Advertise{network("fe80::/10", ours), everybody(outer)}, "[fe80::7%eth0]:1", asked, ours},
		{"IPv4 by the way of IPv6", []Advertise{network("10.0.0.0/8", inner), everybody(outer)}, "[::ffff:10.1.2.3]:1", asked, inner},
		{"no address", []Advertise{network("0.0.0.0/0", inner), network("::/0", inner), everybody(outer)}, "pipe", asked, outer},
		{"what it dialled", []Advertise{{Dialled: true, Endpoints: ours}}, "10.1.2.3:1", asked, asked},
		{"what it dialled and does not say", []Advertise{{Dialled: true, Endpoints: ours}}, "10.1.2.3:1", nil, ours},
	} {
		w := newWorld(t, func(c *Config) { c.Advertised = test.rules })
		w.fake.know(&backend.Topic{Name: "orders", Exists: true, Queues: []backend.BrokerQueues{onBroker(2, 2, true, true, 0)}})
		p := w.connectFrom(test.remote)
		var route apiv2.QueryRouteResponse
		p.call("QueryRoute", &apiv2.QueryRouteRequest{Topic: resource("orders"), Endpoints: test.asked}).says(&route, apiv2.Code_OK, "OK")
		for _, q := range route.GetMessageQueues() {
			if got := q.GetBroker().GetEndpoints(); !proto.Equal(got, test.want) {
				t.Errorf("%s: told %v, want %v", test.name, got, test.want)
			}
		}
		var assignment apiv2.QueryAssignmentResponse
		p.call("QueryAssignment", &apiv2.QueryAssignmentRequest{Topic: resource("orders"), Group: resource("readers"), Endpoints: test.asked}).
			says(&assignment, apiv2.Code_OK, "OK")
		if got := assignment.GetAssignments()[0].GetMessageQueue().GetBroker().GetEndpoints(); !proto.Equal(got, test.want) {
			t.Errorf("%s: assigned %v, want %v", test.name, got, test.want)
		}
	}
}

// TestRouteIsFetched when it is not known, and the call may be gone when it comes.
func TestRouteIsFetched(t *testing.T) {
	p := newWorld(t).connect()
	request := &apiv2.QueryRouteRequest{Topic: resource("unheard")}
	fetch := func(exists bool, f backend.Fault, change func(c *callStream)) *callStream {
		c := p.call("QueryRoute", request)
		p.hears("topic unheard")
		change(c)
		op := asked[*backend.FetchTopic](p, 0)
		op.Found = &backend.Topic{Name: "unheard", Exists: exists}
		p.reply(&op.Exchange, f)
		return c
	}
	nothing := func(*callStream) {}
	fetch(true, backend.Fault{}, nothing).says(&apiv2.QueryRouteResponse{}, apiv2.Code_OK, "OK")
	fetch(false, backend.Fault{}, nothing).says(&apiv2.QueryRouteResponse{}, apiv2.Code_TOPIC_NOT_FOUND,
		"CODE: 17  DESC: No topic route info in name server for the topic: unheard")
	fetch(false, backend.Fault{Kind: backend.Timeout, Text: "late"}, nothing).says(&apiv2.QueryRouteResponse{}, apiv2.Code_PROXY_TIMEOUT, "late")
	fetch(true, backend.Fault{}, (*callStream).cancel)
	p.call("QueryRoute", &apiv2.QueryRouteRequest{}).says(&apiv2.QueryRouteResponse{}, apiv2.Code_ILLEGAL_TOPIC, "The specified topic is blank")
}

// TestAssignments is gRPC specification 4.4: every broker for everybody, queue by queue for a
// group that reads in order.
func TestAssignments(t *testing.T) {
	w := newWorld(t)
	w.fake.know(&backend.Topic{Name: "orders", Exists: true, Queues: []backend.BrokerQueues{
		onBroker(2, 2, true, true, 0, 1), onBroker(1, 0, true, false, 1), onBroker(0, 1, true, true, 0),
		onBroker(1, 1, false, true, 0), onBroker(1, 1, true, true),
	}})
	w.fake.knowGroup(&backend.Group{Name: "orderly", Exists: true, Orderly: true})
	w.fake.knowGroup(&backend.Group{Name: "lite", Exists: true, Orderly: true, LiteBindTopic: "orders"})
	w.fake.know(&backend.Topic{Name: "written", Exists: true, Queues: []backend.BrokerQueues{onBroker(1, 1, false, true, 0)}})
	p := w.connect()
	ask := func(group string) *callStream {
		return p.call("QueryAssignment", &apiv2.QueryAssignmentRequest{
			Topic: resource("orders"), Group: resource(group), Endpoints: dialled(apiv2.AddressScheme_IPv4, "1.2.3.4"),
		})
	}
	assigned := func(c *callStream, want string) {
		t.Helper()
		var answer apiv2.QueryAssignmentResponse
		c.says(&answer, apiv2.Code_OK, "OK")
		var all []*apiv2.MessageQueue
		for _, a := range answer.GetAssignments() {
			all = append(all, a.GetMessageQueue())
			if n := len(a.GetMessageQueue().GetAcceptMessageTypes()); n != 0 {
				t.Errorf("%d accepted types", n)
			}
			if got := a.GetMessageQueue().GetBroker().GetEndpoints().GetAddresses()[0].GetPort(); got != 8081 {
				t.Errorf("port %d", got)
			}
		}
		if got := fmt.Sprint(queues(all)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	assigned(ask("readers"), "[-1rw@b0 -1r@b1]")
	assigned(ask("lite"), "[-1rw@b0 -1r@b1]")
	assigned(ask("orderly"), "[0rw@b0 1rw@b0 0r@b1]")

	c := ask("new")
	p.hears("group new")
	p.reply(&asked[*backend.FetchGroup](p, 0).Exchange, backend.Fault{Kind: backend.Timeout})
	assigned(c, "[-1rw@b0 -1r@b1]")

	for topic, want := range map[string]struct {
		code apiv2.Code
		text string
	}{
		"written": {apiv2.Code_FORBIDDEN, "no readable queue"},
		"":        {apiv2.Code_ILLEGAL_TOPIC, "The specified topic is blank"},
	} {
		c = p.call("QueryAssignment", &apiv2.QueryAssignmentRequest{Topic: resource(topic), Group: resource("readers")})
		c.says(&apiv2.QueryAssignmentResponse{}, want.code, want.text)
	}
	p.call("QueryAssignment", &apiv2.QueryAssignmentRequest{Topic: resource("orders")}).
		says(&apiv2.QueryAssignmentResponse{}, apiv2.Code_ILLEGAL_CONSUMER_GROUP, "the specified group is blank")

	unheard := &apiv2.QueryAssignmentRequest{Topic: resource("unheard"), Group: resource("readers")}
	c = p.call("QueryAssignment", unheard)
	op := asked[*backend.FetchTopic](p, 0)
	op.Found = &backend.Topic{Name: "unheard"}
	p.reply(&op.Exchange, backend.Fault{})
	c.says(&apiv2.QueryAssignmentResponse{}, apiv2.Code_TOPIC_NOT_FOUND, "CODE: 17  DESC: No topic route info in name server for the topic: unheard")
	c = p.call("QueryAssignment", unheard)
	p.reply(&asked[*backend.FetchTopic](p, 0).Exchange, backend.Fault{Kind: backend.Busy, Text: "busy"})
	c.says(&apiv2.QueryAssignmentResponse{}, apiv2.Code_TOO_MANY_REQUESTS, "busy")
	p.call("QueryAssignment", unheard).cancel()
	p.works()
}
