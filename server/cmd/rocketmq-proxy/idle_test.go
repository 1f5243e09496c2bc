package main_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/remoting/fakebroker"
)

// idleConns makes TestIdle look at more connections, for longer.
var idleConns = flag.Int("idle", 0, "connections of TestIdle, which stay idle for 55 s; 0: 1,000 for two seconds")

// What an idle connection may cost in RSS, all included. Bare echo servers take 12.3 KB on netpoll, and 14.6 to
// 55 KB with TLS.
const (
	idlePlainMax    = 10 << 10
	idleSecureMax   = 20 << 10
	idleConsumerMax = 28 << 10 // a consumer's, with its telemetry stream: 15 KB, and 25 KB for some seconds after a round of keepalives
)

// TestIdle: connections that have made a call and are silent then cost little, cleartext ones no
// goroutine, and all are answered afterwards. So do those on which a consumer waits to be told something.
func TestIdle(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("RSS is read from /proc")
	}
	for _, kind := range []struct {
		name              string
		secure, consumers bool
		bytesMax          int64
	}{{"cleartext", false, false, idlePlainMax}, {"TLS", true, false, idleSecureMax}, {"consumers", false, true, idleConsumerMax}} {
		t.Run(kind.name, func(t *testing.T) {
			fake := fakebroker.Start(t)
			fake.SetTopic(fakebroker.Topic{Name: "flood"})
			proxy := startInFront(t, fake, map[string]any{"adminListenAddr": "127.0.0.1:0"})
			n := cmp.Or(*idleConns, 1000)
			gather := func(n int) []net.Conn {
				conns := idleCrowd(t, proxy.addr, kind.secure, n)
				if kind.consumers {
					abreast(conns, func(i int, c net.Conn) {
						if err := idleConsumer(c, idleStream, fmt.Sprint("consumer-", i)); err != nil {
							t.Errorf("connection %d: %v", i, err)
						}
					})
				}
				return conns
			}
			settle(gather(64)) // what any traffic costs once
			before, goroutines := proxy.memory("VmRSS"), proxy.goroutines()

			conns := gather(n)
			defer settle(conns)
			rest := answerPings(conns)
			if *idleConns > 0 {
				time.Sleep(55 * time.Second) // is what is measured; keepalives come every 12
			} else {
				time.Sleep(2 * time.Second)
			}
			each := (proxy.memory("VmRSS") - before) / int64(n)
			more := proxy.goroutines() - goroutines
			rest()
			t.Logf("%d connections: %d bytes of RSS each, %d more goroutines", n, each, more)
			// Few connections share what the collector holds back; the limit is for many.
			if limit := kind.bytesMax; each > limit && *idleConns > 0 || each > 2*limit {
				t.Errorf("%d bytes of RSS each, more than %d", each, limit)
			}
			if !kind.secure && more > n/20 {
				t.Errorf("%d more goroutines", more)
			}
			abreast(conns, func(i int, c net.Conn) {
				if err := idleCall(c, idleStream+2); err != nil {
					t.Errorf("connection %d: %v", i, err)
				}
			})
		})
	}
}

// goroutines is how many the admin port says there are.
func (p *process) goroutines() int {
	p.tb.Helper()
	answer, err := http.Get("http://" + p.admin + "/debug/counters")
	if err != nil {
		p.tb.Fatal(err)
	}
	defer answer.Body.Close()
	var said struct{ Goroutines int }
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
		p.tb.Fatal(err)
	}
	return said.Goroutines
}

// idleCrowd opens n connections, each of which says hello and makes one call.
func idleCrowd(tb testing.TB, addr string, secure bool, n int) []net.Conn {
	tb.Helper()
	conns := make([]net.Conn, n)
	abreast(conns, func(i int, _ net.Conn) {
		conn, err := dial(addr, secure)
		if err == nil {
			conns[i] = conn
			if _, err = conn.Write(hello(nil)); err == nil {
				err = idleCall(conn, 1)
			}
		}
		if err != nil {
			tb.Errorf("connection %d: %v", i, err)
		}
	})
	if tb.Failed() {
		tb.FailNow()
	}
	return conns
}

// answerPings keeps connections alive on which a call is open, until rest is called.
func answerPings(conns []net.Conn) (rest func()) {
	var all sync.WaitGroup
	for _, conn := range conns {
		_ = conn.SetDeadline(time.Time{})
		all.Go(func() {
			for {
				f, err := readFrame(conn)
				if err != nil {
					return // it is over, or the test finds out
				}
				if f.kind == framePing && f.flags&flagAck == 0 {
					_, _ = conn.Write(frame(framePing, flagAck, 0, f.payload))
				}
			}
		})
	}
	return func() {
		for _, conn := range conns {
			_ = conn.SetReadDeadline(time.Now())
		}
		all.Wait()
	}
}

func settle(conns []net.Conn) {
	for _, c := range conns {
		_ = c.Close()
	}
}

// abreast does something with every connection, some at a time.
func abreast(conns []net.Conn, do func(i int, c net.Conn)) {
	const width = 16
	var all sync.WaitGroup
	for from := range width {
		all.Go(func() {
			for i := from; i < len(conns); i += width {
				do(i, conns[i])
			}
		})
	}
	all.Wait()
}

// idleStream is the stream that stays open.
const idleStream = 3

// idleConsumer opens a telemetry stream, on which a consumer says what it is, and hears the answer.
func idleConsumer(conn net.Conn, stream uint32, client string) error {
	settings := &apiv2.TelemetryCommand{Command: &apiv2.TelemetryCommand_Settings{Settings: (&member{group: "idle"}).settings()}}
	said := frame(frameHeaders, flagEndHeaders, stream, headerBlockOf(client, "Telemetry", "1H"))
	said = append(said, frame(frameData, 0, stream, grpcMessage(settings))...)
	return sayAndHear(conn, said, func(f *heard) (bool, error) {
		if f.stream == stream && f.kind == frameHeaders && f.flags&flagEndStream != 0 {
			return false, errors.New("the telemetry stream has ended")
		}
		return f.stream == stream && f.kind == frameData, nil
	})
}

// idleCall makes a call and reads on to the end of its answer.
func idleCall(conn net.Conn, stream uint32) error {
	call := unary("QueryRoute", stream, &apiv2.QueryRouteRequest{Topic: &apiv2.Resource{Name: "flood"}})
	return sayAndHear(conn, call, func(f *heard) (bool, error) {
		switch f.kind {
		case frameData, frameHeaders, frameSettings, frameWindowUpdate, framePing:
			return f.kind == frameHeaders && f.flags&flagEndStream != 0 && f.stream == stream, nil
		}
		return false, fmt.Errorf("a frame of type %d", f.kind)
	})
}

// sayAndHear writes what a client says, and reads frames until one is the last that is waited for.
func sayAndHear(conn net.Conn, said []byte, last func(f *heard) (bool, error)) error {
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write(said); err != nil {
		return err
	}
	for {
		f, err := readFrame(conn)
		if err != nil {
			return err
		}
		if done, err := last(f); done || err != nil {
			return err
		}
	}
}
