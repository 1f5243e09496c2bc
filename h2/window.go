package h2

import "rocketmq-proxy/codec/frame"

// A client needs one WINDOW_UPDATE for some DATA frames; ten for each is more than any sends.
const (
	windowTokensMax     = 10000
	windowTokensPerData = 10
)

// windowUpdate lets us send more (section 6.9).
func (c *Conn) windowUpdate(h frame.Head, payload []byte) error {
	increment, err := frame.ParseWindowUpdate(payload)
	if err != nil {
		return layoutError(err)
	}
	if c.windowTokens--; c.windowTokens < 0 {
		return c.exceeded(WindowFlood, "too many WINDOW_UPDATE frames")
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
// them back at once when half of it is used: what is kept of them is bounded by
// RequestBytesMax, and a message may be larger than any window.
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

// credit gives the client back what it has sent on a stream it goes on sending on.
func (s *Stream) credit() {
	if s.state != open || s.halfClosed || s.recvOwed < s.conn.cfg.limits.StreamWindowBytes/2 {
		return
	}
	s.conn.sendWindowUpdate(s.id, s.recvOwed)
	s.recvWindow += s.recvOwed
	s.recvOwed = 0
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
