package local

import (
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"rocketmq-proxy/server/backend"
)

// TestClockFollowsTheMachine: without jumps it is the machine's clock.
func TestClockFollowsTheMachine(t *testing.T) {
	now := time.Now()
	c := newClock(now)
	for range 1000 {
		now = now.Add(1700 * time.Microsecond)
		if got, want := c.at(now), now.UnixMilli(); got < want-1 || got > want {
			t.Fatalf("%d, want %d", got, want)
		}
	}
	if before := c.ms; c.at(now.Add(-time.Second)) != before {
		t.Error("it went back")
	}
}

// TestClockAfterAJump: the clock that was set is followed by a tenth.
func TestClockAfterAJump(t *testing.T) {
	for _, test := range []struct {
		name  string
		jump  time.Duration
		most  time.Duration // how far ours may have gone in a minute
		least time.Duration
	}{
		{"an hour ahead", time.Hour, 67 * time.Second, 60 * time.Second},
		{"an hour back", -time.Hour, 60 * time.Second, 53 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			begun := time.Now()
			c := newClock(begun)
			start := c.ms
			c.offset = test.jump // what the wall has been set by
			for passed := time.Duration(0); passed < time.Minute; passed += 100 * time.Millisecond {
				before := c.ms
				if c.at(begun.Add(passed)) < before {
					t.Fatal("it went back")
				}
			}
			gone := time.Duration(c.ms-start) * time.Millisecond
			if gone > test.most || gone < test.least {
				t.Errorf("in a minute it went %v", gone)
			}
		})
	}
}

// TestClockArrives: a jump is followed in the end, and then the times are the same.
func TestClockArrives(t *testing.T) {
	begun := time.Now()
	c := newClock(begun)
	c.offset = 10 * time.Second
	passed := 5 * time.Minute
	for p := time.Duration(0); p <= passed; p += time.Second {
		c.at(begun.Add(p))
	}
	if got, want := c.ms, begun.Add(passed+c.offset).UnixMilli(); got < want-1 || got > want {
		t.Errorf("%d, want %d", got, want)
	}
}

// sets sets the machine's clock.
func (w *world) sets(jump time.Duration) {
	w.Helper()
	done := make(chan struct{})
	w.turn.Post(event(func(time.Time) {
		w.clock.offset += jump
		close(done)
	}))
	<-done
}

// TestNothingEarlyAfterAJump: the clock is set an hour ahead. Neither does a delayed message
// come, nor does everything that is out come again at once.
func TestNothingEarlyAfterAJump(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	const out = 20
	for i := range out {
		w.sends("orders", fmt.Sprint("out", i), "")
	}
	for got := 0; got < out; {
		got += len(w.pop("orders", "readers"))
	}
	w.sends("orders", "late", fmt.Sprintf("TIMER_DELIVER_MS=%d;", time.Now().Add(30*time.Minute).UnixMilli()))
	w.sets(time.Hour)
	w.wants(w.pop("orders", "readers", func(op *backend.Pop) { op.Poll = 300 * time.Millisecond }), "")
	w.sends("orders", "now", "") // and it goes on
	w.wants(w.pop("orders", "readers"), "now/0")
}

// TestNothingStuckAfterAJump: the clock is set an hour back. What was due soon comes soon.
func TestNothingStuckAfterAJump(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	w.sends("orders", "out", "")
	w.wants(w.pop("orders", "readers", func(op *backend.Pop) { op.Invisible = 200 * time.Millisecond }), "out/0")
	w.sends("orders", "late", fmt.Sprintf("TIMER_DELIVER_MS=%d;", time.Now().Add(100*time.Millisecond).UnixMilli()))
	w.sets(-time.Hour)
	begun := time.Now()
	got := map[string]bool{}
	for len(got) < 2 {
		for _, g := range w.pop("orders", "readers", func(op *backend.Pop) { op.Poll = 5 * time.Second }) {
			got[g.body] = true
		}
		if took := time.Since(begun); took > 10*time.Second {
			t.Fatalf("after %v there is %v", took, got)
		}
	}
	w.wants(w.pop("orders", "readers", func(op *backend.Pop) { op.Poll = 20 * time.Millisecond }), "") // polls end too
}
