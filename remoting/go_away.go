package remoting

import "time"

// goAway takes a call that the peer answered by GO_AWAY (specification 1.10): it did not look
// at the request and will be gone soon. The call goes out again, with a new opaque, on a fresh
// connection; once per call, and for one connection per GoAwayInterval.
func (l *Lane) goAway(call *Call) {
	now := l.now
	switch {
	case call.resent:
		call.fail(GoAwayTwice, l.Addr(), false, ErrGoAway)
	case l.state == laneLeaving:
		call.resent = true
		l.wait(now, call)
	case l.state == laneUp && l.mayReopen(now):
		l.wentAway = now
		l.state, l.until = laneLeaving, now.Add(l.limits.GoAwayDrainMax)
		call.resent = true
		l.wait(now, call)
	default:
		call.fail(GoAway, l.Addr(), false, ErrGoAway)
	}
}

func (l *Lane) mayReopen(now time.Time) bool {
	return l.wentAway.IsZero() || now.Sub(l.wentAway) >= l.limits.GoAwayInterval
}

// leaveIfDrained replaces the connection when its other calls are done or have had their time.
func (l *Lane) leaveIfDrained(now time.Time) {
	if l.state != laneLeaving || l.conn.Inflight() > 0 && now.Before(l.until) {
		return
	}
	l.cfg.Hangup()
	l.leave(now)
}

// leave gives the old connection up and dials the new one, for the calls that wait.
func (l *Lane) leave(now time.Time) {
	conn := l.conn
	l.conn, l.pause = nil, 0
	if l.queue.n > 0 {
		l.dial(now)
	} else {
		l.state = laneIdle
	}
	conn.Close(ErrGoAway)
}
