package server_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/config"
)

// PROXY headers of a client at 203.0.113.7:4711 that dialled mq.example.com.
const (
	headerV1 = "PROXY TCP4 203.0.113.7 198.51.100.2 4711 443\r\n"
	headerV2 = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x22\xcb\x00\x71\x07\xc6\x33\x64\x02\x12\x67\x01\xbb" +
		"\x02\x00\x0emq.example.com\xea\x00\x02\x01x"
	behindHeaders = "203.0.113.7:4711"
)

func trustLoopback(c *config.Config) { c.GRPC.ProxyProtocolTrusted = "192.0.2.0/24, 127.0.0.0/8" }

// behind connects a client through a load balancer that says something first.
func (w *world) behind(header, id string) *client {
	w.Helper()
	conn, err := net.DialTimeout("tcp", w.addr(), patience)
	if err != nil {
		w.Fatal(err)
	}
	if _, err := io.WriteString(conn, header); err != nil {
		w.Fatal(err)
	}
	return greet(w, w.over(conn), id, false, 1<<30)
}

// bornHosts tells what brokers are told of where each message comes from.
func (w *world) bornHosts() <-chan string {
	hosts := make(chan string, 16)
	w.broker.Control(codeSendV2, func(r *fakebroker.Request) (fakebroker.Response, bool) {
		for property := range strings.SplitSeq(r.Ext["i"], "\x02") {
			if host, is := strings.CutPrefix(property, "__BORNHOST\x01"); is {
				hosts <- host
			}
		}
		return fakebroker.Response{}, false
	})
	return hosts
}

// The client behind a load balancer is who a message comes from, over cleartext and over TLS; without a
// header it is the load balancer itself.
func TestBornHostBehindALoadBalancer(t *testing.T) {
	overBoth(t, func(t *testing.T, w *world) {
		hosts := w.bornHosts()
		for _, header := range []string{headerV1, headerV2} {
			w.behind(header, "producer-1").sends(apiv2.Code_OK, "orders", "apples")
			if host := <-hosts; host != behindHeaders {
				t.Errorf("%.5q: born at %s, want %s", header, host, behindHeaders)
			}
		}
		for _, header := range []string{"", "PROXY UNKNOWN\r\n", "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"} {
			c := w.behind(header, "producer-1")
			c.sends(apiv2.Code_OK, "orders", "apples")
			if host := <-hosts; host != c.conn.LocalAddr().String() {
				t.Errorf("%.5q: born at %s, want %s", header, host, c.conn.LocalAddr())
			}
		}
	}, trustLoopback)
}

// What clients are told to dial is for their own network, and the log has both of them.
func TestAdvertiseBehindALoadBalancer(t *testing.T) {
	w := start(t, trustLoopback, func(c *config.Config) { c.Proxy.Advertise = "203.0.113.0/24=1.2.3.4:5; lb.example.com:443" })
	for header, want := range map[string]string{headerV2: "1.2.3.4:5", "": "lb.example.com:443"} {
		c := w.behind(header, "consumer-1")
		told := c.queryRoute(apiv2.Code_OK, "orders").GetMessageQueues()[0].GetBroker().GetEndpoints().GetAddresses()[0]
		if got := fmt.Sprint(told.GetHost(), ":", told.GetPort()); got != want {
			t.Errorf("%.5q: told %s, want %s", header, got, want)
		}
		relay := c.conn.LocalAddr().String()
		c.vanish()
		eventually(t, "the end is in the log", func() bool { return containsAll(w.log.String(), relay, "connection ended") })
	}
	if !containsAll(w.log.String(), `"client":"`+behindHeaders+`","relay":"127.0.0.1:`, `"relaySaid":"authority=mq.example.com"`) {
		t.Error("the log does not say who is behind whom")
	}
	w.proxy.Announce(io.Discard, "proxy")
	if !strings.Contains(w.log.String(), `"proxyProtocolTrusted":"192.0.2.0/24, 127.0.0.0/8"`) {
		t.Error("the log does not say who is trusted")
	}
}

// A header that cannot be read ends the connection; the log says why, once.
func TestBadIntroductionIsLogged(t *testing.T) {
	w := start(t, trustLoopback)
	conn := w.dial()
	defer conn.Close()
	_, _ = io.WriteString(conn, "PROXY TCP4 203.0.113.7 198.51.100.2 4711\r\n")
	if said, err := io.ReadAll(conn); err != nil || len(said) > 0 {
		t.Errorf("answered %q, %v", said, err)
	}
	eventually(t, "it is in the log", func() bool {
		return containsAll(w.log.String(), `"level":"warn","client":"`+conn.LocalAddr().String(),
			"malformed PROXY header: 3 fields behind TCP4, expected 4", "connection not accepted")
	})
	w.behind(headerV1, "honest").queryRoute(apiv2.Code_OK, "orders")
	if n := strings.Count(w.log.String(), "malformed PROXY"); n != 1 {
		t.Errorf("%d lines", n)
	}
}

// Without the key, or from elsewhere, a header is another protocol, and the answer says which.
func TestIntroductionByAStranger(t *testing.T) {
	for _, trusted := range []string{"", "10.0.0.0/8"} {
		w := start(t, func(c *config.Config) { c.GRPC.ProxyProtocolTrusted = trusted })
		for _, header := range []string{headerV1, headerV2} {
			conn := w.dial()
			_, _ = io.WriteString(conn, header+preface)
			answer, err := io.ReadAll(conn)
			if err != nil || !strings.Contains(string(answer), "only from the networks that proxyProtocolTrusted names") {
				t.Errorf("trusted %q: answered %q, %v", trusted, answer, err)
			}
			_ = conn.Close()
		}
		w.client("honest").queryRoute(apiv2.Code_OK, "orders")
		if strings.Contains(w.log.String(), `"level":"warn"`) {
			t.Errorf("trusted %q: strangers fill the log", trusted)
		}
	}
}
