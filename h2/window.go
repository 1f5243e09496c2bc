package h2

import "rocketmq-proxy/codec/frame"

// windowUpdate lets us send more (section 6.9).
func (c *Conn) windowUpdate(h frame.Head, payload []byte) error {
	increment, err := frame.ParseWindowUpdate(payload)
	if err != nil {
		return layoutError(err)
	}
	if c.windowTokens--; c.windowTokens < 0 {
		return c.exceeded(WindowFlood, "WindowUpdatesMax: too many WINDOW_UPDATE frames")
	}
	if h.Stream == 0 {
		return c.widen(int(increment))
	}
	s := c.streams.find(h.Stream)
	if s == nil {
		if c.idle(h.Stream) {
			return protocolError("WINDOW_UPDATE on an idle stream")
		}
		return nil // section 6.9: may come after the end of the stream
	}
	if increment == 0 {
		return StreamError{Stream: h.Stream, Code: frame.ProtocolError, Reason: "WINDOW_UPDATE by 0"}
	}
	if s.sendWindow += int(increment); s.sendWindow > frame.WindowMax {
		return StreamError{Stream: h.Stream, Code: frame.FlowControlError, Reason: "the stream's window overflows"}
	}
	c.ready.update(s)
	return nil
}

func (c *Conn) widen(increment int) error {
	if increment == 0 {
		return protocolError("WINDOW_UPDATE of the connection by 0")
	}
	if c.sendWindow += increment; c.sendWindow > frame.WindowMax {
		return ConnError{Code: frame.FlowControlError, Reason: "the connection's window overflows"}
	}
	return nil
}

// receive takes n bytes of DATA, padding included, off the connection's window and gives
// them back at once when half of it is used: what is kept of them the windows of the streams
// and RequestBytesMax bound, and a message may be larger than any window.
func (c *Conn) receive(n int) error {
	if n > c.recvWindow {
		return ConnError{Code: frame.FlowControlError, Reason: "DATA exceeds the connection's window"}
	}
	c.recvWindow -= n
	c.recvOwed += n
	if c.recvOwed >= c.cfg.limits.ConnWindowBytes/2 {
		c.sendWindowUpdate(0, c.recvOwed)
		c.recvWindow += c.recvOwed
		c.recvOwed = 0
	}
	return nil
}

// receive is the same for the stream.
func (s *Stream) receive(n int) error {
	if n > s.recvWindow {
		return StreamError{Stream: s.id, Code: frame.FlowControlError, Reason: "DATA exceeds the stream's window"}
	}
	s.recvWindow -= n
	s.recvOwed += n
	return nil
}

// credit gives the client back what it has sent on a stream it goes on sending on. When half of
// RequestBytesMax is used, it does so on one stream at a time, so that a client which uploads on
// many is served one after the other and not refused.
func (s *Stream) credit() {
	c := s.conn
	if s.state != open || s.halfClosed || s.recvOwed < c.cfg.limits.StreamWindowBytes/2 {
		return
	}
	if !c.mayLend(s) {
		if !s.withheld {
			s.withheld = true
			c.withheld++
		}
		return
	}
	if s.withheld {
		s.withheld = false
		c.withheld--
	}
	c.sendWindowUpdate(s.id, s.recvOwed)
	s.recvWindow += s.recvOwed
	s.recvOwed = 0
}

// mayLend tells whether the window of s may grow. Above the half, only the favoured stream's.
func (c *Conn) mayLend(s *Stream) bool {
	if c.partial <= c.cfg.limits.RequestBytesMax/2 {
		return true
	}
	if f := c.streams.get(c.favoured); f == nil || f.halfClosed {
		c.favoured = s.Key()
	}
	return c.favoured == s.Key()
}

// lend gives credit that was withheld, oldest stream first, as far as there is room now.
func (c *Conn) lend() {
	for c.withheld > 0 && c.err == nil {
		var oldest *Stream
		for s := range c.streams.all() {
			if s.withheld && (oldest == nil || s.id < oldest.id) {
				oldest = s
			}
		}
		if oldest == nil || !c.mayLend(oldest) {
			return
		}
		oldest.credit()
		if oldest.withheld {
			return
		}
	}
}

// streamWindow is how much a client may send on a new stream. Until it acknowledges our
// SETTINGS it goes by the RFC's initial window.
func (c *Conn) streamWindow() int {
	if !c.settingsAck {
		return max(c.cfg.limits.StreamWindowBytes, frame.WindowInitial)
	}
	return c.cfg.limits.StreamWindowBytes
}

func (c *Conn) sendWindowUpdate(stream uint32, n int) {
	c.out.Commit(frame.AppendWindowUpdate(c.out.Reserve(frame.HeadBytes+4), stream, uint32(n)))
}
