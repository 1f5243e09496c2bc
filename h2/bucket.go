package h2

import (
	"time"

	"rocketmq-proxy/codec/frame"
)

// reasons are what clients are told that have used up an allowance.
var reasons = [Violations]string{
	RapidReset:     "too many streams reset by the client",
	ProvokedReset:  "too many streams in error",
	PingFlood:      "too many PING frames",
	SettingsFlood:  "too many SETTINGS frames",
	PriorityFlood:  "too many PRIORITY frames",
	EmptyData:      "too many empty DATA frames",
	DataDribble:    "too many tiny DATA frames",
	UnknownFlood:   "too many frames of unknown types",
	RefusedStreams: "too many streams beyond the limit",
	HeaderLists:    "too many header lists beyond the limit",
	GzipBombs:      "too many messages that inflate out of all proportion",
}

// bucket is a token bucket kept as one instant, in time since Config.begun: when it will be full again.
type bucket time.Duration

// take spends one token and tells whether there was one.
func (b *bucket) take(a Allowance, now time.Duration) bool {
	full := max(time.Duration(*b), now)
	if full-now > time.Duration(a.Burst-1)*a.Interval {
		return false
	}
	*b = bucket(full + a.Interval)
	return true
}

// spend counts a violation and ends the connection when its allowance is used up. Most
// connections never come here, and have no buckets.
func (c *Conn) spend(v Violation) error {
	c.cfg.count(v)
	if c.buckets == nil {
		c.buckets = new([Violations]bucket)
	}
	if c.buckets[v].take(c.cfg.limits.Allowances[v], c.now.Sub(c.cfg.begun)) {
		return nil
	}
	return ConnError{Code: frame.EnhanceYourCalm, Reason: reasons[v]}
}

// exceeded counts a violation of a plain limit and ends the connection.
func (c *Conn) exceeded(v Violation, reason string) error {
	c.cfg.count(v)
	return ConnError{Code: frame.EnhanceYourCalm, Reason: reason}
}
