package server_test

import (
	"net"
	"strconv"
	"strings"
	"testing"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/config"
)

// TestIPv6 all the way: clients, name server and broker, whose address has brackets or, as one with
// brokerIP1=::1 registers it, has none.
func TestIPv6(t *testing.T) {
	if probe, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Skip("this machine has no IPv6")
	} else {
		_ = probe.Close()
	}
	for name, spell := range map[string]func(addr string) string{
		"brackets": func(addr string) string { return addr },
		"bare":     func(addr string) string { return strings.NewReplacer("[", "", "]", "").Replace(addr) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Cleanup(func() { eventually(t, "all buffers released", func() bool { return pool.Live() == 0 }) })
			fake := fakebroker.Start(t, fakebroker.WithHost("::1"))
			fake.SetTopic(fakebroker.Topic{Name: "orders"})
			fake.SetTopic(fakebroker.Topic{Name: "elsewhere"})
			registered := spell(fake.Brokers[0].Addr)
			fake.NameServer.Control(105, func(r *fakebroker.Request) (fakebroker.Response, bool) {
				return fakebroker.Response{Body: command.AppendTopicRoute(nil, &command.TopicRoute{
					Queues:  []command.RouteQueues{{BrokerName: "fake-0", Read: 4, Write: 4, Perm: 6}},
					Brokers: []command.RouteBroker{{Cluster: fake.Name, BrokerName: "fake-0", Addrs: map[int64]string{0: registered}}},
				})}, true
			})
			w := &world{TB: t, fake: fake, broker: fake.Brokers[0], over: func(c net.Conn) net.Conn { return c }}
			w.proxy, w.log = startProxy(t, spell(fake.NameServer.Addr), func(c *config.Config) { c.Proxy.LocalAddr = "::1" })
			for _, w.over = range []func(net.Conn) net.Conn{w.over, secure} {
				conn, err := net.DialTimeout("tcp", net.JoinHostPort("::1", strconv.Itoa(w.proxy.Port())), patience)
				if err != nil {
					t.Fatal(err)
				}
				c := greet(w, w.over(conn), "client", false, 1<<30)
				request := &apiv2.QueryRouteRequest{Topic: &apiv2.Resource{Name: "orders"}, Endpoints: &apiv2.Endpoints{
					Scheme: apiv2.AddressScheme_IPv6, Addresses: []*apiv2.Address{{Host: "::1", Port: 1}},
				}}
				for _, q := range ask(c, "QueryRoute", request, &apiv2.QueryRouteResponse{}, apiv2.Code_OK).GetMessageQueues() {
					e := q.GetBroker().GetEndpoints()
					if e.GetScheme() != apiv2.AddressScheme_IPv6 || e.GetAddresses()[0].GetHost() != "::1" || int(e.GetAddresses()[0].GetPort()) != w.proxy.Port() {
						t.Errorf("a client is told %v", e)
					}
				}
				ask(c, "SendMessage", sendRequest("orders", "hello"), &apiv2.SendMessageResponse{}, apiv2.Code_OK)
			}
			if got := fake.Brokers[0].Messages("orders"); len(got) != 2 {
				t.Errorf("stored %v", got)
			}
		})
	}
}
