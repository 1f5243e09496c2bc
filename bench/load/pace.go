package load

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

const (
	prSetTimerSlack = 29        // PR_SET_TIMERSLACK
	timerSlackNanos = 1         // the default of 50 microseconds is too coarse
	sleepMin        = 5_000     // nanoseconds; shorter waits are not worth a sleep
	sleepMax        = 5_000_000 // so that a stop is heard
)

// pace starts requests at a fixed rate, evenly spaced, over the connections in
// turn. It has a thread of its own and sleeps in the kernel, because Go's
// timers are good to a millisecond only.
func (r *Run) pace() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_ = unix.Prctl(prSetTimerSlack, timerSlackNanos, 0, 0, 0) // coarser sleeps are the worst that can happen
	interval := float64(time.Second) / r.cfg.Rate
	start := r.clock()
	touched := make([]bool, len(r.conns))
	for i := int64(0); !r.stopPacer.Load(); {
		now := r.clock()
		i = r.arrivals(i, start, interval, now, touched)
		r.flushTouched(touched)
		wait := start + int64(float64(i)*interval) - r.clock()
		if wait >= sleepMin {
			ts := unix.NsecToTimespec(min(wait, sleepMax))
			_ = unix.Nanosleep(&ts, nil) // cut short: the loop looks at the clock
		}
	}
}

// arrivals hands out everything that is due by now.
func (r *Run) arrivals(i, start int64, interval float64, now int64, touched []bool) int64 {
	for {
		due := start + int64(float64(i)*interval)
		if due > now {
			return i
		}
		k := int(i) % len(r.conns)
		c := r.conns[k]
		c.mu.Lock()
		c.arrive(due)
		c.mu.Unlock()
		touched[k] = true
		if r.recording.Load() {
			r.late.record(0, r.clock()-due)
		}
		i++
	}
}

func (r *Run) flushTouched(touched []bool) {
	for k, yes := range touched {
		if !yes {
			continue
		}
		touched[k] = false
		c := r.conns[k]
		c.mu.Lock()
		err := c.flush()
		c.mu.Unlock()
		if err != nil {
			c.nc.Close() // its reader reports
		}
	}
}
