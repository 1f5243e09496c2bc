package local

import (
	"testing"
	"time"
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
