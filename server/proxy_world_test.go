package server_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	logging "github.com/rs/zerolog"
	coding "golang.org/x/net/http2/hpack"

	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server"
	"rocketmq-proxy/server/config"
)

// patience is how long anything may take that must happen: the machine may be very busy.
const patience = 30 * time.Second

func hpackField(f [2]string) coding.HeaderField { return coding.HeaderField{Name: f[0], Value: f[1]} }

// world is a proxy in front of a fake cluster.
type world struct {
	testing.TB
	fake   *fakebroker.Cluster
	broker *fakebroker.Broker
	proxy  *server.Server
	log    *journal
	over   func(net.Conn) net.Conn // TLS or nothing
}

// journal is what the proxy logged.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// start starts a proxy in front of a cluster with the topics orders and elsewhere.
func start(tb testing.TB, change ...func(*config.Config)) *world {
	tb.Helper()
	tb.Cleanup(func() { eventually(tb, "all buffers released", func() bool { return pool.Live() == 0 }) })
	w := &world{TB: tb, fake: fakebroker.Start(tb), over: func(c net.Conn) net.Conn { return c }}
	w.broker = w.fake.Brokers[0]
	w.fake.SetTopic(fakebroker.Topic{Name: "orders"})
	w.fake.SetTopic(fakebroker.Topic{Name: "elsewhere"})
	w.proxy, w.log = startProxy(tb, w.fake.NameServer.Addr, change...)
	return w
}

func startProxy(tb testing.TB, nameServer string, change ...func(*config.Config)) (*server.Server, *journal) {
	tb.Helper()
	c := config.Default(config.Environment{NameServers: nameServer, Host: "test", Addr: "127.0.0.1"})
	c.GRPC.ServerPort = 0
	c.Limits.ConnectionsMax = 100 // for which every machine has descriptors
	c.Client.PollTimeoutMin = 100 * time.Millisecond
	c.Fleet.Topic = "" // alone, so that a broker hears of nothing but what the test does
	for _, f := range change {
		f(&c)
	}
	log := &journal{}
	proxy, err := server.New(c, logging.New(log))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { shutdown(proxy, 0) })
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("the proxy said:\n%s", log)
		}
	})
	return proxy, log
}

var shutdowns sync.Map // proxies that have been

// shutdown ends a proxy, once.
func shutdown(proxy *server.Server, grace time.Duration) {
	if _, before := shutdowns.LoadOrStore(proxy, true); before {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	proxy.Shutdown(ctx)
}

// overBoth runs a test over cleartext and over TLS.
func overBoth(t *testing.T, test func(t *testing.T, w *world), change ...func(*config.Config)) {
	t.Run("cleartext", func(t *testing.T) { test(t, start(t, change...)) })
	t.Run("TLS", func(t *testing.T) {
		w := start(t, change...)
		w.over = secure
		test(t, w)
	})
}

func secure(conn net.Conn) net.Conn {
	return tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
}

func (w *world) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(w.proxy.Port())) }

func (w *world) dial() net.Conn {
	w.Helper()
	conn, err := net.DialTimeout("tcp", w.addr(), patience)
	if err != nil {
		w.Fatal(err)
	}
	return w.over(conn)
}

// client connects a client that takes whatever it is sent.
func (w *world) client(id string) *client {
	w.Helper()
	return greet(w, w.dial(), id, false, 1<<30)
}

// thrifty connects a client that gives each stream window bytes and no more.
func (w *world) thrifty(id string, window uint32) *client {
	w.Helper()
	return greet(w, w.dial(), id, true, window)
}

func eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			tb.Errorf("never happened: %s (%d buffers are out)", what, pool.Live())
			return
		}
	}
}
