package h2

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	oracle "golang.org/x/net/http2/hpack"

	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/codec/hpack"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/pool/steady"
)

// echo answers every message of a unary call with a constant.
type echo struct{ reply []byte }

func (e *echo) Open(*Stream) (Handler, grpc.Status) { return e, grpc.Status{} }
func (e *echo) Offload(Work)                        { panic("nothing here is compressed") }
func (e *echo) ClientStreams() bool                 { return false }
func (e *echo) Message(s *Stream, msg *pool.Chain)  {}
func (e *echo) HalfClosed(s *Stream)                { s.Reply(e.reply) }
func (e *echo) Canceled(*Stream, error)             {}

// realistic header fields of a request by one of the client libraries.
var requestFields = [][2]string{
	{":method", "POST"}, {":scheme", "http"},
	{":path", "/apache.rocketmq.v2.MessagingService/SendMessage"},
	{":authority", "127.0.0.1:8081"}, {"content-type", "application/grpc"},
	{"user-agent", "grpc-go/1.80.0"}, {"te", "trailers"},
	{"x-mq-language", "GO"}, {"x-mq-protocol", "v2"}, {"x-mq-client-version", "5.1.0"},
	{"x-mq-client-id", "host@1234@0@abcdefgh"}, {"x-mq-date-time", "20261122T101112Z"},
	{"x-mq-namespace", ""},
	{"authorization", "MQv2-HMAC-SHA1 Credential=key, SignedHeaders=x-mq-date-time, Signature=0123456789ABCDEF"},
}

var requestMetadata = []string{
	"x-mq-language", "x-mq-protocol", "x-mq-client-version", "x-mq-client-id", "x-mq-date-time",
	"x-mq-namespace", "authorization", "x-mq-request-id",
}

// caller encodes unary calls into one block, over and over.
type caller struct {
	next  uint32
	block []byte
	body  []byte
}

// call appends one unary call as client libraries send it once their table is warm.
func (k *caller) call(dst []byte) []byte {
	dst = frame.AppendHeaders(dst, k.next, k.block, frame.FlagEndHeaders)
	dst = frame.AppendDataHead(dst, k.next, grpc.PrefixBytes+len(k.body), frame.FlagEndStream)
	dst = append(grpc.AppendPrefix(dst, len(k.body)), k.body...)
	k.next += 2
	return dst
}

// warm returns a connection that has seen the fields once, and a block that repeats them.
func warm(tb testing.TB, cfg *Config, svc Service, now time.Time) (*Conn, *caller) {
	first := []byte{0x83, 0x86}
	second := []byte{0x83, 0x86}
	for i, f := range requestFields[2:] {
		first = hpack.AppendLiteral(first, f[0], f[1])
		first[len(first)-len(f[0])-len(f[1])-3] = 0x40
		second = append(second, byte(0x80|(62+len(requestFields)-3-i)))
	}
	c := New(cfg, svc, now)
	k := &caller{next: 3, block: second, body: make([]byte, 256)}
	hello := frame.AppendSettings([]byte(frame.Preface))
	hello = frame.AppendSettings(hello, frame.Setting{ID: frame.SettingInitialWindowSize, Value: 1 << 20})
	hello = frame.AppendSettingsAck(hello)
	hello = frame.AppendWindowUpdate(hello, 0, 1<<30)
	hello = frame.AppendHeaders(hello, 1, first, frame.FlagEndHeaders)
	hello = frame.AppendData(hello, 1, grpc.AppendPrefix(nil, 0), frame.FlagEndStream)
	var in, out pool.Chain
	in.Write(hello)
	if err := c.Feed(now, &in); err != nil {
		tb.Fatal(err)
	}
	c.Drain(&out)
	out.Release()
	return c, k
}

func unary(tb testing.TB, c *Conn, k *caller, now time.Time, calls int, in, out *pool.Chain) {
	b := in.Reserve(calls * 512)
	for range calls {
		b = k.call(b)
	}
	if k.next > 1<<30 {
		tb.Fatal("stream identifiers used up")
	}
	in.Commit(b)
	if err := c.Feed(now, in); err != nil {
		tb.Fatal(err)
	}
	c.Drain(out)
	out.Release()
	if c.sendWindow < 1<<20 {
		c.sendWindow = 1 << 30
	}
}

func BenchmarkUnary(b *testing.B) { benchmarkUnary(b, 1) }

func BenchmarkUnaryBatch16(b *testing.B) { benchmarkUnary(b, 16) }

func benchmarkUnary(b *testing.B, batch int) {
	now := time.Unix(1700000000, 0)
	c, k := warm(b, &Config{Metadata: requestMetadata}, &echo{reply: make([]byte, 100)}, now)
	var in, out pool.Chain
	b.ReportAllocs()
	for i := 0; i < b.N; i += batch {
		unary(b, c, k, now, batch, &in, &out)
	}
}

// grpcGoBlocks are header blocks as the client library for Go sends them: what differs from
// request to request enters the table too, and pushes everything else out of it now and then.
// The first one empties the table, so that they may be repeated.
func grpcGoBlocks(n int) (blocks [][]byte) {
	var buf bytes.Buffer
	enc := oracle.NewEncoder(&buf)
	enc.SetMaxDynamicTableSize(0)
	enc.SetMaxDynamicTableSize(hpack.TableBytesMax)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		buf.Reset()
		a, b := rng.Uint64(), rng.Uint64()
		for _, f := range [][2]string{
			{":method", "POST"}, {":scheme", "http"},
			{":path", "/apache.rocketmq.v2.MessagingService/SendMessage"},
			{":authority", "127.0.0.1:8081"}, {"content-type", "application/grpc"},
			{"user-agent", "grpc-go/1.85.0"}, {"te", "trailers"},
			{"grpc-timeout", fmt.Sprintf("%07du", 2999990-i%1024)},
			{"x-mq-request-id", fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&0xffffffffffff)},
			{"x-mq-date-time", time.Unix(1700000000+int64(i/500), 0).UTC().Format("20060102T150405Z")},
			{"x-mq-language", "GO"}, {"x-mq-protocol", "GRPC_V2"}, {"x-mq-client-version", "5.1.4"},
			{"x-mq-namespace", ""}, {"x-mq-client-id", "host@1234@0@abcdefgh"},
		} {
			enc.WriteField(oracle.HeaderField{Name: f[0], Value: f[1]})
		}
		blocks = append(blocks, bytes.Clone(buf.Bytes()))
	}
	return blocks
}

func BenchmarkUnaryGRPCGo(b *testing.B) {
	now := time.Unix(1700000000, 0)
	c, k := warm(b, &Config{Metadata: requestMetadata}, &echo{reply: make([]byte, 100)}, now)
	blocks := grpcGoBlocks(2000)
	var in, out pool.Chain
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		k.block = blocks[i%len(blocks)]
		unary(b, c, k, now, 1, &in, &out)
	}
}

// lister answers every call with a stream of messages, as a receive is answered.
type lister struct {
	echo
	messages int
	shared   bool // each is a view of the request
	body     pool.Chain
}

func (l *lister) Open(*Stream) (Handler, grpc.Status) { return l, grpc.Status{} }

func (l *lister) Message(s *Stream, msg *pool.Chain) {
	for range l.messages {
		if l.shared {
			l.body.Share(msg, 0, msg.Len())
			s.Send(&l.body)
			continue
		}
		s.Write(l.reply)
	}
}

func (l *lister) HalfClosed(s *Stream) { s.Finish(grpc.Status{}) }

// hot are the walks whose allocations are fixed, once their memory is there.
func hot(tb testing.TB) map[string]func() {
	now := time.Unix(1700000000, 0)
	walks := map[string]func(){}
	// with adds a walk on a connection of its own.
	with := func(name string, svc Service, body int, walk func(c *Conn, k *caller, in, out *pool.Chain)) {
		c, k := warm(tb, &Config{Metadata: requestMetadata}, svc, now)
		k.body = make([]byte, body)
		var in, out pool.Chain
		walks[name] = func() { walk(c, k, &in, &out) }
	}
	calls := func(n int) func(c *Conn, k *caller, in, out *pool.Chain) {
		return func(c *Conn, k *caller, in, out *pool.Chain) { unary(tb, c, k, now, n, in, out) }
	}
	small := echo{reply: make([]byte, 100)}
	with("unary", &small, 256, calls(1))
	with("16 unary in one read", &small, 256, calls(16))
	with("32 messages in answer", &lister{echo: small, messages: 32}, 256, calls(1))
	with("8 shared messages in answer", &lister{messages: 8, shared: true}, 256, calls(1))
	blocks, next := grpcGoBlocks(2000), 0
	with("unary with headers of grpc-go", &small, 256, func(c *Conn, k *caller, in, out *pool.Chain) {
		k.block = blocks[next%len(blocks)]
		next++
		unary(tb, c, k, now, 1, in, out)
	})
	feed := func(c *Conn, frames []byte, in, out *pool.Chain) {
		if c.buckets != nil {
			*c.buckets = [Violations]bucket{} // as if it came now and then
		}
		in.Write(frames)
		if err := c.Feed(now, in); err != nil {
			tb.Fatal(err)
		}
		c.Drain(out)
		out.Release()
	}
	var frames []byte
	with("a body of 64 KiB in frames of 16 KiB", &small, 64<<10, func(c *Conn, k *caller, in, out *pool.Chain) {
		frames = frame.AppendHeaders(frames[:0], k.next, k.block, frame.FlagEndHeaders)
		frames = frame.AppendData(frames, k.next, grpc.AppendPrefix(nil, len(k.body)), 0)
		rest := k.body
		for ; len(rest) > 16<<10; rest = rest[16<<10:] {
			frames = frame.AppendData(frames, k.next, rest[:16<<10], 0)
		}
		frames = frame.AppendData(frames, k.next, rest, frame.FlagEndStream)
		k.next += 2
		feed(c, frames, in, out)
	})
	opening := frame.AppendWindowUpdate(frame.AppendWindowUpdate(nil, 0, 1), 0, 1)
	with("two WINDOW_UPDATE", &small, 0, func(c *Conn, _ *caller, in, out *pool.Chain) {
		c.sendWindow, c.windowTokens = 0, 2 // as if answers had gone out meanwhile
		feed(c, opening, in, out)
	})
	with(givenUp, &patient{}, 256, func(c *Conn, k *caller, in, out *pool.Chain) {
		frames = k.call(frames[:0])
		frames = frame.AppendReset(frames, k.next-2, frame.Cancel)
		feed(c, frames, in, out)
	})
	with("Tick", &small, 0, func(c *Conn, _ *caller, _, out *pool.Chain) {
		c.Tick(now)
		c.Drain(out)
		out.Release()
	})
	return walks
}

// givenUp costs one allocation: the error that the handler is told.
const givenUp = "the peer gives a call up"

// patient never answers.
type patient struct{ echo }

func (p *patient) Open(*Stream) (Handler, grpc.Status) { return p, grpc.Status{} }
func (p *patient) HalfClosed(*Stream)                  {}

func TestAllocationsOfHotWalks(t *testing.T) {
	steady.KeepPools(t)
	for name, walk := range hot(t) {
		for range 50 {
			walk()
		}
		want := 0.0
		if name == givenUp {
			want = 1
		}
		if n := testing.AllocsPerRun(200, walk); n != want {
			t.Errorf("%s: %v allocations, want %v", name, n, want)
		}
	}
}

func BenchmarkConn(b *testing.B) {
	steady.Benchmark(b, hot(b))
}

func TestUnaryCallAllocatesNothing(t *testing.T) {
	if steady.Race {
		t.Skip("sync.Pool forgets on purpose under the race detector")
	}
	now := time.Unix(1700000000, 0)
	c, k := warm(t, &Config{Metadata: requestMetadata}, &echo{reply: make([]byte, 100)}, now)
	var in, out pool.Chain
	if n := testing.AllocsPerRun(1000, func() { unary(t, c, k, now, 1, &in, &out) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
	if c.Active() != 0 || c.partial != 0 || c.waiting != 0 {
		t.Fatal("something is left", c.Active(), c.partial, c.waiting)
	}
}

// requestBlock is the header block of a call that uses no table.
func requestBlock() (block []byte) {
	for _, f := range requestFields {
		block = hpack.AppendLiteral(block, f[0], f[1])
	}
	return block
}
