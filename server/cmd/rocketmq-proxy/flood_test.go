package main_test

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"rocketmq-proxy/remoting/fakebroker"
)

// rssGrowthMax is how much of the process one client may take that sends and never reads.
const rssGrowthMax = 8 << 20

// floodTime is how long a client floods: 3 s, or as many as the variable says.
func floodTime(tb testing.TB) time.Duration {
	const name = "ROCKETMQ_PROXY_FLOOD_SECONDS"
	text := os.Getenv(name)
	if text == "" {
		return 3 * time.Second
	}
	seconds, err := strconv.Atoi(text)
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	return time.Duration(seconds) * time.Second
}

// TestNeverReads: a client that sends and never reads is closed, and the process stays small.
func TestNeverReads(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("RSS is read from /proc")
	}
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "flood"})
	for _, transport := range []string{"cleartext", "TLS"} {
		for _, f := range neverRead {
			t.Run(transport+"/"+f.name, func(t *testing.T) {
				proxy := startInFront(t, fake, map[string]any{"heartbeatSyncerTopicName": ""}) // sockets are counted
				flood(t, proxy, transport == "TLS", f)
				if code := proxy.stop(); code != 0 {
					t.Errorf("exit code %d", code)
				}
			})
		}
	}
}

func flood(t *testing.T, proxy *process, secure bool, f floodKind) {
	// An honest client first: what any traffic costs once is not the flood's.
	honest := dialHonest(proxy.addr, secure)
	for range 300 {
		honest.queryRoute(t)
		honest.sendMessage(t)
	}
	sockets := proxy.sockets()
	proxy.forgetPeak()
	before := proxy.memory("VmRSS")

	begun := time.Now()
	sent, err := pour(dialFlood(t, proxy.addr, secure), f, floodTime(t))
	open := !within(patience, func() bool { return proxy.sockets() <= sockets })
	closed, peak := time.Since(begun), proxy.memory("VmHWM")
	t.Logf("RSS %.1f MB, %+.1f MB at its peak; %.1f MB sent until %v, closed after %.2f s",
		mb(before), mb(peak-before), mb(sent), err, closed.Seconds())
	if open {
		t.Errorf("still open after %v:\n%s", closed, proxy.output())
	}
	checkGrowth(t, peak-before)

	// The same from one connection after the other, for as long as it takes.
	conns := 1
	for ; time.Since(begun) < floodTime(t); conns++ {
		n, _ := pour(dialFlood(t, proxy.addr, secure), f, floodTime(t))
		sent += n
	}
	if !within(patience, func() bool { return proxy.sockets() <= sockets }) {
		t.Errorf("%d sockets, %d before the flood", proxy.sockets(), sockets)
	}
	t.Logf("%d connections in %.1f s, %.1f MB sent: %+.1f MB at the peak, %+.1f MB afterwards", conns,
		time.Since(begun).Seconds(), mb(sent), mb(proxy.memory("VmHWM")-before), mb(proxy.memory("VmRSS")-before))
	honest.queryRoute(t)
	honest.close()
}

func checkGrowth(t *testing.T, growth int64) {
	t.Helper()
	if growth > rssGrowthMax {
		t.Errorf("RSS grew by %.1f MB, more than %.1f MB", mb(growth), mb(rssGrowthMax))
	}
}

func mb(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// within tries until ok, or until the time is over.
func within(d time.Duration, ok func() bool) bool {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	return ok()
}

func dialFlood(tb testing.TB, addr string, secure bool) net.Conn {
	tb.Helper()
	conn, err := dial(addr, secure)
	if err != nil {
		tb.Fatal(err)
	}
	return conn
}

// dial speaks TLS with anybody, where it is to be secure.
func dial(addr string, secure bool) (net.Conn, error) {
	if secure {
		return tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	}
	return net.Dial("tcp", addr)
}

// pour sends the flood until the time is over or the connection is. A write that blocks is part
// of a flood: the proxy does not read.
func pour(conn net.Conn, f floodKind, d time.Duration) (sent int64, err error) {
	defer conn.Close()
	_ = conn.SetWriteDeadline(time.Now().Add(d))
	next := f.begin()
	for err == nil {
		var n int
		n, err = conn.Write(next())
		sent += int64(n)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errors.New("the time was over")
	}
	return sent, err
}
