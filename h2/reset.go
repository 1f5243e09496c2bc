package h2

import "rocketmq-proxy/codec/frame"

// reset: the client ends a stream (section 6.4).
func (c *Conn) reset(h frame.Head, payload []byte) error {
	code, err := frame.ParseReset(payload)
	if err != nil {
		return layoutError(err)
	}
	if h.Stream == 0 || c.idle(h.Stream) {
		return protocolError("RST_STREAM on an idle stream")
	}
	c.cfg.Counters.ResetsReceived.Add(1)
	s := c.streams.find(h.Stream)
	if s == nil {
		return nil
	}
	s.cancel(StreamError{Stream: s.id, Code: code, Reason: "RST_STREAM", Peer: true}, resetByPeer)
	return c.spend(RapidReset)
}

// resetFor makes a StreamError a RST_STREAM; every other error is returned as it is.
func (c *Conn) resetFor(err error) error {
	e, ok := err.(StreamError)
	if !ok {
		return err
	}
	c.sendReset(e.Stream, e.Code)
	if s := c.streams.find(e.Stream); s != nil {
		s.cancel(e, resetByUs)
	} else {
		c.closed.add(e.Stream, resetByUs)
	}
	if e.Code == frame.RefusedStream {
		return c.spend(RefusedStreams)
	}
	return c.spend(ProvokedReset)
}

// refuseForMemory refuses a new stream whatever it asks for.
func (c *Conn) refuseForMemory(id uint32, block []byte) error {
	if err := c.skip(block); err != nil {
		return err
	}
	c.sendReset(id, frame.RefusedStream)
	c.closed.add(id, resetByUs)
	return nil
}

func (c *Conn) sendReset(stream uint32, code frame.ErrCode) {
	c.out.Commit(frame.AppendReset(c.out.Reserve(frame.HeadBytes+4), stream, code))
	c.control++
	c.cfg.Counters.ResetsSent.Add(1)
}

// priority is checked and dropped: RFC 9113 took the scheme out of use (section 5.3).
func (c *Conn) priority(h frame.Head, payload []byte) error {
	if h.Stream == 0 {
		return protocolError("PRIORITY without a stream")
	}
	p, err := frame.ParsePriority(payload)
	if err != nil {
		return StreamError{Stream: h.Stream, Code: frame.FrameSizeError, Reason: err.Error()}
	}
	if p.DependsOn == h.Stream {
		return StreamError{Stream: h.Stream, Code: frame.ProtocolError, Reason: "a stream depends on itself"}
	}
	return c.spend(PriorityFlood)
}

// idle tells whether the stream was never opened (section 5.1). Streams with even numbers
// are ours to open, and we open none.
func (c *Conn) idle(id uint32) bool { return id > c.lastID || id%2 == 0 }
