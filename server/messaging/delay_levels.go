package messaging

import (
	"cmp"
	"slices"
	"time"
)

// delayLevels are what brokers delay by that know no moments: each level is a fixed delay. The
// shortest comes first; none means that moments alone are told.
type delayLevels []delayLevel

type delayLevel struct {
	delay int64 // ms
	level int64 // from 1
}

// newDelayLevels makes the table of delays by their level.
func newDelayLevels(delays []time.Duration) delayLevels {
	var all delayLevels
	for i, delay := range delays {
		all = append(all, delayLevel{delay.Milliseconds(), int64(i + 1)})
	}
	slices.SortStableFunc(all, func(a, b delayLevel) int { return cmp.Compare(a.delay, b.delay) })
	return all
}

// of is the level of a message that is due in so many ms: the first that is longer, or the longest.
// There must be a level.
func (d delayLevels) of(left int64) int64 {
	for _, l := range d {
		if l.delay > left {
			return l.level
		}
	}
	return d[len(d)-1].level
}
