package server_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/config"
)

func impatientWithNames(c *config.Config) {
	c.Broker.RouteTimeout = 300 * time.Millisecond
	c.Broker.ConnectTimeout = 300 * time.Millisecond
}

// The name server goes: known topics go on, unknown ones fail quickly; it comes back.
func TestNameServerGoes(t *testing.T) {
	w := start(t, impatientWithNames)
	w.fake.SetTopic(fakebroker.Topic{Name: "late"})
	c := w.client("producer-1")
	c.sends(apiv2.Code_OK, "orders", "apples")
	w.fake.NameServer.Stop()
	for range 5 {
		c.sends(apiv2.Code_OK, "orders", "pears")
		var answer apiv2.QueryRouteResponse
		c.begin("QueryRoute", &apiv2.QueryRouteRequest{Topic: resource("late")}, patience).answer(&answer)
		if code := answer.GetStatus().GetCode(); code == apiv2.Code_OK || code == apiv2.Code_TOPIC_NOT_FOUND {
			t.Errorf("a route out of nowhere: %v", answer.GetStatus())
		}
	}
	w.fake.NameServer.Restart()
	c.findsInTheEnd("late")
	c.sends(apiv2.Code_OK, "late", "plums")
}

func (c *client) findsInTheEnd(topic string) {
	c.Helper()
	eventually(c, "the topic is found", func() bool {
		var answer apiv2.QueryRouteResponse
		c.begin("QueryRoute", &apiv2.QueryRouteRequest{Topic: resource(topic)}, patience).answer(&answer)
		return answer.GetStatus().GetCode() == apiv2.Code_OK
	})
}

// No name server at all: the proxy starts, says so, and recovers when there is one.
func TestNoNameServer(t *testing.T) {
	addr := closedPort(t)
	proxy, log := startProxy(t, addr, impatientWithNames)
	w := &world{TB: t, proxy: proxy, log: log, over: func(c net.Conn) net.Conn { return c }}
	eventually(t, "it says so, before anybody asks", func() bool {
		return containsAll(log.String(), "no name server answers", addr)
	})
	c := w.client("producer-1")
	var answer apiv2.QueryRouteResponse
	c.begin("QueryRoute", &apiv2.QueryRouteRequest{Topic: resource("orders")}, patience).answer(&answer)
	if code := answer.GetStatus().GetCode(); code != apiv2.Code_INTERNAL_SERVER_ERROR && code != apiv2.Code_PROXY_TIMEOUT {
		t.Errorf("told %v", answer.GetStatus())
	}
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders"})
	forward(t, addr, fake.NameServer.Addr)
	c.findsInTheEnd("orders")
	c.sends(apiv2.Code_OK, "orders", "apples")
	if n := strings.Count(log.String(), "no name server answers"); n != 1 {
		t.Errorf("it was said %d times that no name server answers:\n%s", n, log.String())
	}
	if !strings.Contains(log.String(), "a name server answers again") {
		t.Errorf("it was not said that one answers again:\n%s", log.String())
	}
}

// A name server that answers errors, or nonsense, is no reason to end.
func TestNameServerMalformed(t *testing.T) {
	w := start(t, impatientWithNames)
	for name, response := range map[string]fakebroker.Response{
		"error":      {Code: 1, Remark: "out of order"},
		"no JSON":    {Body: []byte("{\"brokerDatas\":[")},
		"empty":      {Body: []byte("{}")},
		"null":       {Body: []byte("null")},
		"no frame":   {Raw: []byte("220 smtp.example.org ESMTP\r\n")},
		"bad broker": {Body: []byte(`{"brokerDatas":[{"cluster":"c","brokerName":"b","brokerAddrs":{"0":"nonsense"}}],"queueDatas":[{"brokerName":"b","perm":6,"readQueueNums":4,"writeQueueNums":4,"topicSysFlag":0}]}`)},
	} {
		t.Run(name, func(t *testing.T) {
			topic := "t-" + strings.ReplaceAll(name, " ", "-")
			w.fake.NameServer.Control(codeRoute, func(r *fakebroker.Request) (fakebroker.Response, bool) {
				return response, r.Ext["topic"] == topic
			})
			c := w.client("producer-" + name)
			var answer apiv2.QueryRouteResponse
			w.fake.SetTopic(fakebroker.Topic{Name: topic})
			c.begin("QueryRoute", &apiv2.QueryRouteRequest{Topic: resource(topic)}, patience).answer(&answer)
			if name != "bad broker" && answer.GetStatus().GetCode() == apiv2.Code_OK {
				t.Errorf("told %v", answer.GetStatus())
			}
			c.sends(apiv2.Code_OK, "orders", "apples")
		})
	}
}

// closedPort is an address on which nobody listens, for now.
func closedPort(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// forward opens addr and passes connections on to another address, until the test ends.
func forward(t *testing.T, addr, to string) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	relay := newRelay(ln, to)
	t.Cleanup(relay.close)
}
