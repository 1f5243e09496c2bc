package h2

import (
	"bytes"
	"compress/gzip"
	"errors"
	"slices"
	"testing"
	"time"

	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/codec/hpack"
	"rocketmq-proxy/pool"
)

// mute opens every call and answers none.
type mute struct {
	canceled, messages, bytes int
	works                     []Work
}

func (m *mute) Open(*Stream) (Handler, grpc.Status) { return m, grpc.Status{} }
func (m *mute) Offload(w Work)                      { m.works = append(m.works, w) }
func (m *mute) ClientStreams() bool                 { return true }
func (m *mute) Message(_ *Stream, msg *pool.Chain)  { m.messages++; m.bytes += msg.Len() }
func (m *mute) HalfClosed(*Stream)                  {}
func (m *mute) Canceled(*Stream, error)             { m.canceled++ }

// home ends the work that was handed to others.
func (m *mute) home(now time.Time) {
	for len(m.works) > 0 {
		w := m.works[0]
		m.works = m.works[1:]
		w.Run()
		w.OnTurn(now)
	}
}

var start = time.Unix(1_700_000_000, 0)

// greeted returns a connection that has said hello, and a function that feeds it.
func greeted(t testing.TB, cfg *Config, svc Service) (*Conn, func(now time.Time, b []byte) error) {
	t.Helper()
	return greetedAt(t, cfg, svc, start)
}

func greetedAt(t testing.TB, cfg *Config, svc Service, at time.Time) (*Conn, func(now time.Time, b []byte) error) {
	t.Helper()
	c := New(cfg, svc, at)
	var in pool.Chain
	feed := func(now time.Time, b []byte) error {
		in.Write(b)
		err := c.Feed(now, &in)
		if h, ok := svc.(interface{ home(now time.Time) }); ok {
			h.home(now)
			err = c.Err()
		}
		checkConn(t, c)
		return err
	}
	if err := feed(at, hello()); err != nil {
		t.Fatal(err)
	}
	drain(c)
	t.Cleanup(func() {
		c.Close(nil)
		in.Release()
	})
	return c, feed
}

func drain(c *Conn) []byte {
	var out pool.Chain
	c.Drain(&out)
	defer out.Release()
	return out.AppendTo(nil)
}

// flood is what some limit of a connection is there for: a row of server/docs/limits.md.
type flood struct {
	row       string
	limits    Limits
	passes    int // so many pieces at one instant are let pass, and no more
	undrained bool
	kind      Violation // that the piece too many is counted as; violationsLen: none
	code      frame.ErrCode
	next      func(i int) []byte
}

var floods = []flood{
	{
		row: "rapid reset", passes: 200, kind: RapidReset, code: frame.EnhanceYourCalm,
		next: func(i int) []byte { return frame.AppendReset(openCall(i), odd(i), frame.Cancel) },
	},
	{
		row: "made-you-reset by WINDOW_UPDATE of 0", passes: 100, kind: ProvokedReset, code: frame.EnhanceYourCalm,
		next: func(i int) []byte { return frame.AppendWindowUpdate(openCall(i), odd(i), 0) },
	},
	{
		row: "made-you-reset by DATA after the end", passes: 100, kind: ProvokedReset, code: frame.EnhanceYourCalm,
		next: func(i int) []byte {
			b := frame.AppendHeaders(nil, odd(i), requestBlock(), frame.FlagEndHeaders|frame.FlagEndStream)
			return frame.AppendData(b, odd(i), []byte("x"), 0)
		},
	},
	{
		row: "CONTINUATION frames", passes: 1 + 8, kind: Continuations, code: frame.EnhanceYourCalm,
		next: func(i int) []byte {
			if i == 0 {
				return frame.AppendHeaders(nil, 1, requestBlock(), 0)
			}
			return frame.AppendContinuation(nil, 1, nil, 0)
		},
	},
	{
		row: "header block on the wire", passes: 4, kind: Continuations, code: frame.EnhanceYourCalm,
		limits: Limits{HeaderListBytesMax: 8000}, // 16000 on the wire
		next: func(i int) []byte {
			if i == 0 {
				return frame.AppendHeaders(nil, 1, make([]byte, 4000), 0)
			}
			return frame.AppendContinuation(nil, 1, make([]byte, 4000), 0)
		},
	},
	{
		row: "header lists beyond the limit", passes: 20, kind: HeaderLists, code: frame.EnhanceYourCalm,
		limits: Limits{HeaderFieldsMax: 3}, next: openCall,
	},
	{
		row: "gzip bombs", passes: 10, kind: GzipBombs, code: frame.EnhanceYourCalm,
		next: func(i int) []byte { return zippedCall(i, compressed(make([]byte, bombBytesMin+1))) },
	},
	{
		row: "gzip files of nothing", passes: 10, kind: GzipBombs, code: frame.EnhanceYourCalm,
		next: func(i int) []byte { return zippedCall(i, hollow) },
	},
	{
		// The first PING is not one of those between which nothing happens.
		row: "PING", passes: 1 + 30, kind: PingFlood, code: frame.EnhanceYourCalm,
		next: func(int) []byte { return frame.AppendPing(nil, [8]byte{}, 0) },
	},
	{
		row: "SETTINGS", passes: 20, kind: SettingsFlood, code: frame.EnhanceYourCalm,
		next: func(int) []byte { return frame.AppendSettings(nil) },
	},
	{
		row: "entries of SETTINGS", passes: 1, kind: SettingsFlood, code: frame.EnhanceYourCalm,
		next: func(i int) []byte {
			return frame.AppendSettings(nil, slices.Repeat([]frame.Setting{{ID: 0xbe}}, 32+i)...)
		},
	},
	{
		row: "PRIORITY", passes: 1000, kind: PriorityFlood, code: frame.EnhanceYourCalm,
		next: func(int) []byte { return frame.AppendPriority(nil, 7, frame.Priority{}) },
	},
	{
		row: "empty DATA", passes: 100, kind: EmptyData, code: frame.EnhanceYourCalm,
		next: func(i int) []byte { return frame.AppendData(openCall(i), odd(i), nil, 0) },
	},
	{
		row: "DATA byte by byte", passes: 1000, kind: DataDribble, code: frame.EnhanceYourCalm,
		next: func(i int) []byte {
			if i == 0 {
				return frame.AppendData(openCall(0), 1, grpc.AppendPrefix(nil, 1<<20), 0)
			}
			return frame.AppendData(nil, 1, []byte("x"), 0)
		},
	},
	{
		row: "WINDOW_UPDATE", passes: 10000, kind: WindowFlood, code: frame.EnhanceYourCalm,
		next: func(int) []byte { return frame.AppendWindowUpdate(nil, 0, 1) },
	},
	{
		row: "frames of unknown types", passes: 1000, kind: UnknownFlood, code: frame.EnhanceYourCalm,
		next: func(int) []byte { return frame.AppendHead(nil, frame.Head{Kind: 99}) },
	},
	{
		row: "GOAWAY", passes: 1000, kind: UnknownFlood, code: frame.EnhanceYourCalm,
		next: func(int) []byte { return frame.AppendGoAway(nil, 0, frame.NoError, "") },
	},
	{
		row: "streams beyond the limit", passes: 1 + 200, kind: RefusedStreams, code: frame.EnhanceYourCalm,
		limits: Limits{StreamsMax: 1}, next: openCall,
	},
	{
		row: "unsent control frames", passes: 5, kind: ControlBacklog, code: frame.EnhanceYourCalm, undrained: true,
		limits: Limits{ControlFramesMax: 5}, next: func(int) []byte { return frame.AppendPing(nil, [8]byte{}, 0) },
	},
	{
		row: "unsent output", passes: 10, kind: OutboxBacklog, code: frame.EnhanceYourCalm, undrained: true,
		limits: Limits{OutboxBytesMax: 10 * (frame.HeadBytes + frame.PingBytes)},
		next:   func(int) []byte { return frame.AppendPing(nil, [8]byte{}, 0) },
	},
	{
		row: "frame of 16 KiB", passes: 1, kind: violationsLen, code: frame.FrameSizeError,
		next: func(i int) []byte {
			b := frame.AppendHead(nil, frame.Head{Kind: 99, Length: 16384 + i})
			if i == 0 {
				b = append(b, make([]byte, 16384)...)
			}
			return b // of the one that is too long the head alone
		},
	},
}

func odd(i int) uint32 { return uint32(2*i + 1) }

// hollow is a message of 70 KB that holds nothing.
var hollow = func() []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	for range 14_000 {
		_ = w.Flush() // a buffer takes everything
	}
	_ = w.Close()
	return append(grpc.Prefix{Flag: grpc.Compressed, Length: uint32(b.Len())}.Append(nil), b.Bytes()...)
}()

// zippedCall is call i of a client that compresses, with all that it says.
func zippedCall(i int, content []byte) []byte {
	b := openWith(i, [2]string{"grpc-encoding", "gzip"})
	for len(content) > frame.PayloadBytesMin {
		b = frame.AppendData(b, odd(i), content[:frame.PayloadBytesMin], 0)
		content = content[frame.PayloadBytesMin:]
	}
	return frame.AppendData(b, odd(i), content, frame.FlagEndStream)
}

// openCall begins call i.
func openCall(i int) []byte {
	return frame.AppendHeaders(nil, odd(i), requestBlock(), frame.FlagEndHeaders)
}

// TestConnLimits holds each limit of a connection to its figure: so many are let pass, the next one is
// thrown out and counted; where there is an allowance, one more passes after its interval.
func TestConnLimits(t *testing.T) {
	for _, f := range floods {
		t.Run(f.row, func(t *testing.T) {
			f.play(t, 0)
			if f.kind < violationsLen && DefaultLimits().Allowances[f.kind].Burst > 0 && f.row != "entries of SETTINGS" {
				f.play(t, DefaultLimits().Allowances[f.kind].Interval)
			}
		})
	}
}

// play feeds what passes, one piece more after a while, unless that is 0, and the one that does not.
func (f *flood) play(t *testing.T, later time.Duration) {
	t.Helper()
	cfg := &Config{Limits: f.limits, Counters: new(Counters)}
	c, feed := greeted(t, cfg, &mute{})
	n := 0
	for ; n < f.passes; n++ {
		if err := feed(start, f.next(n)); err != nil {
			t.Fatalf("piece %d of %d: %v", n+1, f.passes, err)
		}
		if !f.undrained {
			drain(c)
		}
	}
	if later > 0 {
		if err := feed(start.Add(later), f.next(n)); err != nil {
			t.Fatalf("after %v: %v", later, err)
		}
		n++
	}
	counted := func() uint64 {
		if f.kind == violationsLen {
			return 1
		}
		return cfg.Counters.Violations[f.kind].Load()
	}
	before := counted()
	err := feed(start.Add(later), f.next(n))
	e, ok := errors.AsType[ConnError](err)
	if !ok || e.Code != f.code {
		t.Fatalf("piece %d: %v", n+1, err)
	}
	if f.kind < violationsLen && counted() != before+1 {
		t.Fatalf("%v was counted %d times", f.kind, counted()-before)
	}
}

// What client libraries do is no abuse.
func TestHonestClients(t *testing.T) {
	block := requestBlock()
	minute := func(i int) time.Time { return start.Add(time.Duration(i) * time.Minute) }
	t.Run("a PING every minute", func(t *testing.T) {
		c, feed := greeted(t, &Config{Limits: Limits{IdleTimeout: -1}}, &mute{})
		for i := range 1000 {
			if err := feed(minute(i), frame.AppendPing(nil, [8]byte{}, 0)); err != nil {
				t.Fatal(i, err)
			}
			if len(drain(c)) != frame.HeadBytes+frame.PingBytes {
				t.Fatal("no acknowledgment")
			}
		}
	})
	t.Run("a PING for every answer", func(t *testing.T) {
		c, feed := greeted(t, &Config{}, &echo{reply: []byte("x")})
		k := caller{next: 1, block: block}
		for i := range 1000 {
			b := frame.AppendPing(k.call(nil), [8]byte{}, 0)
			b = frame.AppendWindowUpdate(b, 0, 10)
			if err := feed(start, b); err != nil {
				t.Fatal(i, err)
			}
			drain(c)
		}
	})
	t.Run("END_STREAM apart from a small message", func(t *testing.T) {
		c, feed := greeted(t, &Config{}, &echo{reply: nil})
		for i := range uint32(3000) {
			b := frame.AppendHeaders(nil, 2*i+1, block, frame.FlagEndHeaders)
			b = frame.AppendData(b, 2*i+1, grpc.AppendPrefix(nil, 0), 0)
			b = frame.AppendData(b, 2*i+1, nil, frame.FlagEndStream)
			if err := feed(start, b); err != nil {
				t.Fatal(i, err)
			}
			c.sendWindow = 1 << 20
			drain(c)
		}
	})
	t.Run("messages that compress well", func(t *testing.T) {
		m := &mute{}
		cfg := &Config{Counters: new(Counters)}
		c, feed := greeted(t, cfg, m)
		zeros := compressed(make([]byte, bombBytesMin))
		for i := range 900 {
			if err := feed(start, zippedCall(i, zeros)); err != nil {
				t.Fatal(i, err)
			}
			drain(c)
		}
		if n := cfg.Counters.Violations[GzipBombs].Load(); n > 0 || m.messages != 900 {
			t.Fatal(n, m.messages)
		}
	})
	t.Run("many small messages on one stream", func(t *testing.T) {
		m := &mute{}
		_, feed := greeted(t, &Config{}, m)
		b := frame.AppendHeaders(nil, 1, block, frame.FlagEndHeaders)
		for range 5000 {
			b = frame.AppendData(b, 1, grpc.AppendPrefix(nil, 0), 0)
		}
		if err := feed(start, b); err != nil || m.messages != 5000 {
			t.Fatal(m.messages, err)
		}
	})
}

// One message that is larger than any window arrives whole.
func TestLargeMessage(t *testing.T) {
	const size = 20 << 20
	m := &mute{}
	c, feed := greeted(t, &Config{Limits: Limits{StreamWindowBytes: 100_000, ConnWindowBytes: 100_000}}, m)
	if err := feed(start, frame.AppendHeaders(nil, 1, requestBlock(), frame.FlagEndHeaders)); err != nil {
		t.Fatal(err)
	}
	piece := make([]byte, frame.PayloadBytesMin)
	head := grpc.AppendPrefix(nil, size)
	credit := 0
	for sent := 0; sent < size+grpc.PrefixBytes; {
		n := copy(piece, head)
		head = nil
		n = min(max(n, frame.PayloadBytesMin), size+grpc.PrefixBytes-sent)
		if err := feed(start, frame.AppendData(nil, 1, piece[:n], 0)); err != nil {
			t.Fatal(sent, err)
		}
		sent += n
		for b := drain(c); len(b) > 0; b = b[frame.HeadBytes+4:] {
			by, err := frame.ParseWindowUpdate(b[frame.HeadBytes : frame.HeadBytes+4])
			if err != nil || ParseStream(b) > 1 {
				t.Fatal(err)
			}
			if ParseStream(b) == 1 {
				credit += int(by)
			}
		}
		if ahead := sent - credit; ahead > 100_000 {
			t.Fatal("not credited", sent, credit)
		}
	}
	if m.messages != 1 || m.bytes != size || c.partial != 0 {
		t.Fatal(m, c.partial)
	}
}

// ParseStream is the stream of the frame at the front of b.
func ParseStream(b []byte) uint32 { return frame.ParseHead(b).Stream }

// CVE-2016-6581: a small block that decodes to an enormous list costs its stream only, and
// little time.
func TestHeaderBomb(t *testing.T) {
	c, feed := greeted(t, &Config{}, &mute{})
	value := make([]byte, 3900)
	for i := range value {
		value[i] = 'v'
	}
	block := hpack.AppendLiteral(nil, "bomb", string(value))
	block[0] = 0x40
	if err := feed(start, frame.AppendHeaders(nil, 1, block, frame.FlagEndHeaders)); err != nil {
		t.Fatal(err)
	}
	bomb := make([]byte, frame.PayloadBytesMin)
	for i := range bomb {
		bomb[i] = 0xbe
	}
	if err := feed(start, frame.AppendHeaders(nil, 3, bomb, frame.FlagEndHeaders)); err != nil {
		t.Fatal(err)
	}
	if c.Active() != 0 {
		t.Fatal("served")
	}
	// The table is still right.
	if err := feed(start, frame.AppendHeaders(nil, 5, append(requestBlock(), 0xbe), frame.FlagEndHeaders)); err != nil || c.Active() != 1 {
		t.Fatal(err, c.Active())
	}
}

// A frame that comes byte by byte, each byte in a block of its own, does not pin them all.
func TestDribbledFrameIsTidied(t *testing.T) {
	c, _ := greeted(t, &Config{}, &mute{})
	b := frame.AppendHeaders(nil, 1, make([]byte, 10000), frame.FlagEndHeaders)
	for i := range 5000 {
		var in pool.Chain
		in.Write(b[i : i+1])
		if err := c.Feed(start, &in); err != nil {
			t.Fatal(err)
		}
		in.Release()
		if n := len(c.in.Views()); n > pieceViewsMax+1 {
			t.Fatal(n, "views")
		}
	}
}
