package load

import (
	"encoding/binary"
	"time"
)

// begin sends c.request as worker w's; due is when it should have left.
func (c *conn) begin(w int, due int64) {
	s := c.newStream()
	s.worker, s.kind, s.begun, s.open = w, c.request.Kind, due, c.request.Open
	unix := c.run.base.Unix() + due/int64(time.Second)
	at := len(c.out)
	c.out = appendFrameHead(c.out, 0, frameHeaders, flagEndHeaders, s.id)
	c.out = c.head.append(c.out, c.request.Path, c.request.Timeout, unix)
	n := len(c.out) - at - frameHeadBytes
	c.out[at], c.out[at+1], c.out[at+2] = byte(n>>16), byte(n>>8), byte(n)
	body := c.request.Body
	if whole := messageHeadBytes + len(body); int64(whole) <= min(s.window, c.window) && whole <= c.frameBytes && len(c.starved) == 0 {
		c.out = appendFrameHead(c.out, whole, frameData, c.endFlag(s), s.id)
		c.out = appendMessage(c.out, body)
		s.window -= int64(whole)
		c.window -= int64(whole)
		return
	}
	s.unsent = appendMessage(s.unsent, body)
	c.sendUnsent(s)
}

func appendMessage(out, m []byte) []byte {
	out = append(out, 0)
	out = binary.BigEndian.AppendUint32(out, uint32(len(m)))
	return append(out, m...)
}

func (c *conn) endFlag(s *stream) byte {
	if s.open {
		return 0
	}
	return flagEndStream
}

// sendUnsent sends what the windows allow and queues the stream for the rest.
func (c *conn) sendUnsent(s *stream) {
	rest := s.unsent
	for len(rest) > 0 {
		n := int(min(int64(len(rest)), int64(c.frameBytes), s.window, c.window))
		if n <= 0 {
			break
		}
		var flags byte
		if n == len(rest) {
			flags = c.endFlag(s)
		}
		c.out = appendFrameHead(c.out, n, frameData, flags, s.id)
		c.out = append(c.out, rest[:n]...)
		s.window -= int64(n)
		c.window -= int64(n)
		rest = rest[n:]
	}
	s.unsent = s.unsent[:copy(s.unsent, rest)]
	if len(s.unsent) > 0 && !s.queued {
		s.queued = true
		c.starved = append(c.starved, s)
	}
}

// sendStarved tries again after a window grew.
func (c *conn) sendStarved() {
	waiting := c.starved
	c.starved = c.starved[:0]
	for _, s := range waiting {
		s.queued = false
		c.sendUnsent(s) // at most appends what was read before
	}
}

func (c *conn) newStream() *stream {
	var s *stream
	if n := len(c.free); n > 0 {
		s = c.free[n-1]
		c.free = c.free[:n-1]
		s.reset()
	} else {
		s = &stream{}
	}
	s.id = c.nextID
	s.window = c.initial
	c.nextID += 2
	c.streams[s.id] = s
	return s
}

func (c *conn) drop(s *stream) {
	delete(c.streams, s.id)
	if s.queued {
		for i, q := range c.starved {
			if q == s {
				c.starved = append(c.starved[:i], c.starved[i+1:]...)
				break
			}
		}
	}
	c.free = append(c.free, s)
}
