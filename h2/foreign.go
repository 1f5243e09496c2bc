package h2

import (
	"strconv"

	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/codec/hpack"
	"rocketmq-proxy/pool"
)

// foreign is the answer to a request that is HTTP but not gRPC, from a browser or a probe. It is
// told so in HTTP's own words, which a person can read, and in gRPC's behind them. The request is
// heard to its end, as any other: what is wrong with it is a broken rule still.
type foreign struct {
	headers []byte // HEADERS, for appendFor
	text    string // empty: there is no DATA
	status  grpc.Status
}

var (
	methodNotAllowed = newForeign("405", "the method is not POST")
	unsupportedMedia = newForeign("415", "the content-type is not application/grpc")
	// An answer to HEAD is the same without its content (RFC 9110 section 9.3.2).
	methodIsHead = &foreign{headers: methodNotAllowed.headers, status: methodNotAllowed.status}
)

func newForeign(status, message string) *foreign {
	text := "This port speaks gRPC: " + message + ".\n"
	block := hpack.AppendLiteralNamed(nil, hpack.IndexStatus, status)
	block = hpack.AppendLiteralNamed(block, hpack.IndexContentType, "text/plain; charset=utf-8")
	block = hpack.AppendLiteral(block, "content-length", strconv.Itoa(len(text)))
	if status == "405" {
		block = hpack.AppendLiteral(block, "allow", "POST") // RFC 9110 section 15.5.6
	}
	return &foreign{
		headers: frame.AppendHeaders(nil, 0, block, frame.FlagEndHeaders),
		text:    text,
		status:  grpc.Status{Code: grpc.Internal, Message: message},
	}
}

// startForeign takes a request for which there is no handler.
func (s *Stream) startForeign(f *foreign, endStream bool) error {
	s.foreign = f
	if endStream {
		return s.endRequest()
	}
	s.conn.wake(s.conn.after(s.conn.cfg.limits.RequestTimeout))
	return nil
}

// receivedForeign drops n bytes of such a request. A client that goes on sending without reading
// gets its answer in the middle of it.
func (s *Stream) receivedForeign(n int) error {
	s.dropForeign()
	if s.recvOwed >= s.conn.cfg.limits.StreamWindowBytes/2 {
		s.answerForeign()
		return nil
	}
	return s.dribble(n)
}

func (s *Stream) dropForeign() {
	held := s.in.Len()
	s.in.Release()
	s.conn.unkeep(held)
}

// answerForeign answers, unless it has done so before the end of the request.
func (s *Stream) answerForeign() {
	s.dropForeign()
	if s.finishing {
		return
	}
	f := s.foreign
	s.headersSent = true
	s.finishing = true
	s.status = f.status
	s.conn.quiet = false
	s.conn.out.Commit(appendFor(s.conn.out.Reserve(len(f.headers)), f.headers, s.id))
	if f.text == "" {
		s.sendTrailers(f.status)
		s.complete()
		return
	}
	block := pool.Get(len(f.text))
	s.queue.Append(pool.ViewOf(block, 0, copy(block.Bytes(), f.text)))
	s.wait(len(f.text))
}
