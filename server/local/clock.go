package local

import "time"

// clock is the time of the embedded broker: that of the machine, but it never goes back, and
// where the machine's clock is set to another time it follows slowly. A jump thus delivers
// nothing early, and does not end every invisible time at once.
type clock struct {
	last time.Time // the machine's, with its monotonic part
	ms   int64     // ours, since 1970
	rest time.Duration
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
	if passed <= 0 {
		return c.ms
	}
	away := time.Duration(now.UnixMilli()-c.ms)*time.Millisecond - passed.Truncate(time.Millisecond)
	switch {
	case away > clockJump:
		passed += passed / clockSlew
	case away < -clockJump:
		passed -= passed / clockSlew
	case away != 0:
		passed += min(max(away, -passed), clockJump) // drift: follow at once, never back
	}
	c.ms += passed.Milliseconds()
	c.rest = passed % time.Millisecond
	c.last = now
	return c.ms
}

// when is the machine's time at which ours will be ms, if nothing jumps.
func (c *clock) when(ms int64) time.Time {
	return c.last.Add(time.Duration(ms-c.ms) * time.Millisecond)
}
