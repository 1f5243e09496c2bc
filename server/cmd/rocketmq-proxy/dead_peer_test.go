package main_test

import (
	"bytes"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/remoting/fakebroker"
)

// How soon a peer that does not answer must be found, and then be gone: 12 s until it is asked,
// up to a second because connections are looked at together, and 3 s for its answer.
const (
	deadPeerMost = 16500 * time.Millisecond
	deadPeerGone = 19 * time.Second // with the second that it has to take its leave
)

// TestDeadPeers: clients with an open call that do not answer any more, or do not even read, are
// found in seconds; one that answers is not, however silent it is.
func TestDeadPeers(t *testing.T) {
	if testing.Short() {
		t.Skip("a quarter of a minute")
	}
	for _, transport := range []string{"cleartext", "TLS"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			deadPeers(t, transport == "TLS")
		})
	}
}

func deadPeers(t *testing.T, secure bool) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: crowdTopic})
	proxy := startInFront(t, fake, nil)
	d := &departing{crowd: &crowd{TB: t, door: make(chan struct{}, 1)}, addr: proxy.addr, secure: secure}
	t.Cleanup(d.close)
	silent := d.member()
	said, say := io.Pipe()
	heard := silent.join(t.Context(), said, say) // from here on it says nothing, but answers PINGs
	if heard == nil {
		t.FailNow()
	}
	var reading sync.WaitGroup
	defer reading.Wait()
	defer heard.close()
	var silently atomic.Bool // the end is the test's own
	reading.Go(func() {
		if err := heard.next(&apiv2.TelemetryCommand{}); !silently.Load() {
			t.Errorf("the stream of a silent client has ended: %v", err)
		}
	})

	deaf, mute := openCall(t, proxy.addr, secure), openCall(t, proxy.addr, secure)
	defer deaf.Close()
	begun := time.Now()
	_ = mute.SetReadDeadline(begun.Add(patience))
	last, err := io.ReadAll(mute)
	took := time.Since(begun)
	_ = mute.Close()
	t.Logf("a client that answers nothing was told after %v", took.Round(time.Millisecond))
	if err != nil || took > deadPeerMost || !bytes.Contains(last, []byte("KeepaliveTimeout: the client is silent")) {
		t.Errorf("after %v it was told %q, %v", took, last, err)
	}
	// Had it been found later than the other, this would have been a sign of life.
	if !within(time.Until(begun.Add(deadPeerGone)), func() bool { _, err := deaf.Write([]byte{0}); return err != nil }) {
		t.Errorf("after %v a client that does not read is still connected", time.Since(begun))
	}
	t.Logf("a client that does not read was gone after %v", time.Since(begun).Round(time.Millisecond))
	silent.queryRoute(t)
	silently.Store(true)
}

// openCall opens a connection with a telemetry stream on which nothing is said.
func openCall(t *testing.T, addr string, secure bool) net.Conn {
	t.Helper()
	conn := dialFlood(t, addr, secure)
	if _, err := conn.Write(append(hello(nil), frame(frameHeaders, flagEndHeaders, 1, headerBlockFor("Telemetry", "1H"))...)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestConnectionAge: a client whose connection is old is told to connect anew, a send that it has
// under way is answered, and it is served on the next connection.
func TestConnectionAge(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: crowdTopic})
	fake.SetTopic(fakebroker.Topic{Name: quietTopic})
	held := holdSends(fake.Brokers[0])
	proxy := startInFront(t, fake, map[string]any{"grpcMaxConnectionAgeSeconds": 1, "grpcMaxConnectionAgeGraceSeconds": 60, "grpcShutdownTimeSeconds": 1})
	d := &departing{crowd: &crowd{TB: t, door: make(chan struct{}, 1)}, addr: proxy.addr}
	t.Cleanup(d.close)
	begun := time.Now()
	m := d.join(t)
	d.calls.Go(func() {
		if m.send(t.Context()) {
			d.sent.Add(1)
		}
	})
	if !m.pollsNothing(t) { // it would take 20 s
		t.Error("the poll has failed")
	}
	took := time.Since(begun)
	t.Logf("the poll ended after %v", took.Round(time.Millisecond))
	if took < 900*time.Millisecond || took > memberPoll/2 {
		t.Errorf("the poll ended after %v", took)
	}
	if !within(patience, func() bool { return held.sends.Load() == 1 && d.reconnects.Load() == 1 }) {
		t.Errorf("%d sends are with the broker, %d clients were told to connect anew", held.sends.Load(), d.reconnects.Load())
	}
	m.queryRoute(t)
	close(held.release)
	d.calls.Wait()
	if d.sent.Load() != 1 || d.failures.Load() > 0 {
		t.Errorf("%d sends were taken, %d calls failed", d.sent.Load(), d.failures.Load())
	}
}
