package link

import (
	"time"

	"golang.org/x/sys/unix"
)

// DescriptorLimit is how many descriptors the process may have open, RLIMIT_NOFILE. Go's runtime has raised
// the soft limit to the hard one at start (since 1.19, package os), so nobody has to do it here.
func DescriptorLimit() (int, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	return int(min(limit.Cur, 1<<30)), nil
}

// Shortage is that there are too few descriptors for more connections, or that it is over.
type Shortage struct {
	Over        bool
	Connections int   // that are open now
	Cause       error // of its begin: DescriptorsMax, or EMFILE or ENFILE of a system call
}

// descriptors is whether a listener is short of them. Its listener's lock guards it.
//
//	       DescriptorsMax reached; EMFILE, ENFILE
//	plenty ────────────────────────────────────► short
//	   ▲                                           │
//	   └───────────────────────────────────────────┘
//	    a twentieth of the connections has gone, or one
//	    is accepted and none was refused for a minute
type descriptors struct {
	short     bool
	enough    int       // at most so many connections end it
	refusedAt time.Time // the last time
}

// shortageLast is how long a shortage goes on after the last refusal though connections stay: whoever
// is told of each begin and end is not told more often.
const shortageLast = time.Minute

// refused notes that a connection could not be had while so many were open, and tells whether a shortage
// has begun.
func (d *descriptors) refused(open int, now time.Time) (begun bool) {
	begun = !d.short
	d.short, d.refusedAt = true, now
	if begun {
		d.enough = open - open/20 - 1
	}
	return begun
}

// left notes that there are so many connections now, and tells whether a shortage has ended.
func (d *descriptors) left(open int) (ended bool) { return d.endIf(open <= d.enough) }

// taken notes that a connection was accepted, and tells whether a shortage has ended.
func (d *descriptors) taken(now time.Time) (ended bool) {
	return d.endIf(now.Sub(d.refusedAt) >= shortageLast)
}

func (d *descriptors) endIf(condition bool) (ended bool) {
	ended = d.short && condition
	if ended {
		d.short = false
	}
	return ended
}

// shortOfDescriptors is called after a connection could not be had for want of descriptors.
func (ln *Listener) shortOfDescriptors(cause error) {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if ln.descriptors.refused(ln.connections(), time.Now()) {
		ln.tellShortage(Shortage{Cause: cause})
	}
}

// tellShortage hands it on; the listener is locked, so that a begin and its end come in order.
func (ln *Listener) tellShortage(s Shortage) {
	if s.Connections = ln.connections(); ln.front.Shortage != nil {
		ln.front.Shortage(s)
	}
}
