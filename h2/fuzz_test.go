package h2

import (
	"bytes"
	"compress/gzip"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"golang.org/x/net/http2"
	oracle "golang.org/x/net/http2/hpack"

	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/codec/hpack"
	"rocketmq-proxy/pool"
)

// restless does everything a service may do, chosen by a random number generator.
type restless struct {
	rng  *rand.Rand
	conn *Conn
	keys []Key
	kept []pool.Chain

	offloaded []Work
}

type restlessCall struct {
	service *restless
	streams bool
	ended   bool
}

func (r *restless) Open(s *Stream) (Handler, grpc.Status) {
	if r.rng.IntN(8) == 0 {
		return nil, grpc.Status{Code: grpc.Unimplemented, Message: string(s.Path())}
	}
	r.keys = append(r.keys, s.Key())
	return &restlessCall{service: r, streams: r.rng.IntN(2) == 0}, grpc.Status{}
}

func (r *restless) Offload(w Work) { r.offloaded = append(r.offloaded, w) }

// home ends one piece of work.
func (r *restless) home(now time.Time) {
	if len(r.offloaded) == 0 {
		return
	}
	w := r.offloaded[0]
	r.offloaded = r.offloaded[1:]
	if len(r.offloaded) > 0 {
		panic("more than one message is inflated at a time")
	}
	w.Run()
	w.OnTurn(now)
}

func (c *restlessCall) ClientStreams() bool { return c.streams }

func (c *restlessCall) Message(s *Stream, msg *pool.Chain) {
	if c.ended {
		panic("Message after the end")
	}
	if c.service.rng.IntN(2) == 0 {
		var kept pool.Chain
		kept.AppendChain(msg)
		c.service.kept = append(c.service.kept, kept)
	}
	c.service.act(s)
}

func (c *restlessCall) HalfClosed(s *Stream) {
	if c.ended {
		panic("HalfClosed after the end")
	}
	c.service.act(s)
}

func (c *restlessCall) Canceled(s *Stream, cause error) {
	if c.ended || cause == nil {
		panic("Canceled twice, or without a cause")
	}
	c.ended = true
	s.Write([]byte("nobody"))
	s.Finish(grpc.Status{})
}

func (r *restless) act(s *Stream) {
	switch r.rng.IntN(8) {
	case 0:
		s.Write(make([]byte, r.rng.IntN(100)))
	case 1:
		if len(r.kept) > 0 {
			last := len(r.kept) - 1
			s.Send(&r.kept[last])
			r.kept[last].Release()
			r.kept = r.kept[:last]
		}
	case 2:
		var msg pool.Chain
		msg.Write(make([]byte, r.rng.IntN(40000)))
		s.Send(&msg)
		msg.Release()
	case 3:
		s.Finish(grpc.Status{Code: grpc.Code(r.rng.IntN(20)), Message: "µ"})
	case 4:
		s.Reply(make([]byte, r.rng.IntN(1000)))
	case 5:
		s.SendHeaders()
	}
}

func (r *restless) release() {
	for i := range r.kept {
		r.kept[i].Release()
	}
}

// checkConn compares what a Conn keeps account of with what there is.
func checkConn(t testing.TB, c *Conn) {
	active, lasting, waiting, partial, ready := 0, 0, 0, 0, 0
	for _, s := range c.streams.slots {
		if s == nil {
			continue
		}
		if s.state != open {
			if s.in.Len()+s.queue.Len() > 0 || s.isReady || s.handler != nil {
				t.Fatal("a vacant slot holds something")
			}
			continue
		}
		active++
		if s.clientStreams {
			lasting++
		}
		waiting += s.queue.Len()
		partial += s.in.Len()
		if s.isReady {
			ready++
		}
		if s.isReady != (s.queue.Len() > 0 && s.sendWindow > 0) {
			t.Fatal("ready list is wrong about a stream")
		}
		if s.sendWindow > frame.WindowMax || s.recvWindow < 0 || c.streams.find(s.id) != s || c.Stream(s.Key()) != s {
			t.Fatal("stream", s.id, s.sendWindow, s.recvWindow)
		}
	}
	listed := 0
	for s := c.ready.first; s != nil; s = s.after {
		listed++
	}
	if active != c.streams.active || lasting != c.streams.lasting || active != c.streams.ids.count || waiting != c.waiting || partial != c.partial || listed != ready {
		t.Fatal("account", active, c.streams.active, lasting, c.streams.lasting, c.streams.ids.count, waiting, c.waiting, partial, c.partial, listed, ready)
	}
	if c.recvWindow < 0 || c.sendWindow < 0 || c.sendWindow > frame.WindowMax {
		t.Fatal("windows", c.recvWindow, c.sendWindow)
	}
	if l := &c.cfg.limits; active > int(l.StreamsMax) || partial > l.RequestBytesMax || c.in.Len() > frame.HeadBytes+frame.PayloadBytesMin {
		t.Fatal("limits", active, partial, c.in.Len())
	}
}

// critic reads what was sent as a client of x/net would, which shares no code with it.
type critic struct {
	testing.TB
	sent    bytes.Buffer
	framer  *http2.Framer
	streams map[uint32]*criticized
}

// criticized is what was sent on a stream.
type criticized struct{ headers, ended bool }

func newCritic(t testing.TB) *critic {
	k := &critic{TB: t, streams: map[uint32]*criticized{}}
	k.framer = http2.NewFramer(nil, &k.sent)
	k.framer.ReadMetaHeaders = oracle.NewDecoder(4096, nil)
	return k
}

// read takes whole frames, in which nothing may be wrong.
func (k *critic) read(b []byte) {
	for k.sent.Write(b); k.sent.Len() > 0; {
		f, err := k.framer.ReadFrame()
		if err != nil {
			k.Fatal("sent", err, k.framer.ErrorDetail())
		}
		s := k.streams[f.Header().StreamID]
		if s == nil {
			s = &criticized{}
			k.streams[f.Header().StreamID] = s
		}
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			k.headers(s, f)
		case *http2.DataFrame:
			if !s.headers || s.ended || f.StreamEnded() {
				k.Fatal("sent", f, "before the headers or after the end, or as the end")
			}
		case *http2.RSTStreamFrame:
			s.ended = true
		case *http2.WindowUpdateFrame:
			if s.ended {
				k.Fatal("sent", f, "after the end")
			}
		case *http2.SettingsFrame, *http2.PingFrame, *http2.GoAwayFrame:
		default:
			k.Fatal("sent", f)
		}
	}
}

// headers are the response headers of a stream, its trailers, or both in one.
func (k *critic) headers(s *criticized, f *http2.MetaHeadersFrame) {
	if s.ended || s.headers && !f.StreamEnded() || (f.PseudoValue("status") == "") != s.headers {
		k.Fatal("sent", f, "before the headers, twice, or after the end")
	}
	if f.StreamEnded() && !slices.ContainsFunc(f.RegularFields(), func(field oracle.HeaderField) bool { return field.Name == "grpc-status" }) {
		k.Fatal("sent", f, "without a status")
	}
	s.headers, s.ended = true, f.StreamEnded()
}

// play feeds input in random pieces to a connection whose service is restless.
func play(t testing.TB, input []byte, seed uint64) {
	live := pool.Live()
	rng := rand.New(rand.NewPCG(seed, 3))
	now := time.Unix(1_700_000_000, 0)
	service := &restless{rng: rng}
	c := New(&Config{
		Metadata: []string{"x-test", ":authority"},
		Limits:   Limits{StreamsMax: 20, RequestBytesMax: 50000, MessageBytesMax: 40000, WaitingBytesMax: 100000},
	}, service, now)
	service.conn = c
	client := newCritic(t)
	var failed error
	for len(input) > 0 && failed == nil {
		n := min(len(input), 1+rng.IntN(1+rng.IntN(2000)))
		var in, out pool.Chain
		in.Write(input[:n])
		input = input[n:]
		failed = c.Feed(now, &in)
		in.Release()
		checkConn(t, c)
		if len(service.keys) > 0 && rng.IntN(3) == 0 {
			if s := c.Stream(service.keys[rng.IntN(len(service.keys))]); s != nil {
				service.act(s)
			}
		}
		if rng.IntN(3) == 0 {
			c.Drain(&out)
			client.read(out.AppendTo(nil))
			out.Release()
		}
		if rng.IntN(10) == 0 {
			now = now.Add(time.Duration(rng.Int64N(int64(10 * time.Second))))
			c.Tick(now)
			if !c.due.IsZero() && c.due.Before(now) {
				t.Fatal("due in the past")
			}
		}
		if rng.IntN(4) == 0 {
			service.home(now)
		}
		if rng.IntN(100) == 0 {
			c.Shutdown(now)
		}
		checkConn(t, c)
	}
	if failed != nil {
		if _, ok := failed.(ConnError); !ok || c.Active() != 0 {
			t.Fatal(failed, c.Active())
		}
	}
	var last pool.Chain
	c.Drain(&last)
	client.read(last.AppendTo(nil))
	last.Release()
	c.Close(nil)
	service.home(now)
	checkConn(t, c)
	if c.Active() != 0 || !c.Done() {
		t.Fatal("closed, but", c.Active())
	}
	service.release()
	if got := pool.Live(); got != live {
		t.Fatal(got-live, "buffers leaked")
	}
}

// compressed is a message as a client sends it that compresses.
func compressed(text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(text) // a buffer takes everything
	_ = w.Close()
	return append(grpc.Prefix{Flag: grpc.Compressed, Length: uint32(b.Len())}.Append(nil), b.Bytes()...)
}

// hello is what every client begins with.
func hello() []byte {
	b := frame.AppendSettings([]byte(frame.Preface), frame.Setting{ID: frame.SettingInitialWindowSize, Value: 30000})
	return frame.AppendSettingsAck(b)
}

// scribble writes frames that are mostly right.
func scribble(rng *rand.Rand) []byte {
	b := hello()
	k := caller{next: 1, body: make([]byte, 300)}
	k.block = requestBlock()
	zipped := hpack.AppendLiteral(requestBlock(), "grpc-encoding", "gzip")
	for range rng.IntN(100) {
		stream := uint32(rng.IntN(int(k.next)+3)) | 1
		switch rng.IntN(14) {
		case 0, 1, 2:
			k.body = k.body[:rng.IntN(300)]
			b = k.call(b)
		case 3, 4:
			b = frame.AppendHeaders(b, k.next, k.block, frame.FlagEndHeaders)
			k.next += 2
		case 5, 6:
			content := append(grpc.AppendPrefix(nil, rng.IntN(20000)), make([]byte, rng.IntN(16000))...)
			b = frame.AppendDataPadded(b, min(stream, k.next-2), content, frame.Flags(rng.IntN(2)), uint8(rng.IntN(100)))
		case 7:
			b = frame.AppendWindowUpdate(b, stream, uint32(rng.IntN(50000)))
		case 8:
			b = frame.AppendWindowUpdate(b, 0, uint32(1+rng.IntN(50000)))
		case 9:
			b = frame.AppendReset(b, min(stream, k.next-2), frame.Cancel)
		case 10:
			b = frame.AppendSettings(b, frame.Setting{ID: frame.SettingInitialWindowSize, Value: uint32(rng.IntN(60000))})
		case 11:
			b = frame.AppendPing(b, [8]byte{1}, frame.Flags(rng.IntN(2)))
		case 12:
			b = frame.AppendHeaders(b, k.next, zipped, frame.FlagEndHeaders)
			b = frame.AppendData(b, k.next, compressed(make([]byte, rng.IntN(100_000))), frame.Flags(rng.IntN(2)))
			k.next += 2
		case 13:
			b = frame.AppendData(b, min(stream, k.next-2), compressed(make([]byte, rng.IntN(100))), frame.Flags(rng.IntN(2)))
		}
	}
	if rng.IntN(4) == 0 {
		b[rng.IntN(len(b))] ^= byte(1 << rng.IntN(8))
	}
	return b
}

func TestRestlessService(t *testing.T) {
	n := uint64(400)
	if testing.Short() {
		n = 50
	}
	for seed := range n {
		play(t, scribble(rand.New(rand.NewPCG(seed, 9))), seed)
	}
}

func FuzzConn(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(scribble(rand.New(rand.NewPCG(seed, 9))), seed)
	}
	f.Fuzz(func(t *testing.T, input []byte, seed uint64) {
		play(t, input, seed)
		// Most inputs die at the preface; what they say after it is worth a try.
		play(t, append(hello(), input...), seed)
	})
}
