package h2

import (
	"errors"
	"testing"
	"time"

	"rocketmq-proxy/codec/frame"
)

// life is a connection whose time goes on from one Due to the next.
type life struct {
	*testing.T
	c    *Conn
	feed func(now time.Time, b []byte) error
	now  time.Time
}

func live(t *testing.T, cfg *Config, at time.Time) *life {
	t.Helper()
	c, feed := greetedAt(t, cfg, &mute{}, at)
	return &life{t, c, feed, at}
}

// until goes on to end, and stops early when something was said, which it returns.
func (l *life) until(end time.Time) (said []byte) {
	for l.now.Before(end) {
		if l.now = end; !l.c.Due().IsZero() && l.c.Due().Before(end) {
			l.now = l.c.Due()
		}
		l.c.Tick(l.now)
		if said = drain(l.c); len(said) > 0 {
			return said
		}
	}
	return nil
}

func (l *life) open(stream uint32) {
	l.Helper()
	if err := l.feed(l.now, frame.AppendHeaders(nil, stream, requestBlock(), frame.FlagEndHeaders)); err != nil {
		l.Fatal(err)
	}
}

// TestAgeJitter: connections of one age end within a tenth of it, as drawn; without AgeMax never.
func TestAgeJitter(t *testing.T) {
	for drawn, want := range map[float64]time.Duration{0: 90 * time.Minute, 0.5: 100 * time.Minute, 0.75: 105 * time.Minute} {
		cfg := &Config{Limits: Limits{AgeMax: 100 * time.Minute, IdleTimeout: -1}, Random: func() float64 { return drawn }}
		l := live(t, cfg, start)
		l.until(start.Add(24 * time.Hour))
		if age := l.now.Sub(start); age != want || !l.c.Leaving() {
			t.Errorf("drawn %v: ended after %v, want %v", drawn, age, want)
		}
	}
	l := live(t, &Config{Limits: Limits{IdleTimeout: -1}}, start)
	if said := l.until(start.Add(1000 * time.Hour)); said != nil || l.c.Leaving() {
		t.Errorf("a connection that may live said %x after %v", said, l.now.Sub(start))
	}
}

// TestAgeOfStrangers: who has not even said hello is told nothing of age.
func TestAgeOfStrangers(t *testing.T) {
	c := New(&Config{Limits: Limits{AgeMax: time.Second}}, &mute{}, start)
	defer c.Close(nil)
	drain(c)
	c.Tick(start.Add(5 * time.Second))
	if said := drain(c); len(said) > 0 || c.Leaving() {
		t.Errorf("said %x", said)
	}
	c.Tick(start.Add(10 * time.Second))
	if broken, _ := errors.AsType[ConnError](c.Err()); broken.Code != frame.ProtocolError {
		t.Errorf("ended with %v", c.Err())
	}
}

// TestDeadPeer: one that is cut off while a call is open is found within 15 s, whatever the
// connection did before; one that answers PINGs never is.
func TestDeadPeer(t *testing.T) {
	const within = 15 * time.Second
	for name, before := range map[string]func(l *life){
		"from the beginning": func(*life) {},
		"after an hour of silence": func(l *life) {
			l.until(start.Add(time.Hour))
		},
		"after an hour of life": func(l *life) {
			l.open(1)
			for pings := 0; l.now.Before(start.Add(time.Hour)); pings++ {
				if said := l.until(start.Add(time.Hour)); len(said) > 0 {
					l.now = l.now.Add(time.Second)
					if err := l.feed(l.now, frame.AppendPing(nil, pingKeepalive, frame.FlagAck)); err != nil {
						l.Fatal(pings, err)
					}
				}
			}
		},
		"when calls come and go": func(l *life) {
			for i := range uint32(100) {
				l.open(2*i + 1)
				l.until(l.now.Add(5 * time.Second))
				if err := l.feed(l.now, frame.AppendReset(nil, 2*i+1, frame.Cancel)); err != nil {
					l.Fatal(err)
				}
				l.until(l.now.Add(5 * time.Second))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := live(t, &Config{Limits: Limits{IdleTimeout: -1}}, start)
			before(l)
			if err := l.c.Err(); err != nil {
				t.Fatal(err)
			}
			l.open(1001)
			cut := l.now
			if ping := l.until(cut.Add(within)); frame.ParseHead(ping).Kind != frame.KindPing {
				t.Fatalf("said %x", ping)
			}
			l.until(cut.Add(within))
			if l.c.Err() == nil || l.c.Active() > 0 || !l.c.Done() {
				t.Errorf("not found within %v", within)
			}
			t.Logf("found after %v", l.now.Sub(cut))
		})
	}
}

// TestKeepaliveOfASlowPeer: the PING has to leave before its answer can be late. How long a peer
// may be slow is for the link to say.
func TestKeepaliveOfASlowPeer(t *testing.T) {
	l := live(t, &Config{}, start)
	l.open(1)
	for l.now.Before(start.Add(time.Minute)) { // nothing is drained
		l.now = l.c.Due()
		l.c.Tick(l.now)
	}
	if err := l.c.Err(); err != nil {
		t.Fatal("taken for dead behind its own PING:", err)
	}
	left := l.now
	if len(drain(l.c)) != frame.HeadBytes+frame.PingBytes {
		t.Error("not one PING")
	}
	l.until(left.Add(l.c.cfg.limits.KeepaliveTimeout))
	if l.c.Err() == nil {
		t.Error("not taken for dead")
	}
}

// TestClientsMayPing: a PING every minute, or every five, as clients keep their connections, for a
// day and without a call. There is no punishment: who has no calls is asked to leave after
// IdleTimeout without a fault, as it was by the Java proxy, and may come again.
func TestClientsMayPing(t *testing.T) {
	for _, every := range []time.Duration{time.Minute, 5 * time.Minute} {
		for _, idle := range []time.Duration{0, -1} {
			counters := new(Counters)
			cfg := &Config{Limits: Limits{IdleTimeout: idle}, Counters: counters}
			l := live(t, cfg, start)
			came, pings := 1, 0
			for end := start.Add(24 * time.Hour); l.now.Before(end); pings++ {
				for next := l.now.Add(every); l.now.Before(next); {
					said := l.until(next)
					if said == nil {
						continue
					}
					h := frame.ParseHead(said)
					bye, err := frame.ParseGoAway(said[frame.HeadBytes:][:h.Length])
					if h.Kind != frame.KindGoAway || err != nil || bye.Code != frame.NoError || idle < 0 {
						t.Fatalf("after %v: %x", l.now.Sub(start), said)
					}
					if !l.c.Done() {
						t.Fatal("the connection stays")
					}
					l = live(t, cfg, l.now)
					came++
				}
				if err := l.feed(l.now, frame.AppendPing(nil, [frame.PingBytes]byte{'?'}, 0)); err != nil {
					t.Fatalf("PING %d: %v", pings, err)
				}
				if said := drain(l.c); len(said) != frame.HeadBytes+frame.PingBytes || !frame.ParseHead(said).Flags.Has(frame.FlagAck) {
					t.Fatalf("PING %d was answered %x", pings, said)
				}
			}
			if idle < 0 && came > 1 || counters.ConnErrors.Load() > 0 || counters.Violations[Timeouts].Load() > 0 {
				t.Errorf("a PING every %v, IdleTimeout %v: %d connections, %d errors", every, idle, came, counters.ConnErrors.Load())
			}
			t.Logf("a PING every %v, IdleTimeout %v: %d PINGs on %d connections", every, idle, pings, came)
		}
	}
}
