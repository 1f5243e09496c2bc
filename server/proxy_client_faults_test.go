package server_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/remoting/fakebroker"
)

// handedBack notes the messages that the proxy makes visible again: their queue offsets.
func (w *world) handedBack() func() []string {
	var mu sync.Mutex
	var offsets []string
	w.broker.Control(codeInvisible, func(r *fakebroker.Request) (fakebroker.Response, bool) {
		mu.Lock()
		defer mu.Unlock()
		if r.Ext["suspend"] != "true" || r.Ext["invisibleTime"] != "1000" {
			w.Errorf("handed back with %v", r.Ext)
		}
		offsets = append(offsets, r.Ext["queueId"]+"@"+r.Ext["offset"])
		return fakebroker.Response{}, false
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(offsets)
	}
}

// Messages that come to a poll whose client has gone are there for others soon, and that they
// were delivered to nobody does not count.
func TestPollAbandoned(t *testing.T) {
	for name, leave := range map[string]func(c *client, poll *rpc){
		"reset":   func(_ *client, poll *rpc) { poll.cancel() },
		"vanish":  func(c *client, _ *rpc) { c.vanish() },
		"garbage": func(c *client, _ *rpc) { c.write([]byte(strings.Repeat("garbage", 100))) },
	} {
		t.Run(name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, w *world) {
				back := w.handedBack()
				c := w.consumer("consumer-1")
				poll := c.polls("orders", 20*time.Second)
				eventually(t, "the poll waits", func() bool { return w.broker.Waiting() == 1 })
				leave(c, poll)
				if name == "reset" {
					c.queryRoute(apiv2.Code_OK, "orders") // the reset was heard before
				} else {
					c.awaitEnd()
					time.Sleep(50 * time.Millisecond)
				}
				w.client("producer-1").sends(apiv2.Code_OK, "orders", "apples")
				eventually(t, "the message is handed back", func() bool { return len(back()) == 1 })
				got := w.consumer("consumer-2").receives("orders")
				if len(got) != 1 || got[0].GetSystemProperties().GetDeliveryAttempt() != 1 {
					t.Errorf("received %v", got)
				}
			})
		})
	}
}

// A client that gives its poll a small window gets what fits; when it resets the poll, what it
// did not get whole is handed back.
func TestPollWithSmallWindow(t *testing.T) {
	overBoth(t, func(t *testing.T, w *world) {
		back := w.handedBack()
		const all, size, window = 10, 1000, 4500
		producer := w.client("producer-1")
		for range all {
			producer.sends(apiv2.Code_OK, "orders", strings.Repeat("m", size))
		}
		c := w.thrifty("consumer-1", window)
		c.introduces(consumerSettings(apiv2.ClientType_SIMPLE_CONSUMER, "orders"))
		poll := c.polls("orders", 10*time.Second)
		const prefix = 5
		poll.await("a full window", func() bool {
			n := len(poll.data)
			for _, m := range poll.messages {
				n += prefix + len(m)
			}
			return n == window
		})
		whole := len(poll.messages) - 1 // the status is the first
		if whole < 1 || whole > 4 {
			t.Errorf("%d messages fit", whole)
		}
		poll.cancel()
		eventually(t, "the others are handed back", func() bool { return len(back()) == all-whole })
		time.Sleep(20 * time.Millisecond)
		if n := len(back()); n != all-whole {
			t.Errorf("%d were handed back, %d were not delivered", n, all-whole)
		}
	})
}

// With windows that open a little at a time everything comes, in its order.
func TestPollWithTricklingWindow(t *testing.T) {
	overBoth(t, func(t *testing.T, w *world) {
		producer := w.client("producer-1")
		body := strings.Repeat("0123456789", 700)
		for range 5 {
			producer.sends(apiv2.Code_OK, "orders", body)
		}
		c := w.thrifty("consumer-1", 100)
		told := c.open("Telemetry", 0)
		told.widen(1 << 16)
		told.send(&apiv2.TelemetryCommand{Command: &apiv2.TelemetryCommand_Settings{
			Settings: consumerSettings(apiv2.ClientType_SIMPLE_CONSUMER, "orders"),
		}}, false)
		told.message(0, &apiv2.TelemetryCommand{})
		poll := c.polls("orders", 10*time.Second)
		over := make(chan struct{})
		go func() {
			defer close(over)
			poll.wait()
		}()
		for open := true; open; {
			select {
			case <-over:
				open = false
			case <-time.After(time.Millisecond):
				poll.widen(997)
			}
		}
		code, got := poll.received()
		if code != apiv2.Code_OK || len(got) != 5 {
			t.Fatalf("%v, %d messages", code, len(got))
		}
		for _, m := range got {
			if string(m.GetBody()) != body {
				t.Error("a body differs")
			}
		}
	})
}

// One client talks nonsense; the other hears nothing of it.
func TestGarbageFromOther(t *testing.T) {
	overBoth(t, func(t *testing.T, w *world) {
		honest := w.consumer("honest")
		poll := honest.polls("orders", 20*time.Second)
		eventually(t, "the poll waits", func() bool { return w.broker.Waiting() == 1 })
		for name, garbage := range map[string][]byte{
			"text":                []byte(strings.Repeat("and now for something completely different ", 40)),
			"a huge frame":        {0xff, 0xff, 0xff, frameData, 0, 0, 0, 0, 1},
			"DATA on nothing":     frame(frameData, flagEndStream, 7, []byte("hello")),
			"PING on a stream":    frame(framePing, 0, 1, make([]byte, 8)),
			"SETTINGS of 5 bytes": frame(frameSettings, 0, 0, make([]byte, 5)),
			"a window of 0":       frame(frameWindowUpdate, 0, 0, number(0)),
			"no HPACK":            frame(frameHeaders, flagEndHeaders|flagEndStream, 1, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}),
			"stream 2":            frame(frameHeaders, flagEndHeaders|flagEndStream, 2, []byte{0x82}),
			"RST_STREAM on none":  frame(frameReset, 0, 9, number(0)),
			"a push":              frame(0x5, flagEndHeaders, 1, make([]byte, 8)),
		} {
			rude := w.client("rude")
			rude.write(garbage)
			rude.awaitEnd()
			rude.mu.Lock()
			if rude.goAways == 0 || rude.lastCode == 0 {
				t.Errorf("%s: ended with %d GOAWAY, code %d", name, rude.goAways, rude.lastCode)
			}
			rude.mu.Unlock()
			eventually(t, "a line in the log", func() bool {
				return containsAll(w.log.String(), rude.conn.LocalAddr().String(), "connection ended")
			})
			honest.sends(apiv2.Code_OK, "elsewhere", name) // not orders: the poll waits for that
		}
		w.client("producer-1").sends(apiv2.Code_OK, "orders", "apples")
		if code, got := poll.received(); code != apiv2.Code_OK || len(got) != 1 {
			t.Errorf("%v, %d messages", code, len(got))
		}
	})
}

// A client asks much and reads nothing for a while; another is served all the time.
func TestDeafNeighbour(t *testing.T) {
	overBoth(t, func(t *testing.T, w *world) {
		deaf := w.dial()
		defer deaf.Close()
		_, _ = deaf.Write(append([]byte(preface), frame(frameSettings, 0, 0, nil)...))
		c := w.client("honest")
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			_ = deaf.SetWriteDeadline(time.Now().Add(patience))
			ping := frame(framePing, 0, 0, make([]byte, 8))
			for {
				select {
				case <-stop:
					return
				default:
					if _, err := deaf.Write(slices.Repeat(ping, 1000)); err != nil {
						return
					}
				}
			}
		}()
		for range 50 {
			c.sends(apiv2.Code_OK, "orders", "apples")
		}
		close(stop)
		_ = deaf.SetWriteDeadline(time.Now())
		<-stopped
	})
}
