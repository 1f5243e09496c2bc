package local

import "time"

// clock is the time of the embedded broker: that of the machine, but it never goes back, and
// where the machine's clock is set to another time it follows slowly. A jump thus delivers
// nothing early, and does not end every invisible time at once.
type clock struct {
	last   time.Time     // the machine's, with its monotonic part
	ms     int64         // ours, since 1970
	rest   time.Duration // that has passed and is not in ms yet
	offset time.Duration // for tests: what the wall was set by
}

const (
	// clockJump is how far the machine's clock may be from ours and count as the same time.
	clockJump = time.Second
	// clockSlew is the part of the time that passes by which we follow a jump.
	clockSlew = 10
)

func newClock(now time.Time) clock { return clock{last: now, ms: now.UnixMilli()} }

// at is our time when the machine's is now.
func (c *clock) at(now time.Time) int64 {
	passed := now.Sub(c.last) + c.rest // monotonic: untouched by jumps
	if passed < time.Millisecond {
		return c.ms
	}
	steps := passed.Milliseconds()
	away := now.Add(c.offset).UnixMilli() - (c.ms + steps)
	switch most := clockJump.Milliseconds(); {
	case away > most:
		steps, c.rest = c.slewed(passed, 1)
	case away < -most:
		steps, c.rest = c.slewed(passed, -1)
	default: // drift: followed at once, but never back
		steps, c.rest = max(steps+away, 0), 0
	}
	c.ms += steps
	c.last = now
	return c.ms
}

// slewed is the whole milliseconds of passed, made longer or shorter, and what is left.
func (c *clock) slewed(passed time.Duration, sign int64) (steps int64, rest time.Duration) {
	passed += time.Duration(sign * int64(passed) / clockSlew)
	return passed.Milliseconds(), passed % time.Millisecond
}

// when is the machine's time at which ours will be ms, if nothing jumps.
func (c *clock) when(ms int64) time.Time {
	return c.last.Add(time.Duration(ms-c.ms) * time.Millisecond)
}
