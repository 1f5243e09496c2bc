package cluster

import (
	"sync/atomic"
	"time"

	"rocketmq-proxy/codec/command"
)

// Faults is how brokers that are slow, or silent, are left out when a send's queue is chosen. A
// message group stays on its queue, whatever its broker is like.
type Faults struct {
	// Latency leaves slow brokers out too, and silent ones after one send; without it only
	// brokers are left out that missed several sends in a row.
	Latency bool
	// Detect asks a silent broker behind the scenes whether it is back, every DetectEvery, and
	// waits DetectTimeout for the answer. Without it a single send is tried.
	Detect        bool
	DetectTimeout time.Duration
	DetectEvery   time.Duration
}

// health is what sends have shown of a broker. All connections share it: reading it is one atomic
// load, and it is written only when something changes.
//
//	        slow answer              its time is over
//	┌─► fit ────────────► slow ─────────────────────────► fit
//	│    │ unanswered, missesMax times in a row
//	│    ▼
//	│   gone ── its time is over: one send, or the detector, tries ──► probed
//	│    │ ▲                                                            │  │
//	│    │ └───────────────────────── unanswered ───────────────────────┘  │
//	└────┴──────────────────────────── answered ───────────────────────────┘
type health struct {
	// until is when the broker's time is over, ms since 1970: of a slow one as it is, of one that
	// is gone negative. 0 is fit.
	until  atomic.Int64
	misses atomic.Int32 // unanswered sends since the last answer
}

// grade is how good a choice a broker is.
type grade uint8

// The grades, from the best.
const (
	fit grade = iota
	due       // gone, and to be probed
	slow
	gone
)

// exceptionFor is how long the reference leaves a broker out after an exception: it counts as an
// answer that took ten seconds.
const exceptionFor = 10 * time.Second

// missesMax is how many sends in a row a broker leaves unanswered before it is taken for gone, when
// latency is not looked at.
const missesMax = 3

// latencyTable is the reference's: how long a broker is left out whose answer took so long
// (Remoting specification 5.4).
var latencyTable = [...]struct{ took, leaveOut time.Duration }{
	{15 * time.Second, 30 * time.Second},
	{5 * time.Second, 10 * time.Second},
	{3 * time.Second, 6 * time.Second},
	{1800 * time.Millisecond, 5 * time.Second},
	{550 * time.Millisecond, 2 * time.Second},
}

// leaveOut is how long a broker is left out whose answer took that long; 0 for not at all.
func leaveOut(took time.Duration) time.Duration {
	for _, row := range latencyTable {
		if took >= row.took {
			return row.leaveOut
		}
	}
	return 0
}

// well tells at a glance that there is nothing to say against the broker.
func (h *health) well() bool { return h.until.Load() == 0 }

// grade tells how good a choice the broker is at now.
func (h *health) grade(now time.Time) grade {
	until := h.until.Load()
	if until == 0 {
		return fit
	}
	switch ms := now.UnixMilli(); {
	case until > ms:
		return slow
	case until > 0:
		return fit
	case -until > ms:
		return gone
	}
	return due
}

// claim tells the one who is to probe a broker that is due; to all others it is gone for another
// period.
func (h *health) claim(now time.Time, period time.Duration) bool {
	until := h.until.Load()
	return until < 0 && -until <= now.UnixMilli() && h.until.CompareAndSwap(until, -now.Add(period).UnixMilli())
}

// answered notes an answer, after which the broker is left out for a while or, mostly, is fit. It
// tells whether the broker is back from being gone.
func (h *health) answered(now time.Time, leftOut time.Duration) (back bool) {
	if h.misses.Load() != 0 {
		h.misses.Store(0)
	}
	until := int64(0)
	if leftOut > 0 {
		until = now.Add(leftOut).UnixMilli()
	}
	before := h.until.Load()
	if before != until {
		before = h.until.Swap(until)
	}
	return before < 0
}

// missed notes that no answer came. It tells whether the broker is gone because of that, and was
// not before.
func (h *health) missed(now time.Time, most int32, period time.Duration) (left bool) {
	if h.misses.Add(1) < most && h.until.Load() >= 0 {
		return false
	}
	return h.until.Swap(-now.Add(period).UnixMilli()) >= 0
}

// answeredBy tells the health of a broker about an answer to a send that began at began.
func (f *Faults) answeredBy(h *health, code command.ResponseCode, began time.Time) (back bool) {
	if !f.Latency {
		if h.misses.Load() == 0 && h.until.Load() == 0 {
			return false
		}
		return h.answered(time.Time{}, 0)
	}
	now := time.Now()
	if code == command.ResponseSystemBusy || code == command.ResponseServiceNotAvailable {
		return h.answered(now, exceptionFor)
	}
	return h.answered(now, leaveOut(now.Sub(began)))
}

// missedBy tells the health of a broker that it did not answer a send.
func (f *Faults) missedBy(h *health) (left bool) {
	most := int32(missesMax)
	if f.Latency {
		most = 1
	}
	return h.missed(time.Now(), most, f.period())
}

// period is how long a broker that is gone rests before it is probed, and between probes.
func (f *Faults) period() time.Duration {
	if f.Detect {
		return f.DetectEvery
	}
	return exceptionFor
}
