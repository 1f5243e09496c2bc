package remoting

import "time"

// dial begins to connect, in a state without a link.
func (l *Lane) dial(now time.Time) {
	l.state, l.wanted = laneDialing, false
	l.until = now.Add(l.limits.ConnectTimeout)
	l.counters.Dials.Add(1)
	l.cfg.Dial()
}

// Connected reports that the dial succeeded: the lane now is the machine of that link. It
// returns false, and the owner closes the link, when no dial was under way.
func (l *Lane) Connected(now time.Time) bool {
	l.now = now
	if l.state != laneDialing {
		return false
	}
	l.counters.Connects.Add(1)
	l.state = laneUp
	l.conn = NewConn(&l.cfg.Conn, now)
	l.queueDue = time.Time{}
	waiting := l.queue.take()
	for call := waiting.pop(); call != nil; call = waiting.pop() {
		l.resume(now, call)
	}
	return true
}

// resume sends a call that waited. A Done on the way may have changed the state.
func (l *Lane) resume(now time.Time, call *Call) {
	switch l.state {
	case laneUp:
		if call.resent {
			l.counters.Resent.Add(1)
		}
		l.conn.send(now, call)
	case laneEnded:
		call.fail(Ended, l.Addr(), false, l.cause)
	default:
		l.counters.Lost.Add(1)
		call.fail(ConnectionLost, l.Addr(), false, l.cause)
	}
}

// DialFailed reports that the dial failed.
func (l *Lane) DialFailed(now time.Time, err error) {
	l.now = now
	if l.state == laneDialing {
		l.dialFailed(now, err)
	}
}

func (l *Lane) dialFailed(now time.Time, err error) {
	l.counters.DialFails.Add(1)
	l.backoff(now, err)
	l.failQueue(ConnectFailed, err)
}

// backoff begins the next pause: twice the last one, shortened by up to half at random so that
// lanes that failed together do not dial together.
func (l *Lane) backoff(now time.Time, cause error) {
	l.pause = min(max(2*l.pause, l.limits.BackoffMin), l.limits.BackoffMax)
	l.state, l.wanted, l.cause = laneBackoff, false, cause
	l.until = now.Add(l.pause)
	if l.cfg.Rand != nil {
		l.until = l.until.Add(-time.Duration(l.cfg.Rand.Int64N(int64(l.pause)/2 + 1)))
	}
}

// Close reports that the link is gone. Calls in flight fail; waiting ones fail too unless a
// GO_AWAY is being followed, for which they can be dialled.
func (l *Lane) Close(cause error) { l.lose(l.now, cause) }

func (l *Lane) lose(now time.Time, cause error) {
	switch l.state {
	case laneDialing:
		l.dialFailed(now, cause)
	case laneLeaving:
		l.leave(now)
	case laneUp:
		l.counters.Losses.Add(1)
		if l.conn.heard || l.conn.Inflight() == 0 {
			l.state, l.pause, l.cause = laneIdle, 0, cause
		} else {
			l.backoff(now, cause)
		}
		l.dropConn(cause)
	}
}

// dropConn ends the connection; the state is already what it will be, because calls end here
// and the owner may call again from their Done.
func (l *Lane) dropConn(cause error) {
	conn := l.conn
	l.conn = nil
	conn.Close(cause)
}

// End is the end of the lane: the link is closed and every call, now and later, fails.
func (l *Lane) End(cause error) {
	if l.state == laneEnded {
		return
	}
	if cause == nil {
		cause = ErrEnded
	}
	linked := l.conn != nil || l.state == laneDialing
	l.state, l.cause = laneEnded, cause
	if linked {
		l.cfg.Hangup()
	}
	if l.conn != nil {
		l.dropConn(cause)
	}
	l.failQueue(Ended, cause)
}

// wait queues a call until there is a connection.
func (l *Lane) wait(now time.Time, call *Call) {
	switch {
	case !call.Deadline.After(now):
		l.counters.Timeouts.Add(1)
		call.fail(Timeout, l.Addr(), false, nil)
	case l.queue.n >= l.limits.QueueMax:
		l.counters.Refused.Add(1)
		call.fail(QueueFull, l.Addr(), false, nil)
	default:
		l.queue.push(call)
		l.queueDue = earlier(l.queueDue, call.Deadline)
	}
}

func (l *Lane) failQueue(kind CallErrorKind, cause error) {
	l.queueDue = time.Time{}
	waiting := l.queue.take()
	l.counters.Lost.Add(int64(waiting.n))
	for call := waiting.pop(); call != nil; call = waiting.pop() {
		call.fail(kind, l.Addr(), false, cause)
	}
}
