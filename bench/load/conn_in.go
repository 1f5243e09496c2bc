package load

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

var errNoTrailers = errors.New("load: the stream ended without trailers")

// data takes the bytes of an answer and gives the windows back.
func (c *conn) data(flags byte, id uint32, payload []byte, now int64) error {
	if c.unacked += len(payload); c.unacked > connWindow/2 {
		c.out = appendWindowUpdate(c.out, 0, c.unacked)
		c.unacked = 0
	}
	s := c.streams[id]
	if s == nil {
		return nil // reset, or never ours; the window is what counted
	}
	if s.unacked += len(payload); s.unacked > streamWindow/2 && flags&flagEndStream == 0 {
		c.out = appendWindowUpdate(c.out, id, s.unacked)
		s.unacked = 0
	}
	body, ok := unpad(flags, payload, false)
	if !ok {
		return errProtocol
	}
	if s.failure == nil { // else it need not be gRPC at all
		if err := s.receive(body, c.hear); err != nil {
			return err
		}
	}
	if flags&flagEndStream != 0 {
		c.end(s, cmp.Or(s.failure, errNoTrailers), now)
	}
	return nil
}

// message hands one message to the scenario.
func (c *conn) message(s *stream, m []byte) {
	err := c.scenario.Message(s.worker, s.kind, m)
	if err != nil && s.failure == nil {
		s.failure = err
	}
	if s.worker == SetupWorker && err == nil {
		c.becomeReady()
	}
}

// headers collects a header block; the last piece decides.
func (c *conn) headers(flags byte, piece []byte, now int64) error {
	block := piece
	if flags&flagEndHeaders == 0 || len(c.block) > 0 {
		c.block = append(c.block, piece...)
		block = c.block
	}
	if flags&flagEndHeaders == 0 {
		return nil
	}
	head, err := c.heads.decode(block)
	if err != nil {
		return err
	}
	s := c.streams[c.blockOf]
	if s == nil {
		return nil
	}
	if s.failure == nil {
		s.failure = head.check()
	}
	if c.blockFlags&flagEndStream != 0 {
		if head.grpcStatus == "" && s.failure == nil {
			s.failure = fmt.Errorf("load: trailers without grpc-status")
		}
		if len(s.partial) > 0 && s.failure == nil {
			s.failure = fmt.Errorf("load: the stream ended inside a message")
		}
		c.end(s, s.failure, now)
	}
	return nil
}

// check finds fault with a header block.
func (h *responseHead) check() error {
	if h.httpStatus != "" && h.httpStatus != "200" {
		return fmt.Errorf("load: HTTP status %s", h.httpStatus)
	}
	if h.contentType != "" && !strings.HasPrefix(h.contentType, "application/grpc") {
		return fmt.Errorf("load: content-type %q", h.contentType)
	}
	if h.grpcStatus != "" && h.grpcStatus != "0" {
		return fmt.Errorf("load: grpc-status %s: %s", h.grpcStatus, h.grpcMessage)
	}
	return nil
}

func (c *conn) settings(flags byte, payload []byte) error {
	if flags&flagAck != 0 {
		return nil
	}
	if len(payload)%6 != 0 {
		return errProtocol
	}
	for ; len(payload) > 0; payload = payload[6:] {
		value := binary.BigEndian.Uint32(payload[2:])
		switch binary.BigEndian.Uint16(payload) {
		case settingTableBytes:
			c.head.setLimit(value)
		case settingStreamsMax:
			c.streamsMax = value
		case settingFrameBytes:
			c.frameBytes = int(min(max(value, frameBytesMin), 1<<20))
		case settingInitialWindow:
			for _, s := range c.streams {
				s.window += int64(value) - c.initial
			}
			c.initial = int64(value)
		}
	}
	c.out = appendFrameHead(c.out, 0, frameSettings, flagAck, 0)
	c.sendStarved()
	if need := uint32(c.run.cfg.Streams); c.streamsMax < need {
		return fmt.Errorf("load: the server allows %d streams, %d are needed", c.streamsMax, need)
	}
	return nil
}

func (c *conn) windowUpdate(id uint32, payload []byte) error {
	if len(payload) != 4 {
		return errProtocol
	}
	n := int64(binary.BigEndian.Uint32(payload) &^ (1 << 31))
	if id == 0 {
		c.window += n
	} else if s := c.streams[id]; s != nil {
		s.window += n
	}
	c.sendStarved()
	return nil
}
