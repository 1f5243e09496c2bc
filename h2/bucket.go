package h2

import (
	"time"

	"rocketmq-proxy/codec/frame"
)

// allowance is a token bucket's shape: burst at once, then one more every interval.
type allowance struct {
	burst    int
	interval time.Duration
	reason   string
}

// The allowances. Honest clients stay far below each: the figures are those of
// hyperium/h2, nghttp2 and netty, or looser.
var allowances = [Violations]allowance{
	RapidReset:     {200, time.Second / 50, "too many streams reset by the client"},
	ProvokedReset:  {100, time.Second / 10, "too many streams in error"},
	PingFlood:      {30, time.Second / 3, "too many PING frames"},
	SettingsFlood:  {20, time.Second / 2, "too many SETTINGS frames"},
	PriorityFlood:  {1000, time.Second / 10, "too many PRIORITY frames"},
	EmptyData:      {100, time.Second / 10, "too many empty DATA frames"},
	DataDribble:    {1000, time.Second / 100, "too many tiny DATA frames"},
	UnknownFlood:   {1000, time.Second / 100, "too many frames of unknown types"},
	RefusedStreams: {200, time.Second / 20, "too many streams beyond the limit"},
	HeaderLists:    {20, time.Second, "too many header lists beyond the limit"},
}

// bucket is a token bucket kept as one instant, in time since Config.begun: when it will be full again.
type bucket time.Duration

// take spends one token and tells whether there was one.
func (b *bucket) take(a *allowance, now time.Duration) bool {
	full := max(time.Duration(*b), now)
	if full-now > time.Duration(a.burst-1)*a.interval {
		return false
	}
	*b = bucket(full + a.interval)
	return true
}

// spend counts a violation and ends the connection when its allowance is used up.
func (c *Conn) spend(v Violation) error {
	c.cfg.count(v)
	if c.buckets[v].take(&allowances[v], c.now.Sub(c.cfg.begun)) {
		return nil
	}
	return ConnError{Code: frame.EnhanceYourCalm, Reason: allowances[v].reason}
}

// exceeded counts a violation of a plain limit and ends the connection.
func (c *Conn) exceeded(v Violation, reason string) error {
	c.cfg.count(v)
	return ConnError{Code: frame.EnhanceYourCalm, Reason: reason}
}
