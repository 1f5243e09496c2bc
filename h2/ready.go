package h2

import "rocketmq-proxy/codec/frame"

// readyList is a queue of the streams that have messages and a window of their own, so that
// only the connection's window may hold them back. Each sends one frame and goes to the end:
// nobody waits for more than one frame of everybody else.
type readyList struct{ first, last *Stream }

type readyLinks struct {
	before, after *Stream
	isReady       bool
}

// update puts s in or takes it out, after its window or its queue has changed.
func (l *readyList) update(s *Stream) {
	if s.queue.Len() > 0 && s.sendWindow > 0 {
		l.add(s)
	} else {
		l.remove(s)
	}
}

func (l *readyList) add(s *Stream) {
	if s.isReady {
		return
	}
	s.isReady = true
	s.before, s.after = l.last, nil
	if l.last == nil {
		l.first = s
	} else {
		l.last.after = s
	}
	l.last = s
}

func (l *readyList) remove(s *Stream) {
	if !s.isReady {
		return
	}
	if s.before == nil {
		l.first = s.after
	} else {
		s.before.after = s.after
	}
	if s.after == nil {
		l.last = s.before
	} else {
		s.after.before = s.before
	}
	s.readyLinks = readyLinks{}
}

// frameBytesMax bounds one DATA frame, also when the client would take larger ones: streams
// share the connection in steps of a frame.
const frameBytesMax = 64 << 10

// pump encodes DATA for as long as there is something to send and a window to send it in.
func (c *Conn) pump() {
	for c.sendWindow > 0 && c.ready.first != nil {
		s := c.ready.first
		c.ready.remove(s)
		s.sendPiece()
	}
}

// sendPiece encodes one DATA frame of the queue, and the trailers behind the last.
func (s *Stream) sendPiece() {
	c := s.conn
	n := min(s.queue.Len(), s.sendWindow, c.sendWindow, c.peerFrame, frameBytesMax)
	c.out.Commit(frame.AppendDataHead(s.reserve(frame.HeadBytes), s.id, n, 0))
	c.out.MoveFront(&s.queue, n)
	c.waiting -= n
	s.sent(n)
	s.stalledAt = c.now
	switch {
	case s.queue.Len() > 0:
		c.ready.update(s)
	case s.finishing:
		s.sendTrailers(s.status)
		s.complete()
	default:
		s.queue.Trim()
	}
}
