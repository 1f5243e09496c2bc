package h2

import (
	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/codec/grpc"
)

// viewBytesMin is the smallest piece of an incomplete message that may be kept as a view of the
// block it came in. Smaller ones are copied behind each other.
const viewBytesMin = 512

// data takes a piece of a request (section 6.1). The payload stays in its blocks.
func (c *Conn) data(h frame.Head) error {
	if h.Stream == 0 {
		return protocolError("DATA without a stream")
	}
	if err := c.receive(h.Length); err != nil {
		return err
	}
	var first byte
	if h.Length > 0 {
		first = c.in.Views()[0].Bytes()[0]
	}
	from, to, err := frame.DataBounds(h, first)
	if err != nil {
		return layoutError(err)
	}
	s := c.streams.find(h.Stream)
	if s == nil || s.halfClosed {
		c.in.Discard(h.Length)
		return c.dataAfterEnd(h.Stream)
	}
	if err = s.receive(h.Length); err != nil {
		c.in.Discard(h.Length)
		return err
	}
	endStream := h.Flags.Has(frame.FlagEndStream)
	c.in.Discard(from)
	s.append(to-from, endStream)
	c.in.Discard(h.Length - to)
	return s.received(to-from, endStream)
}

// dataAfterEnd is DATA for a stream that sends no more (section 5.1).
func (c *Conn) dataAfterEnd(id uint32) error {
	if c.idle(id) {
		return protocolError("DATA on an idle stream")
	}
	if c.streams.find(id) == nil && c.closed.how(id) == resetByUs {
		return nil
	}
	return StreamError{Stream: id, Code: frame.StreamClosed, Reason: "DATA on a closed stream"}
}

// append moves n bytes from the connection to the stream.
func (s *Stream) append(n int, endStream bool) {
	c := s.conn
	c.partial += n
	if endStream {
		s.in.MoveFront(&c.in, n)
		return
	}
	if n >= viewBytesMin || s.in.Len() == 0 {
		s.in.MoveLean(&c.in, n)
		return
	}
	for n > 0 {
		piece := c.in.Views()[0].Bytes()
		piece = piece[:min(n, len(piece))]
		s.in.Write(piece)
		c.in.Discard(len(piece))
		n -= len(piece)
	}
}

// received looks at what has come so far.
func (s *Stream) received(n int, endStream bool) error {
	c := s.conn
	s.heardAt = c.now
	if s.contentLeft >= 0 {
		if s.contentLeft -= int64(n); s.contentLeft < 0 || (endStream && s.contentLeft > 0) {
			return StreamError{Stream: s.id, Code: frame.ProtocolError, Reason: "content-length does not match"}
		}
	}
	if c.partial > c.cfg.limits.RequestBytesMax {
		c.cfg.count(RequestBytes)
		s.reject(grpc.ResourceExhausted, "RequestBytesMax: too many bytes of incomplete requests")
		return nil
	}
	if endStream {
		return s.endRequest()
	}
	if s.foreign != nil {
		return s.receivedForeign(n)
	}
	if !c.charge() {
		c.cfg.count(RequestBudget)
		s.reject(grpc.ResourceExhausted, "Requests: too many bytes of incomplete requests on all connections")
		return nil
	}
	before := s.in.Len()
	s.collect()
	s.credit()
	if s.state == open && s.in.Len() == before {
		return s.dribble(n)
	}
	return nil
}

// dribble charges for DATA that carries next to nothing and completes no message. A whole
// message of a unary method that only waits for END_STREAM is no dribble.
func (s *Stream) dribble(n int) error {
	whole := s.need > 0 && s.in.Len() >= s.need
	switch {
	case n == 0:
		return s.conn.spend(EmptyData)
	case n < s.conn.cfg.limits.DribbleBytesMax && !whole:
		return s.conn.spend(DataDribble)
	}
	return nil
}

// charge takes what is kept of incomplete requests from the budget of all connections. Requests
// that come whole never get here.
func (c *Conn) charge() bool {
	if more := c.partial - c.charged; more > 0 {
		if !c.cfg.Requests.Take(more) {
			return false
		}
		c.charged = c.partial
	}
	return true
}

// unkeep is n bytes fewer of incomplete requests.
func (c *Conn) unkeep(n int) {
	c.partial -= n
	if less := c.charged - c.partial; less > 0 {
		c.cfg.Requests.Give(less)
		c.charged = c.partial
	}
	c.lend()
}

// collect delivers every whole message of a streaming method. A unary one waits for the end.
func (s *Stream) collect() {
	for s.state == open && !s.inflating && s.measure() {
		if !s.clientStreams {
			if s.in.Len() > s.need {
				s.reject(grpc.Internal, "a second message on a unary method")
			}
			return
		}
		s.deliver()
	}
}

// measure reads the first prefix when it is not known yet, and tells whether the whole
// message is here.
func (s *Stream) measure() bool {
	if s.need == 0 {
		var scratch [grpc.PrefixBytes]byte
		b := s.in.Front(grpc.PrefixBytes, scratch[:])
		if b == nil || !s.admit(grpc.ParsePrefix(b)) {
			return false
		}
	}
	return s.in.Len() >= s.need
}

// admit checks a prefix, before anything is kept for the message behind it.
func (s *Stream) admit(p grpc.Prefix) bool {
	switch {
	case p.Flag == grpc.Compressed && !s.mayPack:
		s.reject(grpc.Internal, "compressed flag without grpc-encoding")
	case p.Flag > grpc.Compressed:
		s.reject(grpc.Internal, "a message begins with a flag that gRPC does not have")
	case int64(p.Length) > int64(s.conn.cfg.limits.MessageBytesMax):
		s.conn.cfg.count(MessageBytes)
		s.reject(grpc.ResourceExhausted, "MessageBytesMax: the request message is too large")
	case int64(p.Length)+grpc.PrefixBytes > int64(s.conn.cfg.limits.RequestBytesMax):
		s.conn.cfg.count(RequestBytes)
		s.reject(grpc.ResourceExhausted, "RequestBytesMax: the request message is too large")
	default:
		s.need, s.packed = grpc.PrefixBytes+int(p.Length), p.Flag
		return true
	}
	return false
}

// deliver hands the first message over, once it is inflated. The handler may end the stream.
func (s *Stream) deliver() {
	if s.packed == grpc.Compressed {
		s.inflate()
		return
	}
	c := s.conn
	n := s.need
	s.need = 0
	c.unkeep(n)
	s.in.Discard(grpc.PrefixBytes)
	c.message.MoveFront(&s.in, n-grpc.PrefixBytes)
	s.hand()
}

// hand gives the handler the connection's message.
func (s *Stream) hand() {
	c := s.conn
	s.handler.Message(s, &c.message)
	c.message.Release()
	shrink(&c.message)
}

// endRequest is the end of what the client sends (END_STREAM).
func (s *Stream) endRequest() error {
	if s.contentLeft > 0 {
		return StreamError{Stream: s.id, Code: frame.ProtocolError, Reason: "content-length does not match"}
	}
	s.halfClosed = true
	switch {
	case s.foreign != nil:
		s.answerForeign()
		return nil
	case s.clientStreams:
		s.collect()
	case s.measure() && s.in.Len() == s.need:
		s.deliver()
	case s.state == open && s.in.Len() > s.need && s.need > 0:
		s.reject(grpc.Internal, "a second message on a unary method")
	case s.state == open:
		s.reject(grpc.Internal, "a unary request without a whole message")
	}
	if s.state == open {
		s.finishRequest()
	}
	return nil
}

// finishRequest tells the handler of the end, behind the last message.
func (s *Stream) finishRequest() {
	switch {
	case s.inflating: // it is told when that is home
	case s.in.Len() > 0:
		s.reject(grpc.Internal, "the request ends inside a message")
	default:
		s.handler.HalfClosed(s)
	}
}
