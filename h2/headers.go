package h2

import (
	"time"

	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/codec/hpack"
	"rocketmq-proxy/pool"
)

// headerBlock is a header block that takes more than one frame. Nothing may come between
// its frames (section 4.3).
type headerBlock struct {
	stream        uint32
	endStream     bool
	selfDependent bool
	continuations int
	bytes         *pool.Scratch
	due           time.Time
}

// admit refuses frames that may not come now. A nil block is none.
func (b *headerBlock) admit(h frame.Head) error {
	if b == nil && h.Kind == frame.KindContinuation {
		return protocolError("CONTINUATION without HEADERS")
	}
	if b != nil && (h.Kind != frame.KindContinuation || h.Stream != b.stream) {
		return protocolError("header block interrupted")
	}
	return nil
}

func (c *Conn) endBlock() {
	if c.block != nil {
		pool.PutScratch(c.block.bytes)
		c.block = nil
	}
}

// headers begins a call, or ends the client's side of one (section 6.2).
func (c *Conn) headers(h frame.Head, payload []byte) error {
	if h.Stream == 0 {
		return protocolError("HEADERS without a stream")
	}
	p, err := frame.ParseHeaders(h, payload)
	if err != nil {
		return layoutError(err)
	}
	endStream := h.Flags.Has(frame.FlagEndStream)
	selfDependent := p.HasPriority && p.Priority.DependsOn == h.Stream
	if h.Flags.Has(frame.FlagEndHeaders) {
		return c.headerBlock(h.Stream, p.Block, endStream, selfDependent)
	}
	c.block = &headerBlock{
		stream: h.Stream, endStream: endStream, selfDependent: selfDependent,
		bytes: pool.GetScratch(), due: c.after(c.cfg.limits.HeaderBlockTimeout),
	}
	c.wake(c.block.due)
	return c.appendBlock(p.Block)
}

// continuation goes on with an open header block (section 6.10).
func (c *Conn) continuation(h frame.Head, payload []byte) error {
	b := c.block
	if b.continuations++; b.continuations > c.cfg.limits.ContinuationsMax {
		return c.exceeded(Continuations, "ContinuationsMax: too many CONTINUATION frames")
	}
	if err := c.appendBlock(payload); err != nil {
		return err
	}
	if !h.Flags.Has(frame.FlagEndHeaders) {
		return nil
	}
	err := c.headerBlock(b.stream, b.bytes.B, b.endStream, b.selfDependent)
	c.endBlock()
	return err
}

func (c *Conn) appendBlock(fragment []byte) error {
	b := c.block.bytes
	if len(b.B)+len(fragment) > c.cfg.limits.headerBlockBytesMax() {
		return c.exceeded(Continuations, "HeaderListBytesMax: the header block is too long")
	}
	b.B = append(b.B, fragment...)
	return nil
}

// headerBlock handles a complete block. Whatever comes of the stream, the block must be
// decoded: the next one depends on it.
func (c *Conn) headerBlock(id uint32, block []byte, endStream, selfDependent bool) error {
	if s := c.streams.find(id); s != nil {
		return s.trailers(block, endStream)
	}
	if id%2 == 0 {
		return protocolError("the client opened an even stream") // section 5.1.1
	}
	if id <= c.lastID {
		return c.headersAfterEnd(id, block)
	}
	c.lastID = id
	if c.goAway == goAwayFinal || c.streams.active >= int(c.cfg.limits.StreamsMax) {
		if err := c.skip(block); err != nil {
			return err
		}
		return StreamError{Stream: id, Code: frame.RefusedStream, Reason: "StreamsMax: too many open calls"}
	}
	if c.cfg.Memory.Refuses(pool.NoCalls) {
		return c.refuseForMemory(id, block)
	}
	return c.open(id).request(block, endStream, selfDependent)
}

// headersAfterEnd is a header block for a stream that is gone (section 5.1).
func (c *Conn) headersAfterEnd(id uint32, block []byte) error {
	switch c.closed.how(id) {
	case resetByUs:
		return c.skip(block)
	case finished, resetByPeer:
		return ConnError{Code: frame.StreamClosed, Reason: "HEADERS on a closed stream"}
	}
	return protocolError("a stream identifier went backwards") // section 5.1.1
}

// skip decodes a block only for the table's sake.
func (c *Conn) skip(block []byte) error {
	c.decoder.Begin(block)
	for c.decoder.Next() {
	}
	return c.blockError()
}

// blockError is what the decoder's error means for the connection.
func (c *Conn) blockError() error {
	err := c.decoder.Err()
	switch {
	case err == nil:
		return nil
	case hpack.Recoverable(err):
		return c.spend(HeaderLists)
	}
	return ConnError{Code: frame.CompressionError, Reason: err.Error()}
}

// trailers end the request. They are checked and dropped: gRPC clients send none.
func (s *Stream) trailers(block []byte, endStream bool) error {
	c := s.conn
	valid := true
	c.decoder.Begin(block)
	for c.decoder.Next() {
		f := c.decoder.Field()
		valid = valid && f.Valid && f.Name[0] != ':'
	}
	if err := c.blockError(); err != nil {
		return err
	}
	switch {
	case s.halfClosed:
		return StreamError{Stream: s.id, Code: frame.StreamClosed, Reason: "HEADERS after END_STREAM"}
	case !endStream:
		return StreamError{Stream: s.id, Code: frame.ProtocolError, Reason: "trailers without END_STREAM"}
	case !valid:
		return StreamError{Stream: s.id, Code: frame.ProtocolError, Reason: "malformed trailers"}
	}
	return s.endRequest()
}
