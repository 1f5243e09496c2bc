package load

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// http2 is gRPC over HTTP/2, as one connection speaks it.
type http2 struct {
	conn  *conn
	head  *requestHead
	heads *headDecoder
	hear  func(s *stream, m []byte)

	streams    map[uint32]*stream
	free       []*stream
	nextID     uint32
	window     int64 // what the server lets us send on the connection
	initial    int64 // ... on a new stream
	frameBytes int   // longest frame the server takes
	streamsMax uint32
	starved    []*stream // unsent bytes, no window; first come, first served
	unacked    int

	block      []byte // header block in pieces
	blockOf    uint32
	blockFlags byte
}

var (
	errGoAway   = errors.New("load: the server sent GOAWAY")
	errProtocol = errors.New("load: malformed HTTP/2 from the server")
)

func newHTTP2(c *conn, id Identity) *http2 {
	h := &http2{conn: c, head: newRequestHead(id), heads: newHeadDecoder(), streams: map[uint32]*stream{}, nextID: 1,
		window: windowDefault, initial: windowDefault, frameBytes: frameBytesMin, streamsMax: 1<<31 - 1}
	h.hear = func(s *stream, m []byte) { c.heard(&s.call, Message{Body: m}) }
	return h
}

func (h *http2) hello() { h.conn.out = appendHello(h.conn.out) }

func (h *http2) frame(b []byte, now int64) (int, error) {
	if len(b) < frameHeadBytes {
		return 0, nil
	}
	n := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
	if n > frameBytesMin {
		return 0, errProtocol // we never allowed more
	}
	n += frameHeadBytes
	if len(b) < n {
		return 0, nil
	}
	id := binary.BigEndian.Uint32(b[5:]) &^ (1 << 31)
	return n, h.dispatch(b[3], b[4], id, b[frameHeadBytes:n], now)
}

func (h *http2) dispatch(kind, flags byte, id uint32, payload []byte, now int64) error {
	switch kind {
	case frameData:
		return h.data(flags, id, payload, now)
	case frameHeaders:
		payload, ok := unpad(flags, payload, true)
		if !ok {
			return errProtocol
		}
		h.block, h.blockOf, h.blockFlags = h.block[:0], id, flags
		return h.headers(flags, payload, now)
	case frameContinuation:
		if id != h.blockOf {
			return errProtocol
		}
		return h.headers(flags, payload, now)
	case frameRST:
		if s := h.streams[id]; s != nil && len(payload) == 4 {
			h.end(s, fmt.Errorf("load: RST_STREAM %d", binary.BigEndian.Uint32(payload)), now)
		}
	case frameSettings:
		return h.settings(flags, payload)
	case framePing:
		if flags&flagAck == 0 {
			h.conn.out = append(appendFrameHead(h.conn.out, len(payload), framePing, flagAck, 0), payload...)
		}
	case frameGoAway:
		if len(payload) < 8 {
			return errProtocol
		}
		return fmt.Errorf("%w, code %d: %s", errGoAway, binary.BigEndian.Uint32(payload[4:]), payload[8:])
	case frameWindowUpdate:
		return h.windowUpdate(id, payload)
	}
	return nil
}
