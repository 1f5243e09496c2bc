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
func (h *http2) data(flags byte, id uint32, payload []byte, now int64) error {
	if h.unacked += len(payload); h.unacked > connWindow/2 {
		h.conn.out = appendWindowUpdate(h.conn.out, 0, h.unacked)
		h.unacked = 0
	}
	s := h.streams[id]
	if s == nil {
		return nil // reset, or never ours; the window is what counted
	}
	if s.unacked += len(payload); s.unacked > streamWindow/2 && flags&flagEndStream == 0 {
		h.conn.out = appendWindowUpdate(h.conn.out, id, s.unacked)
		s.unacked = 0
	}
	body, ok := unpad(flags, payload, false)
	if !ok {
		return errProtocol
	}
	if s.failure == nil { // else it need not be gRPC at all
		if err := s.receive(body, h.hear); err != nil {
			return err
		}
	}
	if flags&flagEndStream != 0 {
		h.end(s, cmp.Or(s.failure, errNoTrailers), now)
	}
	return nil
}

// headers collects a header block; the last piece decides.
func (h *http2) headers(flags byte, piece []byte, now int64) error {
	block := piece
	if flags&flagEndHeaders == 0 || len(h.block) > 0 {
		h.block = append(h.block, piece...)
		block = h.block
	}
	if flags&flagEndHeaders == 0 {
		return nil
	}
	head, err := h.heads.decode(block)
	if err != nil {
		return err
	}
	s := h.streams[h.blockOf]
	if s == nil {
		return nil
	}
	if s.failure == nil {
		s.failure = head.check()
	}
	if h.blockFlags&flagEndStream != 0 {
		if head.grpcStatus == "" && s.failure == nil {
			s.failure = fmt.Errorf("load: trailers without grpc-status")
		}
		if len(s.partial) > 0 && s.failure == nil {
			s.failure = fmt.Errorf("load: the stream ended inside a message")
		}
		h.end(s, s.failure, now)
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

func (h *http2) settings(flags byte, payload []byte) error {
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
			h.head.setLimit(value)
		case settingStreamsMax:
			h.streamsMax = value
		case settingFrameBytes:
			h.frameBytes = int(min(max(value, frameBytesMin), 1<<20))
		case settingInitialWindow:
			for _, s := range h.streams {
				s.window += int64(value) - h.initial
			}
			h.initial = int64(value)
		}
	}
	h.conn.out = appendFrameHead(h.conn.out, 0, frameSettings, flagAck, 0)
	h.sendStarved()
	if need := uint32(h.conn.run.cfg.Streams); h.streamsMax < need {
		return fmt.Errorf("load: the server allows %d streams, %d are needed", h.streamsMax, need)
	}
	return nil
}

func (h *http2) windowUpdate(id uint32, payload []byte) error {
	if len(payload) != 4 {
		return errProtocol
	}
	n := int64(binary.BigEndian.Uint32(payload) &^ (1 << 31))
	if id == 0 {
		h.window += n
	} else if s := h.streams[id]; s != nil {
		s.window += n
	}
	h.sendStarved()
	return nil
}
