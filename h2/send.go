package h2

import (
	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/pool"
)

// copyBytesMax is the largest message that Send copies rather than sharing its views: the
// copy is cheaper than a view of its own.
const copyBytesMax = 512

// SendHeaders sends the response headers now, in front of the first message.
func (s *Stream) SendHeaders() {
	if s.writable() && !s.headersSent {
		s.conn.out.Commit(s.reserve(0))
	}
}

// Write borrows a message and sends it; the prefix is added. What the windows do not let out
// at once is copied and waits.
func (s *Stream) Write(msg []byte) {
	if !s.writable() {
		return
	}
	if s.deflates(len(msg)) {
		var chain pool.Chain
		chain.Write(msg)
		s.Send(&chain)
		return
	}
	n := grpc.PrefixBytes + len(msg)
	if s.fits(n) {
		b := s.appendMessageHead(s.reserve(frame.HeadBytes+n), grpc.Prefix{Length: uint32(len(msg))})
		s.conn.out.Commit(append(b, msg...))
		s.sent(n)
		return
	}
	// A block of its own, not Reserve's: a client that opens no window has a thousand streams
	// wait with one small answer each.
	block := pool.Get(n)
	b := grpc.AppendPrefix(block.Bytes()[:0], len(msg))
	s.queue.Append(pool.ViewOf(block, 0, len(append(b, msg...))))
	s.wait(n)
}

// Send takes a message and sends it without copying; the prefix is added. What the windows
// do not let out at once waits on the stream.
func (s *Stream) Send(msg *pool.Chain) {
	if !s.writable() {
		msg.Release()
		return
	}
	prefix := grpc.Prefix{}
	if s.deflates(msg.Len()) {
		prefix.Flag = deflate(msg)
	}
	size := msg.Len()
	prefix.Length = uint32(size)
	n := grpc.PrefixBytes + size
	out := &s.conn.out
	switch {
	case !s.fits(n):
		block := pool.Get(grpc.PrefixBytes)
		s.queue.Append(pool.ViewOf(block, 0, len(prefix.Append(block.Bytes()[:0]))))
		s.queue.AppendChain(msg)
		s.wait(n)
	case size <= copyBytesMax:
		b := s.appendMessageHead(s.reserve(frame.HeadBytes+n), prefix)
		out.Commit(msg.AppendTo(b))
		s.sent(n)
	default:
		out.Commit(s.appendMessageHead(s.reserve(frame.HeadBytes+grpc.PrefixBytes), prefix))
		out.AppendChain(msg)
		s.sent(n)
	}
	msg.Release()
}

// Reply borrows the only message of a unary call, sends it and finishes with OK. It is Write
// and Finish in one piece.
func (s *Stream) Reply(msg []byte) {
	n := grpc.PrefixBytes + len(msg)
	if !s.writable() || !s.fits(n) || s.metadata != nil || s.gzip {
		s.Write(msg)
		s.Finish(grpc.Status{})
		return
	}
	b := s.appendMessageHead(s.reserve(frame.HeadBytes+n+len(okTrailers)), grpc.Prefix{Length: uint32(len(msg))})
	b = append(b, msg...)
	b = appendFor(b, okTrailers, s.id)
	s.conn.out.Commit(b)
	s.sent(n)
	s.complete()
}

// Finish ends the call: the status follows the last message. Where nothing was sent, it is
// all that is sent.
func (s *Stream) Finish(status grpc.Status) {
	if !s.writable() {
		return
	}
	s.finishing = true
	s.status = status
	if s.queue.Len() == 0 {
		s.sendTrailers(status)
		s.complete()
	}
}

// fits tells whether n bytes of DATA may leave as one frame now: in front of nobody who
// waits, and without the outbox growing out of proportion.
func (s *Stream) fits(n int) bool {
	c := s.conn
	return s.queue.Len() == 0 && n <= s.sendWindow && n <= c.sendWindow-c.waiting &&
		n <= c.peerFrame && c.out.Len() <= c.cfg.limits.OutboxBytesMax/4
}

// sent takes n bytes of DATA off the windows.
func (s *Stream) sent(n int) {
	c := s.conn
	s.sendWindow -= n
	c.sendWindow -= n
	c.quiet = false
	c.windowTokens = min(c.windowTokens+c.cfg.limits.WindowUpdatesPerData, c.cfg.limits.WindowUpdatesMax)
}

// wait files n more bytes that are queued.
func (s *Stream) wait(n int) {
	c := s.conn
	c.waiting += n
	c.ready.update(s)
	c.wake(c.after(c.cfg.limits.StallTimeout))
	if c.waiting > c.cfg.limits.WaitingBytesMax && c.waiting > n {
		// Not here: the handler that is writing must not hear Canceled in the middle of it.
		s.overfull, c.overfull = true, true
	}
}

// shedOverfull resets the streams that exceeded WaitingBytesMax.
func (c *Conn) shedOverfull() {
	if !c.overfull {
		return
	}
	c.overfull = false
	for s := range c.streams.all() {
		if s.overfull && s.queue.Len() > 0 && c.waiting > c.cfg.limits.WaitingBytesMax {
			c.cfg.count(WaitingBacklog)
			c.sendReset(s.id, frame.EnhanceYourCalm)
			s.cancel(StreamError{Stream: s.id, Code: frame.EnhanceYourCalm, Reason: "WaitingBytesMax: the client does not open its windows"}, resetByUs)
		}
	}
}

// Drain gives everything that may leave now to out.
func (c *Conn) Drain(out *pool.Chain) {
	c.pump()
	c.shedOverfull()
	c.publish()
	c.control = 0
	out.AppendChain(&c.out)
	if c.streams.active == c.streams.lasting {
		c.out.Trim()
		shrink(&c.out)
	}
}
