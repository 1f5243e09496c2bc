package load

import (
	"encoding/binary"
	"errors"
)

var (
	errMessage = errors.New("load: malformed gRPC message prefix")
	errTooLong = errors.New("load: gRPC message too long")
)

// stream is one request and its answer.
type stream struct {
	call
	id      uint32
	open    bool // our side stays open
	unsent  []byte
	window  int64 // what the server lets us send on this stream
	queued  bool  // in the connection's queue for window
	partial []byte
	unacked int // DATA bytes since our last WINDOW_UPDATE
}

func (s *stream) reset() {
	*s = stream{unsent: s.unsent[:0], partial: s.partial[:0]}
}

// receive cuts DATA into messages and hands each to hear.
func (s *stream) receive(data []byte, hear func(s *stream, m []byte)) error {
	if len(s.partial) > 0 {
		s.partial = append(s.partial, data...)
		data = s.partial
	}
	for {
		n, err := wholeMessage(data)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		hear(s, data[messageHeadBytes:n])
		data = data[n:]
	}
	s.partial = append(s.partial[:0], data...)
	return nil
}

// wholeMessage returns the length of the message at the start of b with its
// prefix, or 0 while it is not whole.
func wholeMessage(b []byte) (int, error) {
	if len(b) < messageHeadBytes {
		return 0, nil
	}
	if b[0] != 0 {
		return 0, errMessage // compressed, which was not asked for
	}
	n := binary.BigEndian.Uint32(b[1:])
	if n > messageBytesMax {
		return 0, errTooLong
	}
	if len(b) < messageHeadBytes+int(n) {
		return 0, nil
	}
	return messageHeadBytes + int(n), nil
}
