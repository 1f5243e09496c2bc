package server_test

import (
	"crypto/tls"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/config"
)

// shownConnection is a connection as an operator's script reads it.
type shownConnection struct {
	ID               int
	State            string
	Remote, Local    string
	Relay, RelaySaid string
	Since, LastHeard time.Time
	AgeSeconds       float64
	CallsOpen        int
	CallsBegun       int
	ClientIDs        []string
	TLS              *struct{ Version, Cipher, ALPN, Certificate string }
	Socket           struct{ ReceivedBytes, SentBytes, RoundTripMicros int }
}

type shownConnections struct {
	Connections []shownConnection
	End         bool
	Next        int
	Totals      struct{ Live, Opening, Accepted, Refused, CallsBegun int }
}

// connections is a page of the list.
func (w *world) connections(query string) (page shownConnections) {
	w.Helper()
	text := w.adminPage("/debug/connections" + query)
	if err := json.Unmarshal(text, &page); err != nil {
		w.Fatalf("%v: %s", err, text)
	}
	return page
}

// TestConnectionsPage: a cleartext connection with a telemetry stream, one over TLS, and one behind a
// load balancer are listed as what they are, and then are no more.
func TestConnectionsPage(t *testing.T) {
	friend := newIdentity(t, "friend")
	trust := filepath.Join(t.TempDir(), "clients.crt")
	if err := os.WriteFile(trust, friend.cert, 0o600); err != nil {
		t.Fatal(err)
	}
	w := start(t, openAdmin, trustLoopback, func(c *config.Config) {
		c.TLS.ClientAuth, c.TLS.TrustPath = config.ClientAuthOptional, trust
	})
	if page := w.connections(""); len(page.Connections) != 0 || !page.End || page.Totals.Live != 0 {
		t.Errorf("before the first: %+v", page)
	}
	begun := time.Now().Add(-time.Millisecond) // the page has no more than that
	plain := w.client("consumer-1")
	stream, _ := plain.introduces(consumerSettings(apiv2.ClientType_SIMPLE_CONSUMER, "orders"))
	cleartext := w.over
	w.over = func(conn net.Conn) net.Conn {
		return tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}, Certificates: []tls.Certificate{friend.pair}})
	}
	w.client("visitor").queryRoute(apiv2.Code_OK, "orders")
	w.over = cleartext
	w.behind(headerV2, "visitor").queryRoute(apiv2.Code_OK, "orders")

	page := w.connections("")
	if len(page.Connections) != 3 || !page.End || page.Totals.Live != 3 || page.Totals.Accepted != 3 || page.Totals.CallsBegun != 3 {
		t.Fatalf("%+v", page)
	}
	for i, c := range page.Connections {
		if c.ID != i+1 || c.State != "open" || c.CallsBegun != 1 || c.Since.Before(begun) || c.LastHeard.Before(c.Since) || c.LastHeard.After(time.Now()) ||
			c.AgeSeconds < 0 || c.AgeSeconds > time.Since(begun).Seconds() || c.Socket.ReceivedBytes < len(preface) || c.Socket.SentBytes == 0 {
			t.Errorf("connection %d: %+v", i+1, c)
		}
	}
	first, second, third := page.Connections[0], page.Connections[1], page.Connections[2]
	if first.Remote != plain.conn.LocalAddr().String() || first.Local != w.addr() || first.TLS != nil || first.Relay != "" ||
		first.CallsOpen != 1 || !slices.Equal(first.ClientIDs, []string{"consumer-1"}) {
		t.Errorf("cleartext, with telemetry: %+v", first)
	}
	if second.TLS == nil || second.TLS.Version != "TLS 1.3" || !strings.HasPrefix(second.TLS.Cipher, "TLS_") || second.TLS.ALPN != "h2" || second.TLS.Certificate != "CN=friend" ||
		second.CallsOpen != 0 || len(second.ClientIDs) != 0 {
		t.Errorf("TLS: %+v of %+v", second.TLS, second)
	}
	if third.Remote != behindHeaders || !strings.HasPrefix(third.Relay, "127.0.0.1:") || third.RelaySaid != "authority=mq.example.com" || third.Local == w.addr() {
		t.Errorf("behind a load balancer: %+v", third)
	}

	page = w.connections("?start=2&max=1")
	if len(page.Connections) != 1 || page.Connections[0].ID != 2 || page.End || page.Next != 3 {
		t.Errorf("a page of one: %+v", page)
	}

	stream.cancel()
	eventually(t, "the stream has ended", func() bool { return w.connections("").Connections[0].CallsOpen == 0 })
	plain.vanish()
	eventually(t, "the connection is not listed any more", func() bool { return w.connections("").Connections[0].ID == 2 })
}

// TestLeavingConnection: one that was sent GOAWAY is listed for as long as its calls last.
func TestLeavingConnection(t *testing.T) {
	w := start(t, openAdmin)
	release := make(chan struct{})
	w.broker.Control(codeSendV2, func(r *fakebroker.Request) (fakebroker.Response, bool) {
		go func() {
			<-release
			r.Answer(fakebroker.Response{Ext: map[string]string{"msgId": "x", "queueId": "0", "queueOffset": "1"}})
		}()
		return fakebroker.Response{Silent: true}, true
	})
	c := w.client("producer-1")
	send := c.begin("SendMessage", sendRequest("orders", "apples"), patience)
	eventually(t, "the send is with the broker", func() bool { return w.broker.Requests(codeSendV2) == 1 })
	var down sync.WaitGroup
	down.Go(func() { shutdown(w.proxy, patience) })
	c.awaitGoAway()
	if page := w.connections(""); len(page.Connections) != 1 || page.Connections[0].State != "leaving" || page.Connections[0].CallsOpen != 1 {
		t.Errorf("%+v", page)
	}
	close(release)
	send.answers(&apiv2.SendMessageResponse{}, apiv2.Code_OK)
	down.Wait()
}
