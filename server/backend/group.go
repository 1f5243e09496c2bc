package backend

import "time"

// Group is what is known of a consumer group at one moment. It is immutable and may be shared.
type Group struct {
	Name          string
	Exists        bool
	Orderly       bool // messages of one message group are consumed in order
	RetryMax      int  // deliveries beyond the first
	Retry         RetryPolicy
	LiteBindTopic string // the one topic of a lite group, else empty
	LiteQuota     int    // lite topics that one client may subscribe to
}

// DefaultGroup is a group with the settings that brokers give new ones. It must not be changed.
var DefaultGroup = Group{RetryMax: 16, LiteQuota: 2000, Retry: RetryPolicy{Next: []time.Duration{
	time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 3 * time.Minute,
	4 * time.Minute, 5 * time.Minute, 6 * time.Minute, 7 * time.Minute, 8 * time.Minute, 9 * time.Minute,
	10 * time.Minute, 20 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour,
}}}

// RetryPolicy says how long a failed message rests before its next delivery.
type RetryPolicy struct {
	Exponential  bool
	Initial, Max time.Duration   // of an exponential policy
	Multiplier   float32         // of an exponential policy
	Next         []time.Duration // of a customized one: after each attempt, the last repeats
}

// FetchGroup learns of a consumer group. After it came home without a fault, Found is set.
type FetchGroup struct {
	Exchange
	Name  []byte // borrowed until it comes home
	Found *Group
}
