package stub

import (
	"encoding/binary"
	"errors"
	"net"
)

const (
	frameData         = 0
	frameHeaders      = 1
	frameRST          = 3
	frameSettings     = 4
	framePing         = 6
	frameWindowUpdate = 8
	flagAck           = 1
	flagEndStream     = 1
	flagEndHeaders    = 4
	frameHeadBytes    = 9
	preface           = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	windowBytes       = 1 << 30
	windowRefresh     = windowBytes / 2
	gRPCPrefixBytes   = 5
	frameBytesDefault = 16384
	settingInitialWin = 4
)

var (
	errPreface = errors.New("stub: not an HTTP/2 client")
	errWindow  = errors.New("stub: the client granted no window, or closed a stream early")
	errRequest = errors.New("stub: a request must be one message in whole DATA frames")
)

// grpcConn answers gRPC requests without looking at their headers. It relies
// on what the load generator promises: huge windows, and bodies that fit.
type grpcConn struct {
	server   *Server
	nc       net.Conn
	in       []byte
	out      []byte
	greeted  bool
	consumed int               // DATA bytes since the last WINDOW_UPDATE
	window   int64             // DATA bytes the client still lets us send
	partial  map[uint32][]byte // requests that came in more than one DATA frame
}

func (s *Server) serveGRPC(nc net.Conn) {
	c := &grpcConn{server: s, nc: nc, window: 65535, partial: map[uint32][]byte{},
		in: make([]byte, 0, readBytes), out: make([]byte, 0, readBytes)}
	c.control(frameSettings, 0, settings())
	c.control(frameWindowUpdate, 0, binary.BigEndian.AppendUint32(nil, windowBytes))
	for {
		n, err := nc.Read(c.in[len(c.in):cap(c.in)])
		if err != nil {
			return
		}
		c.in = c.in[:len(c.in)+n]
		if c.consume() != nil {
			return
		}
		if len(c.out) > 0 {
			if _, err := nc.Write(c.out); err != nil {
				return
			}
			c.out = c.out[:0]
		}
	}
}

func settings() []byte {
	b := binary.BigEndian.AppendUint16(nil, settingInitialWin)
	return binary.BigEndian.AppendUint32(b, windowBytes)
}

// control adds a frame of the connection, that is of stream 0.
func (c *grpcConn) control(kind, flags byte, payload []byte) {
	n := len(payload)
	c.out = append(c.out, byte(n>>16), byte(n>>8), byte(n), kind, flags, 0, 0, 0, 0)
	c.out = append(c.out, payload...)
}

func (c *grpcConn) consume() error {
	at := 0
	if !c.greeted {
		if len(c.in) < len(preface) {
			return nil
		}
		if string(c.in[:len(preface)]) != preface {
			return errPreface
		}
		c.greeted = true
		at = len(preface)
	}
	for len(c.in)-at >= frameHeadBytes {
		h := c.in[at:]
		n := int(h[0])<<16 | int(h[1])<<8 | int(h[2])
		if len(h) < frameHeadBytes+n {
			break
		}
		stream := binary.BigEndian.Uint32(h[5:]) &^ (1 << 31)
		if err := c.frame(h[3], h[4], stream, h[frameHeadBytes:frameHeadBytes+n]); err != nil {
			return err
		}
		at += frameHeadBytes + n
	}
	rest := copy(c.in, c.in[at:])
	c.in = c.in[:rest]
	return nil
}

func (c *grpcConn) frame(kind, flags byte, stream uint32, payload []byte) error {
	switch kind {
	case frameData:
		return c.data(flags, stream, payload)
	case frameSettings:
		if flags&flagAck == 0 {
			c.control(frameSettings, flagAck, nil)
		}
	case framePing:
		if flags&flagAck == 0 {
			c.control(framePing, flagAck, payload)
		}
	case frameWindowUpdate:
		if stream == 0 {
			c.window += int64(binary.BigEndian.Uint32(payload))
		}
	case frameRST:
		delete(c.partial, stream)
	}
	return nil
}

// data answers when the request is whole: a unary request at the end of its
// stream, telemetry (whose stream stays open) as soon as its message is.
func (c *grpcConn) data(flags byte, stream uint32, payload []byte) error {
	c.consumed += len(payload)
	if c.consumed > windowRefresh {
		c.control(frameWindowUpdate, 0, binary.BigEndian.AppendUint32(nil, uint32(c.consumed)))
		c.consumed = 0
	}
	if held, ok := c.partial[stream]; ok {
		payload = append(held, payload...)
		delete(c.partial, stream)
	}
	whole := len(payload) >= gRPCPrefixBytes && len(payload) == gRPCPrefixBytes+int(binary.BigEndian.Uint32(payload[1:]))
	if !whole {
		if flags&flagEndStream != 0 && len(payload) > 0 {
			return errRequest
		}
		if len(payload) > 0 {
			c.partial[stream] = append([]byte(nil), payload...)
		}
		return nil
	}
	return c.answer(stream, payload[gRPCPrefixBytes:])
}

func (c *grpcConn) answer(stream uint32, m []byte) error {
	kind, batch, err := shapeOf(m)
	if err != nil {
		return err
	}
	s := c.server
	t := s.answers.unary[kind]
	switch kind {
	case shapeSend:
		s.sent.Add(1)
	case shapeAck:
		s.acked.Add(1)
	case shapeReceive:
		s.popped.Add(uint64(batch))
		t = s.answers.receive[batch]
	default:
		s.other.Add(1)
	}
	before := len(c.out)
	c.out = t.append(c.out, stream)
	if c.window -= int64(len(c.out) - before); c.window < 0 {
		return errWindow
	}
	return nil
}
