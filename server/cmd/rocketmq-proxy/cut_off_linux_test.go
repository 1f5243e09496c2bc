package main_test

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rocketmq-proxy/remoting/fakebroker"
)

// cutOffMost is how soon a host that is gone without a word must be found.
const cutOffMost = 10 * time.Second

// TestCutOffPeers: a client with an open call whose host is gone, without a FIN or a RST and without
// acknowledging anything, is found within ten seconds.
func TestCutOffPeers(t *testing.T) {
	if testing.Short() {
		t.Skip("ten seconds")
	}
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: crowdTopic})
	proxy := startInFront(t, fake, map[string]any{"logLevel": "debug"})
	conns := map[string]net.Conn{"cleartext": openCall(t, proxy.addr, false), "TLS": openCall(t, proxy.addr, true)}
	for transport, conn := range conns {
		defer conn.Close()
		hearAnswerHeaders(t, conn)
		cutOff(t, conn)
		t.Logf("%s: %v is cut off", transport, conn.LocalAddr())
	}
	begun := time.Now()
	found := map[string]time.Duration{}
	if !within(deadPeerGone, func() bool {
		for line := range strings.Lines(proxy.output()) {
			for transport, conn := range conns {
				ended := strings.Contains(line, conn.LocalAddr().String()) && strings.Contains(line, "connection ended")
				if _, known := found[transport]; ended && !known {
					found[transport] = time.Since(begun)
					t.Logf("%s: found after %v: %s", transport, found[transport].Round(time.Millisecond), line)
				}
			}
		}
		return len(found) == len(conns)
	}) {
		t.Errorf("only %v were found:\n%s", found, proxy.output())
	}
	for transport, took := range found {
		if took > cutOffMost {
			t.Errorf("%s: found after %v", transport, took)
		}
	}
}

// hearAnswerHeaders reads until a call was answered by its headers and what was read is acknowledged.
func hearAnswerHeaders(t *testing.T, conn net.Conn) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	for {
		f, err := readFrame(conn)
		if err != nil {
			t.Fatal(err)
		}
		if f.kind == frameHeaders {
			return
		}
	}
}

// cutOff has the kernel drop all that comes for a socket before TCP sees it.
func cutOff(t *testing.T, conn net.Conn) {
	t.Helper()
	if secure, is := conn.(*tls.Conn); is {
		conn = secure.NetConn()
	}
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	drop := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 0}}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &drop[0]})
	})
	if err = errors.Join(err, failed); err != nil {
		t.Skip("a socket cannot be cut off here: ", err)
	}
}
