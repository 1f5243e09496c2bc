package server_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/config"
)

// TestNameServersOfADomain: an HTTP server says where the name servers are, and what namesrvAddr
// says gives way to that.
func TestNameServersOfADomain(t *testing.T) {
	t.Cleanup(func() { eventually(t, "all buffers released", func() bool { return pool.Live() == 0 }) })
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders"})
	directory := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/rocketmq/nsaddr" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		_, _ = out.Write([]byte(fake.NameServer.Addr + "\n"))
	}))
	defer directory.Close()
	for _, before := range []string{"", "127.0.0.1:1"} {
		w := &world{TB: t, fake: fake, broker: fake.Brokers[0], over: func(c net.Conn) net.Conn { return c }}
		w.proxy, w.log = startProxy(t, before, func(c *config.Config) {
			c.NameServer.Domain, c.NameServer.DomainSubgroup = strings.TrimPrefix(directory.URL, "http://"), "nsaddr"
		})
		w.client("producer-1").sends(apiv2.Code_OK, "orders", "hello")
	}
}
