package h2

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"

	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/codec/hpack"
)

// Response header blocks are constants: they use no dynamic table and are encoded once, as
// whole frames where nothing but the stream identifier differs.
var (
	// headersFrame is HEADERS of every response that has messages.
	headersFrame = frame.AppendHeaders(nil, 0, okBlock, frame.FlagEndHeaders)
	// gzipHeadersFrame is the same where some are compressed.
	gzipHeadersFrame = frame.AppendHeaders(nil, 0, hpack.AppendLiteral(slices.Clip(okBlock), "grpc-encoding", grpc.EncodingGzip), frame.FlagEndHeaders)
	// okTrailers is HEADERS with grpc-status 0.
	okTrailers = frame.AppendHeaders(nil, 0, statusFields[grpc.OK], frame.FlagEndHeaders|frame.FlagEndStream)

	okBlock = responseBlock("200")

	// statusFields are the encoded grpc-status headers.
	statusFields = func() (fields [grpc.CodeMax + 1][]byte) {
		for code := range fields {
			digits := string(rune('0' + code%10))
			if code >= 10 {
				digits = "1" + digits
			}
			fields[code] = hpack.AppendLiteral(nil, "grpc-status", digits)
		}
		return fields
	}()
)

// The header blocks in front of the status of a call that gets no message.
var (
	trailersOnly    = okBlock
	encodingUnknown = hpack.AppendLiteral(responseBlock("200"), "grpc-accept-encoding", "identity,gzip")
	headersTooLarge = responseBlock("431")
)

func responseBlock(status string) []byte {
	var b []byte
	if status == "200" {
		b = hpack.AppendIndexed(nil, hpack.IndexStatus200)
	} else {
		b = hpack.AppendLiteralNamed(nil, hpack.IndexStatus, status)
	}
	return hpack.AppendLiteralNamed(b, hpack.IndexContentType, "application/grpc")
}

// appendFor appends a constant frame, made out to a stream.
func appendFor(dst, encoded []byte, stream uint32) []byte {
	from := len(dst)
	dst = append(dst, encoded...)
	binary.BigEndian.PutUint32(dst[from+5:], stream)
	return dst
}

// reserve begins an encoding of n bytes in the outbox, behind the response headers if they
// were not sent yet. The caller commits it.
func (s *Stream) reserve(n int) []byte {
	if s.headersSent {
		return s.conn.out.Reserve(n)
	}
	s.headersSent = true
	headers := headersFrame
	if s.gzip {
		headers = gzipHeadersFrame
	}
	if m := s.metadata; m != nil && len(m.header) > 0 {
		b := s.conn.out.Reserve(len(headers) + len(m.header) + n)
		from := len(b)
		b = append(appendFor(b, headers, s.id), m.header...)
		frame.PutLength(b[from:])
		return b
	}
	return appendFor(s.conn.out.Reserve(len(headers)+n), headers, s.id)
}

// appendMessageHead encodes the heads of a DATA frame that holds one message.
func (s *Stream) appendMessageHead(b []byte, p grpc.Prefix) []byte {
	b = frame.AppendDataHead(b, s.id, grpc.PrefixBytes+int(p.Length), 0)
	return p.Append(b)
}

// messageBytesMax bounds a grpc-message before it is encoded. What is no UTF-8 in it may take three
// bytes for one then, and each of them three when it is encoded; that still fits into a frame.
const messageBytesMax = 1 << 10

// sayable is as much of a message as is sent: UTF-8, as the specification has it, of which no
// character is cut in two. Clients send us what is none, in a path for one, and are quoted.
func sayable(message string) string {
	if len(message) > messageBytesMax {
		end := messageBytesMax
		for end > messageBytesMax-utf8.UTFMax && !utf8.RuneStart(message[end]) {
			end--
		}
		message = message[:end]
	}
	return strings.ToValidUTF8(message, string(utf8.RuneError))
}

// sendTrailers encodes the status, with response headers in the same block when none were
// sent.
func (s *Stream) sendTrailers(status grpc.Status) {
	c := s.conn
	c.quiet = false
	if s.metadata != nil {
		s.sendTrailersWith(s.metadata, status)
		return
	}
	if s.headersSent && status == (grpc.Status{}) {
		c.out.Commit(appendFor(c.out.Reserve(len(okTrailers)), okTrailers, s.id))
		return
	}
	if s.headersSent {
		s.sendStatus(nil, status, nil)
	} else {
		s.headersSent = true
		s.sendStatus(trailersOnly, status, nil)
	}
}

// sendTrailersWith is sendTrailers with what the handler has added.
func (s *Stream) sendTrailersWith(m *metadata, status grpc.Status) {
	if s.headersSent {
		s.sendStatus(nil, status, m.trailer)
		return
	}
	s.headersSent = true
	s.sendStatus(append(slices.Clip(trailersOnly), m.header...), status, m.trailer)
}

// sendStatus encodes HEADERS with END_STREAM: the fields of block, the status, the fields behind it.
func (s *Stream) sendStatus(block []byte, status grpc.Status, behind []byte) {
	if status.Code > grpc.CodeMax {
		status.Code = grpc.Unknown
	}
	message := sayable(status.Message)
	code := statusFields[status.Code]
	size := grpc.EncodedLen(message)
	out := &s.conn.out
	b := out.Reserve(frame.HeadBytes + len(block) + len(code) + size + 32 + len(behind))
	b = frame.AppendHead(b, frame.Head{
		Kind: frame.KindHeaders, Flags: frame.FlagEndHeaders | frame.FlagEndStream, Stream: s.id,
	})
	b = append(append(b, block...), code...)
	if message != "" {
		b = hpack.AppendLiteralHead(b, "grpc-message", size)
		b = grpc.AppendMessage(b, message)
	}
	b = append(b, behind...)
	frame.PutLength(b)
	out.Commit(b)
}

// refuse answers a call that no handler got to see.
func (s *Stream) refuse(block []byte, status grpc.Status) {
	s.headersSent = true
	s.conn.quiet = false
	s.sendStatus(block, status, nil)
	s.complete()
}
