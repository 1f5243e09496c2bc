package h2

import (
	"bytes"
	"time"

	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/codec/hpack"
)

// The tags of the headers a Conn reads itself. Config.Metadata follows behind them.
const (
	tagMethod hpack.Tag = iota + 1
	tagScheme
	tagPath
	tagAuthority
	tagContentType
	tagTE
	tagTimeout
	tagEncoding
	tagAcceptEncoding
	tagContentLength
	tagConnection
	tagKeepAlive
	tagProxyConnection
	tagTransferEncoding
	tagUpgrade
	tagsKnown
)

var knownNames = [tagsKnown]string{
	tagMethod:           ":method",
	tagScheme:           ":scheme",
	tagPath:             ":path",
	tagAuthority:        ":authority",
	tagContentType:      "content-type",
	tagTE:               "te",
	tagTimeout:          "grpc-timeout",
	tagEncoding:         "grpc-encoding",
	tagAcceptEncoding:   "grpc-accept-encoding",
	tagContentLength:    "content-length",
	tagConnection:       "connection",
	tagKeepAlive:        "keep-alive",
	tagProxyConnection:  "proxy-connection",
	tagTransferEncoding: "transfer-encoding",
	tagUpgrade:          "upgrade",
}

// timeoutMax is where a grpc-timeout stops being a deadline: clients that mean "for ever"
// send years.
const timeoutMax = 30 * 24 * time.Hour

// request is what the headers of a call say, besides what the stream keeps of them.
type request struct {
	malformed   string // the rule that is broken, or ""
	seen        uint8  // pseudo-headers, by tag
	regular     bool   // a header that is no pseudo-header has come
	post, head  bool
	grpc        bool // content-type
	gzip        bool // grpc-encoding
	unknown     bool // grpc-encoding is one that we do not have
	plainOnly   bool // grpc-accept-encoding goes without gzip
	timeout     time.Duration
	badTimeout  bool
	contentSize int64 // -1: not declared
}

// request decodes the headers of a new call, and opens it.
func (s *Stream) request(block []byte, endStream, selfDependent bool) error {
	c := s.conn
	r := request{timeout: timeoutMax, contentSize: -1}
	if selfDependent {
		r.malformed = "a stream depends on itself" // RFC 7540 section 5.3.1
	}
	c.decoder.Begin(block)
	for c.decoder.Next() {
		r.field(s, c.decoder.Field())
	}
	if err := c.blockError(); err != nil {
		return err
	}
	s.halfClosed = endStream
	if tooLarge := c.decoder.Err(); tooLarge != nil {
		s.refuse(headersTooLarge, grpc.Status{Code: grpc.ResourceExhausted, Message: tooLarge.Error()})
		return nil //nolint:nilerr // the stream is answered; the connection goes on
	}
	const needed = 1<<tagMethod | 1<<tagScheme | 1<<tagPath
	if r.malformed == "" && r.seen&needed != needed {
		r.malformed = "a pseudo-header is missing"
	}
	if r.malformed == "" && endStream && r.contentSize > 0 {
		r.malformed = "content-length without content"
	}
	if r.malformed != "" {
		return StreamError{Stream: s.id, Code: frame.ProtocolError, Reason: r.malformed}
	}
	s.contentLeft = r.contentSize
	return s.start(&r, endStream)
}

// field reads one header (section 8.2 and 8.3).
func (r *request) field(s *Stream, f *hpack.Field) {
	switch {
	case !f.Valid:
		r.malformed = "a header holds what it must not"
		return
	case f.Tag >= tagsKnown:
		r.regular = true
	case f.Tag >= tagContentType:
		r.regular = true
		r.known(f)
	case f.Tag >= tagMethod:
		r.pseudo(s, f)
	case f.Name[0] == ':':
		r.malformed = "unknown pseudo-header"
		return
	default:
		r.regular = true
		return
	}
	if i := s.conn.cfg.values[f.Tag]; i >= 0 {
		s.keep(int(i), f.Value)
	}
}

func (r *request) pseudo(s *Stream, f *hpack.Field) {
	bit := uint8(1) << f.Tag
	switch {
	case r.regular:
		r.malformed = "a pseudo-header behind a header"
	case r.seen&bit != 0:
		r.malformed = "a pseudo-header came twice"
	case f.Tag == tagMethod:
		r.post, r.head = string(f.Value) == "POST", string(f.Value) == "HEAD"
	case f.Tag == tagPath:
		if len(f.Value) == 0 {
			r.malformed = "empty :path"
		}
		s.path = s.put(f.Value)
	}
	r.seen |= bit
}

func (r *request) known(f *hpack.Field) {
	switch f.Tag {
	case tagContentType:
		r.grpc = isGRPC(f.Value)
	case tagTE:
		if string(f.Value) != "trailers" {
			r.malformed = "te is not trailers"
		}
	case tagTimeout:
		var err error
		r.timeout, err = grpc.ParseTimeout(f.Value)
		r.badTimeout = err != nil
	case tagEncoding:
		r.gzip = string(f.Value) == grpc.EncodingGzip
		r.unknown = !r.gzip && string(f.Value) != "identity"
	case tagAcceptEncoding:
		r.plainOnly = !bytes.Contains(f.Value, []byte(grpc.EncodingGzip))
	case tagContentLength:
		r.contentLength(f.Value)
	default: // section 8.2.2
		r.malformed = "a header of the connection, which HTTP/2 has none of"
	}
}

func (r *request) contentLength(value []byte) {
	n := int64(0)
	for _, digit := range value {
		if digit < '0' || digit > '9' || n > 1<<50 {
			r.malformed = "content-length is no number"
			return
		}
		n = n*10 + int64(digit-'0')
	}
	if len(value) == 0 || (r.contentSize >= 0 && r.contentSize != n) {
		r.malformed = "content-length is ambiguous"
	}
	r.contentSize = n
}

var contentType = []byte("application/grpc")

// isGRPC accepts application/grpc, and it with a message format or parameters behind it.
func isGRPC(value []byte) bool {
	if !bytes.HasPrefix(value, contentType) {
		return false
	}
	rest := value[len(contentType):]
	return len(rest) == 0 || rest[0] == '+' || rest[0] == ';'
}

// start answers what cannot be served, or hands the call to the service.
func (s *Stream) start(r *request, endStream bool) error {
	c := s.conn
	if c.streams.active == 1 { // while calls are open, each Tick asks for the next
		c.expectWords()
	}
	switch {
	case c.cfg.anyRequest:
	case r.head:
		return s.startForeign(methodIsHead, endStream)
	case !r.post:
		return s.startForeign(methodNotAllowed, endStream)
	case !r.grpc:
		return s.startForeign(unsupportedMedia, endStream)
	case r.badTimeout:
		s.refuse(trailersOnly, grpc.Status{Code: grpc.Internal, Message: "malformed grpc-timeout"})
		return nil
	case r.unknown:
		s.refuse(encodingUnknown, grpc.Status{Code: grpc.Unimplemented, Message: "grpc-encoding is not supported"})
		return nil
	}
	s.mayPack, s.gzip = r.gzip, r.gzip && !r.plainOnly
	if r.timeout < timeoutMax {
		s.deadline = c.now.Add(r.timeout)
		c.wake(s.deadline)
	}
	c.opened++
	handler, status := c.svc.Open(s)
	if s.state != open {
		return nil
	}
	if handler == nil {
		s.refuse(trailersOnly, status)
		return nil
	}
	s.handler = handler
	if s.clientStreams = handler.ClientStreams(); s.clientStreams {
		c.streams.lasting++
	}
	if endStream {
		return s.endRequest()
	}
	if !s.clientStreams {
		c.wake(c.after(c.cfg.limits.RequestTimeout))
	}
	return nil
}
