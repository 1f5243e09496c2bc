package apiv2

import (
	"math"
	"time"
)

// Span is some bytes of the chain a view was parsed from.
type Span struct {
	Offset int // bytes from the front of the chain
	Len    int // bytes
}

// ResourceView is the name of a topic or a group.
type ResourceView struct {
	Namespace []byte // accepted, echoed, not used for routing
	Name      []byte
}

func (r *ResourceView) read(c *Cursor) {
	outer := c.Enter()
	for c.More() {
		switch tag := c.Tag(); tag {
		case tagResourceNamespace:
			r.Namespace = c.Text()
		case tagResourceName:
			r.Name = c.Text()
		default:
			c.SkipField(tag)
		}
	}
	c.Leave(outer)
}

// Timestamp is a point in time as google.protobuf.Timestamp has it, and whether it was there.
type Timestamp struct {
	Seconds int64 // since the Unix epoch
	Nanos   int32 // forward from Seconds
	Set     bool  // the field was present
}

// TimestampOf is the Timestamp of t.
func TimestampOf(t time.Time) Timestamp {
	return Timestamp{Seconds: t.Unix(), Nanos: int32(t.Nanosecond()), Set: true}
}

// TimestampOfMillis is the Timestamp of a time in milliseconds since the Unix epoch.
func TimestampOfMillis(millis int64) Timestamp {
	seconds, rest := millis/1000, millis%1000
	if rest < 0 {
		seconds, rest = seconds-1, rest+1000
	}
	return Timestamp{Seconds: seconds, Nanos: int32(rest) * 1e6, Set: true}
}

// Valid tells whether t lies in the years 1 to 9999, as protobuf demands. An absent one
// counts as the epoch, which is valid.
func (t Timestamp) Valid() bool {
	return t.Seconds >= -62135596800 && t.Seconds <= 253402300799 && t.Nanos >= 0 && t.Nanos < 1e9
}

// UnixMilli is t in milliseconds since the Unix epoch; it is meaningful when t is valid.
func (t Timestamp) UnixMilli() int64 { return t.Seconds*1000 + int64(t.Nanos)/1e6 }

func (t *Timestamp) read(c *Cursor) {
	t.Set = true
	readSecondsNanos(c, &t.Seconds, &t.Nanos)
}

// Duration is a length of time as google.protobuf.Duration has it, and whether it was there.
type Duration struct {
	Seconds int64
	Nanos   int32 // of the same sign as Seconds
	Set     bool  // the field was present
}

// Valid tells whether d is within 10,000 years and of one sign, as protobuf demands.
func (d Duration) Valid() bool {
	const secondsMax = 315_576_000_000
	return d.Seconds >= -secondsMax && d.Seconds <= secondsMax &&
		d.Nanos > -1e9 && d.Nanos < 1e9 &&
		!(d.Seconds > 0 && d.Nanos < 0) && !(d.Seconds < 0 && d.Nanos > 0)
}

// AsDuration is d in Go's terms; what does not fit there becomes the longest that does.
func (d Duration) AsDuration() time.Duration {
	const secondsMax = math.MaxInt64 / int64(time.Second)
	switch {
	case d.Seconds > secondsMax:
		return math.MaxInt64
	case d.Seconds < -secondsMax:
		return math.MinInt64
	}
	whole := time.Duration(d.Seconds) * time.Second
	sum := whole + time.Duration(d.Nanos)
	switch {
	case d.Nanos > 0 && sum < whole:
		return math.MaxInt64
	case d.Nanos < 0 && sum > whole:
		return math.MinInt64
	}
	return sum
}

func (d *Duration) read(c *Cursor) {
	d.Set = true
	readSecondsNanos(c, &d.Seconds, &d.Nanos)
}

// readSecondsNanos reads a Timestamp or a Duration, which are alike on the wire.
func readSecondsNanos(c *Cursor, seconds *int64, nanos *int32) {
	outer := c.Enter()
	for c.More() {
		switch tag := c.Tag(); tag {
		case tagSeconds:
			*seconds = int64(c.Varint())
		case tagNanos:
			*nanos = int32(c.Varint())
		default:
			c.SkipField(tag)
		}
	}
	c.Leave(outer)
}
