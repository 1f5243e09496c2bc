package remoting

import (
	"math/rand/v2"
	"time"

	"rocketmq-proxy/pool"
)

// LaneConfig is what a lane needs to know.
type LaneConfig struct {
	Conn Config // of every connection of the lane; Conn.Addr is the address to dial

	// Dial begins to connect and returns; the outcome is reported by Connected or DialFailed,
	// now or later. There is never a second dial before the first was reported or given up by
	// Hangup.
	Dial func()

	// Hangup closes the link, or gives up the dial. Nothing is reported about either of them
	// afterwards: not its bytes, not its end.
	Hangup func()

	Rand *rand.Rand // for the jitter of pauses; nil for none
}

// laneState is one of the boxes above Lane.
type laneState uint8

const (
	laneIdle laneState = iota
	laneDialing
	laneUp
	laneLeaving
	laneBackoff
	laneEnded
)

var laneStateNames = [...]string{"idle", "dialing", "up", "leaving", "backoff", "ended"}

func (s laneState) String() string { return laneStateNames[s] }

// Lane is the line to one address. It outlives its connections, of which it has at most one.
//
//	           Call                  Connected
//	┌──── Idle ────────► Dialing ──────────────────► Up ───┐ Call: sent at once
//	│      ▲ ▲             │  ▲                      │ │ ▲─┘
//	│      │ │ DialFailed, │  │ pause over,     link │ │
//	│      │ │ too long    ▼  │ and wanted      gone │ │ GO_AWAY
//	│      │ └────────── Backoff ◄───── barren ──────┤ ▼
//	│      │  pause over,  │                         │ Leaving: calls wait
//	│      │  not wanted   │ Call: fails at once     │ │ drained, or GoAwayDrainMax
//	│      └──────────────────────────── fruitful ───┘ └──────► Dialing
//	└──────────── End, from anywhere ────────────► Ended: every call fails
//
// While Dialing and Leaving calls wait, until their deadline at most. When the dial fails all
// of them fail, and so does every call during the pause after it (Backoff): a peer that is
// down is reported at once, so that the caller may choose another. A call that failed so makes
// the lane dial again when the pause, at most BackoffMax, is over, without waiting for the next
// one; a lane nobody wants does not dial.
//
// A connection on which the peer never said anything is barren: it counts as a failed dial. A
// fruitful one that ends is dialled again by the next call, without a pause: servers close what
// was idle for 120 s, and that is no fault (specification 1.9). Calls that were on it fail and
// are never sent again by the lane.
//
// A Lane is a machine for its link, like Conn, and belongs to one turn. Only one link exists at
// a time, so after a GO_AWAY the old connection first drains, then the new one is dialled.
type Lane struct {
	cfg      LaneConfig
	limits   Limits
	counters *Counters

	state laneState
	conn  *Conn    // while Up or Leaving, else nil
	queue callList // while Dialing or Leaving, else empty
	now   time.Time

	queueDue time.Time     // no deadline in queue is before it
	until    time.Time     // end of the dial, of the pause, or of the drain
	pause    time.Duration // before jitter; 0 after success
	wanted   bool          // a call came during the pause
	wentAway time.Time     // the last GO_AWAY that was followed
	cause    error         // of the last failure
}

// NewLane returns an idle lane.
func NewLane(cfg LaneConfig) *Lane {
	l := &Lane{cfg: cfg, limits: cfg.Conn.Limits.filled()}
	if l.cfg.Conn.Counters == nil {
		l.cfg.Conn.Counters = new(Counters)
	}
	l.cfg.Conn.goAway = l.goAway
	l.counters = l.cfg.Conn.Counters
	return l
}

// Addr is the address the lane leads to.
func (l *Lane) Addr() string { return l.cfg.Conn.Addr }

// State names the box of the diagram, for operators.
func (l *Lane) State() string { return l.state.String() }

// Up tells whether a call would be sent at once.
func (l *Lane) Up() bool { return l.state == laneUp }

// Down tells whether a call would fail at once.
func (l *Lane) Down() bool { return l.state == laneBackoff || l.state == laneEnded }

// Inflight is the number of calls that wait, for an answer or for a connection.
func (l *Lane) Inflight() int {
	if l.conn != nil {
		return l.queue.n + l.conn.Inflight()
	}
	return l.queue.n
}

// Conn is the current connection, nil when there is none; for Respond.
func (l *Lane) Conn() *Conn { return l.conn }

// Call sends the request, or lets it wait for the connection, or fails it: see the type.
func (l *Lane) Call(now time.Time, call *Call) {
	l.now = now
	call.begin(now, l.limits.CallTimeout)
	switch l.state {
	case laneUp:
		l.conn.send(now, call)
	case laneDialing, laneLeaving:
		l.wait(now, call)
	case laneIdle:
		l.wait(now, call)
		l.dial(now)
	case laneBackoff:
		l.callInBackoff(now, call)
	case laneEnded:
		call.fail(Ended, l.Addr(), false, l.cause)
	}
}

// callInBackoff fails the call, or dials for it when Tick has only not come round to it.
func (l *Lane) callInBackoff(now time.Time, call *Call) {
	if now.Before(l.until) {
		l.wanted = true
		l.counters.Lost.Add(1)
		call.fail(ConnectFailed, l.Addr(), false, l.cause)
		return
	}
	l.wait(now, call)
	l.dial(now)
}

// Feed takes in: bytes of the current link. What was left of one that was hung up is dropped.
func (l *Lane) Feed(now time.Time, in *pool.Chain) error {
	l.now = now
	if l.conn == nil {
		in.Discard(in.Len())
		return nil
	}
	conn := l.conn
	err := conn.Feed(now, in)
	l.leaveIfDrained(now)
	if l.conn != conn {
		return nil // the link was hung up meanwhile; nobody is to hear of its end
	}
	return err
}

// Drain gives out: what is for the peer, to the back of out.
func (l *Lane) Drain(out *pool.Chain) {
	if l.conn != nil {
		l.conn.Drain(out)
	}
}

// Due is when Tick has something to do; zero for never.
func (l *Lane) Due() time.Time {
	due := l.queueDue
	switch l.state {
	case laneDialing, laneBackoff, laneLeaving:
		due = earliest(due, l.until)
	case laneUp:
		if l.conn.Inflight() == 0 {
			due = earliest(due, l.conn.IdleSince().Add(l.limits.IdleMax))
		}
	}
	if l.conn != nil {
		due = earliest(due, l.conn.Due())
	}
	return due
}

// Tick does what time asks for: ends calls, dials, gives up.
func (l *Lane) Tick(now time.Time) {
	l.now = now
	l.tickQueue(now)
	switch l.state {
	case laneDialing:
		if !now.Before(l.until) {
			l.cfg.Hangup()
			l.dialFailed(now, ErrConnectTimeout)
		}
	case laneBackoff:
		if !now.Before(l.until) {
			l.tickPauseOver(now)
		}
	case laneUp, laneLeaving:
		l.tickConn(now)
	}
}

func (l *Lane) tickPauseOver(now time.Time) {
	if l.wanted {
		l.dial(now)
		return
	}
	l.state = laneIdle
}

// tickConn ends late calls, and with them a connection that is silent, or idle for too long.
func (l *Lane) tickConn(now time.Time) {
	conn, before, silence := l.conn, l.conn.timeouts, l.conn.Silence(now)
	conn.Tick(now)
	if l.conn != conn {
		return // a Done ended it
	}
	switch {
	case conn.timeouts > before && silence >= l.limits.SilenceMax:
		l.counters.Silences.Add(1)
		l.cfg.Hangup()
		l.lose(now, ErrSilent)
	case l.state == laneLeaving:
		l.leaveIfDrained(now)
	case conn.Inflight() == 0 && now.Sub(conn.IdleSince()) >= l.limits.IdleMax:
		l.state = laneIdle
		l.cfg.Hangup()
		l.dropConn(nil)
	}
}

// tickQueue ends the waiting calls whose deadline has passed.
func (l *Lane) tickQueue(now time.Time) {
	if l.queueDue.IsZero() || now.Before(l.queueDue) {
		return
	}
	l.queueDue = time.Time{}
	waiting, late := l.queue.take(), callList{}
	for call := waiting.pop(); call != nil; call = waiting.pop() {
		if !call.Deadline.After(now) {
			late.push(call)
			continue
		}
		l.queue.push(call)
		l.queueDue = earlier(l.queueDue, call.Deadline)
	}
	l.counters.Timeouts.Add(int64(late.n))
	for call := late.pop(); call != nil; call = late.pop() {
		call.fail(Timeout, l.Addr(), false, nil)
	}
}

// earliest is the earlier of two times, each of which may be zero for none.
func earliest(a, b time.Time) time.Time {
	if b.IsZero() {
		return a
	}
	return earlier(a, b)
}
