package load

import (
	"encoding/binary"
	"time"
)

// send opens a stream with the request, and sends of its body what the windows allow.
func (h *http2) send(q call) {
	c := h.conn
	s := h.newStream()
	s.call, s.open = q, c.request.Open
	unix := c.run.base.Unix() + q.begun/int64(time.Second)
	at := len(c.out)
	c.out = appendFrameHead(c.out, 0, frameHeaders, flagEndHeaders, s.id)
	c.out = h.head.append(c.out, c.request.Path, c.request.Timeout, unix)
	n := len(c.out) - at - frameHeadBytes
	c.out[at], c.out[at+1], c.out[at+2] = byte(n>>16), byte(n>>8), byte(n)
	body := c.request.Body
	if whole := messageHeadBytes + len(body); int64(whole) <= min(s.window, h.window) && whole <= h.frameBytes && len(h.starved) == 0 {
		c.out = appendFrameHead(c.out, whole, frameData, endFlag(s), s.id)
		c.out = appendMessage(c.out, body)
		s.window -= int64(whole)
		h.window -= int64(whole)
		return
	}
	s.unsent = appendMessage(s.unsent, body)
	h.sendUnsent(s)
}

func appendMessage(out, m []byte) []byte {
	out = append(out, 0)
	out = binary.BigEndian.AppendUint32(out, uint32(len(m)))
	return append(out, m...)
}

func endFlag(s *stream) byte {
	if s.open {
		return 0
	}
	return flagEndStream
}

// sendUnsent sends what the windows allow and queues the stream for the rest.
func (h *http2) sendUnsent(s *stream) {
	rest := s.unsent
	for len(rest) > 0 {
		n := int(min(int64(len(rest)), int64(h.frameBytes), s.window, h.window))
		if n <= 0 {
			break
		}
		var flags byte
		if n == len(rest) {
			flags = endFlag(s)
		}
		h.conn.out = appendFrameHead(h.conn.out, n, frameData, flags, s.id)
		h.conn.out = append(h.conn.out, rest[:n]...)
		s.window -= int64(n)
		h.window -= int64(n)
		rest = rest[n:]
	}
	s.unsent = s.unsent[:copy(s.unsent, rest)]
	if len(s.unsent) > 0 && !s.queued {
		s.queued = true
		h.starved = append(h.starved, s)
	}
}

// sendStarved tries again after a window grew.
func (h *http2) sendStarved() {
	waiting := h.starved
	h.starved = h.starved[:0]
	for _, s := range waiting {
		s.queued = false
		h.sendUnsent(s) // at most appends what was read before
	}
}

func (h *http2) newStream() *stream {
	var s *stream
	if n := len(h.free); n > 0 {
		s = h.free[n-1]
		h.free = h.free[:n-1]
		s.reset()
	} else {
		s = &stream{}
	}
	s.id = h.nextID
	s.window = h.initial
	h.nextID += 2
	h.streams[s.id] = s
	return s
}

// end is the end of a stream: its answer is complete or has failed.
func (h *http2) end(s *stream, failure error, now int64) {
	q := s.call
	h.drop(s)
	h.conn.end(&q, failure, now)
}

func (h *http2) drop(s *stream) {
	delete(h.streams, s.id)
	if s.queued {
		for i, q := range h.starved {
			if q == s {
				h.starved = append(h.starved[:i], h.starved[i+1:]...)
				break
			}
		}
	}
	h.free = append(h.free, s)
}
