package h2

import "rocketmq-proxy/codec/hpack"

// metadata is what a handler adds to the headers and the trailers of its answer, encoded. Hardly
// any does, so that a call has but a pointer to it.
type metadata struct{ header, trailer []byte }

// metadataBytesMax bounds either. A header block must fit into a frame, with the status in it.
const metadataBytesMax = 8 << 10

// SetHeader adds a field to the response headers, and changes nothing once they were sent. The
// name is in lower case, the value is printable ASCII; that of a name on "-bin" is base64 already.
// What exceeds 8 KiB, all fields together, is left out.
func (s *Stream) SetHeader(name, value string) {
	if s.writable() && !s.headersSent {
		m := s.answerMetadata()
		m.header = appendMetadata(m.header, name, value)
	}
}

// SetTrailer is SetHeader for the trailers, which follow the last message.
func (s *Stream) SetTrailer(name, value string) {
	if s.writable() {
		m := s.answerMetadata()
		m.trailer = appendMetadata(m.trailer, name, value)
	}
}

func (s *Stream) answerMetadata() *metadata {
	if s.metadata == nil {
		s.metadata = new(metadata)
	}
	return s.metadata
}

func appendMetadata(dst []byte, name, value string) []byte {
	if with := hpack.AppendLiteral(dst, name, value); len(with) <= metadataBytesMax {
		return with
	}
	return dst
}
