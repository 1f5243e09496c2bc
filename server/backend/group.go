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
