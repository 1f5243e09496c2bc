package h2

import (
	"runtime"
	"time"

	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/pool"
)

// A message that comes compressed (grpc-encoding: gzip) is inflated elsewhere, for how long that
// takes its length does not tell; the stream waits for it, and the connection has one such message
// at a time. Answers to a client that compresses are compressed right here, where that is quick.
//
//	deliver ──compressed──► waiting ──no other is──► inflating ──home──► Handler.Message
//	                                                     └──stream gone meanwhile──► released

// Work is something that takes long.
type Work interface {
	// Run does it, on any goroutine.
	Run()
	// OnTurn ends it, on the connection's turn.
	OnTurn(now time.Time)
}

// inflation is one message on its way.
type inflation struct {
	conn  *Conn
	key   Key
	in    pool.Chain
	bytes int // of in
	out   pool.Chain
	held  int // bytes taken from Config.Requests
	err   error
}

// inflate has the first message of s inflated, now or when the one before it is.
func (s *Stream) inflate() {
	c := s.conn
	s.inflating = true
	if c.inflation != nil {
		return
	}
	n := s.need
	s.need = 0
	c.unkeep(n)
	s.in.Discard(grpc.PrefixBytes)
	f := &inflation{conn: c, key: s.Key(), bytes: n - grpc.PrefixBytes}
	f.in.MoveFront(&s.in, f.bytes)
	c.inflation = f
	c.svc.Offload(f)
}

// Run implements Work. The connection's limits do not change, all else of it is not touched.
func (f *inflation) Run() {
	cfg := f.conn.cfg
	in := grpc.Inflation{
		BytesMax: min(cfg.limits.MessageBytesMax, cfg.limits.RequestBytesMax),
		Hold: func(n int) bool {
			if !cfg.Requests.Take(n) {
				return false
			}
			f.held += n
			return true
		},
		Pause: runtime.Gosched,
	}
	f.err = in.Inflate(&f.out, &f.in)
	f.in.Release()
}

// OnTurn implements Work: it delivers the message, if anybody waits for it still. What it took is
// charged for in any case.
func (f *inflation) OnTurn(time.Time) {
	c := f.conn
	c.inflation = nil
	c.cfg.Requests.Give(f.held)
	defer f.out.Release()
	if c.err != nil {
		return
	}
	if err := c.spendOn(f); err != nil {
		c.fail(err)
		return
	}
	if s := c.streams.get(f.key); s != nil {
		s.inflated(f)
	}
	c.inflateNext()
}

// inflateNext goes on with the oldest stream that has waited.
func (c *Conn) inflateNext() {
	var oldest *Stream
	for s := range c.streams.all() {
		if s.inflating && (oldest == nil || s.id < oldest.id) {
			oldest = s
		}
	}
	if oldest != nil {
		oldest.inflate()
	}
}

// What no honest client's messages do: grow so much and become so large, or be so long and hold
// less than half of it. Bytes of zeros that somebody tests with grow a thousandfold.
const (
	bombFactor     = 100
	bombBytesMin   = 1 << 20
	hollowBytesMin = 64 << 10
)

// spendOn charges for a message that was made to keep us busy.
func (c *Conn) spendOn(f *inflation) error {
	n := f.out.Len()
	if f.err == grpc.ErrInflatedSize || n > max(bombBytesMin, bombFactor*f.bytes) || f.bytes > max(hollowBytesMin, 2*n) {
		return c.spend(GzipBombs)
	}
	return nil
}

// inflated takes the message home, and what has come behind it.
func (s *Stream) inflated(f *inflation) {
	c := s.conn
	s.inflating = false
	switch f.err {
	case nil:
		c.message.AppendChain(&f.out)
		s.hand()
	case grpc.ErrInflatedSize:
		c.cfg.count(MessageBytes)
		s.reject(grpc.ResourceExhausted, "MessageBytesMax: the request message is too large once inflated")
	case grpc.ErrInflatedRoom:
		c.cfg.count(RequestBudget)
		s.reject(grpc.ResourceExhausted, "Requests: too many bytes of incomplete requests on all connections")
	default:
		s.reject(grpc.Internal, "the request message does not inflate: "+f.err.Error())
	}
	if s.clientStreams {
		s.collect()
	}
	switch {
	case s.state != open:
	case s.halfClosed:
		s.finishRequest()
	default:
		s.credit()
	}
}

// The answers that are compressed, in bytes: smaller ones gain nothing, larger ones would take a
// turn longer than the neighbours like.
const (
	deflateBytesMin = 1 << 10
	deflateBytesMax = 64 << 10
)

// deflates tells whether an answer of n bytes is to be compressed.
func (s *Stream) deflates(n int) bool { return s.gzip && n >= deflateBytesMin && n <= deflateBytesMax }

// deflate compresses msg, where that makes it shorter.
func deflate(msg *pool.Chain) (flag byte) {
	var packed pool.Chain
	defer packed.Release()
	grpc.Deflate(&packed, msg)
	if packed.Len() >= msg.Len() {
		return grpc.Plain
	}
	msg.Release()
	msg.AppendChain(&packed)
	return grpc.Compressed
}
