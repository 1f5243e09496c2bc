package h2

import (
	"errors"
	"testing"
	"time"

	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/codec/hpack"
	"rocketmq-proxy/pool"
)

// mute opens every call and answers none.
type mute struct{ canceled, messages, bytes int }

func (m *mute) Open(*Stream) (Handler, grpc.Status) { return m, grpc.Status{} }
func (m *mute) ClientStreams() bool                 { return true }
func (m *mute) Message(_ *Stream, msg *pool.Chain)  { m.messages++; m.bytes += msg.Len() }
func (m *mute) HalfClosed(*Stream)                  {}
func (m *mute) Canceled(*Stream, error)             { m.canceled++ }

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

// flood feeds what next makes, until the connection ends or n were fed, one a millisecond.
func flood(t testing.TB, cfg *Config, n int, next func(i int) []byte) (fed int, err error) {
	c, feed := greeted(t, cfg, &mute{})
	for i := range n {
		if err = feed(start.Add(time.Duration(i)*time.Millisecond), next(i)); err != nil {
			return i, err
		}
		drain(c)
	}
	return n, nil
}

// Each flood must end with ENHANCE_YOUR_CALM, after its allowance and long before its end.
func TestFloods(t *testing.T) {
	block := requestBlock()
	open := func(i int) []byte { return frame.AppendHeaders(nil, uint32(2*i+1), block, frame.FlagEndHeaders) }
	for _, c := range []struct {
		name     string
		kind     Violation
		min, max int
		limits   Limits
		next     func(i int) []byte
	}{
		{"rapid reset", RapidReset, 200, 260, Limits{}, func(i int) []byte {
			return frame.AppendReset(open(i), uint32(2*i+1), frame.Cancel)
		}},
		{"provoked reset by WINDOW_UPDATE 0", ProvokedReset, 100, 130, Limits{}, func(i int) []byte {
			return frame.AppendWindowUpdate(open(i), uint32(2*i+1), 0)
		}},
		{"provoked reset by DATA after the end", ProvokedReset, 100, 130, Limits{}, func(i int) []byte {
			b := frame.AppendHeaders(nil, uint32(2*i+1), block, frame.FlagEndHeaders|frame.FlagEndStream)
			return frame.AppendData(b, uint32(2*i+1), []byte("x"), 0)
		}},
		{"PING", PingFlood, 30, 50, Limits{}, func(int) []byte { return frame.AppendPing(nil, [8]byte{}, 0) }},
		{"SETTINGS", SettingsFlood, 19, 30, Limits{}, func(int) []byte { return frame.AppendSettings(nil) }},
		{"PRIORITY", PriorityFlood, 1000, 1200, Limits{}, func(int) []byte {
			return frame.AppendPriority(nil, 7, frame.Priority{})
		}},
		{"empty DATA", EmptyData, 100, 130, Limits{}, func(i int) []byte {
			return frame.AppendData(open(i), uint32(2*i+1), nil, 0)
		}},
		{"DATA byte by byte", DataDribble, 1000, 1300, Limits{}, func(i int) []byte {
			if i == 0 {
				return frame.AppendData(open(0), 1, grpc.AppendPrefix(nil, 1<<20), 0)
			}
			return frame.AppendData(nil, 1, []byte("x"), 0)
		}},
		{"WINDOW_UPDATE", WindowFlood, 10000, 10001, Limits{}, func(int) []byte {
			return frame.AppendWindowUpdate(nil, 0, 1)
		}},
		{"unknown frames", UnknownFlood, 1000, 1200, Limits{}, func(int) []byte {
			return frame.AppendHead(nil, frame.Head{Kind: 99})
		}},
		{"GOAWAY", UnknownFlood, 1000, 1200, Limits{}, func(int) []byte {
			return frame.AppendGoAway(nil, 0, frame.NoError, "")
		}},
		{"header lists that are too long", HeaderLists, 20, 30, Limits{HeaderFieldsMax: 3}, open},
		{"refused streams", RefusedStreams, 200, 240, Limits{StreamsMax: 1}, open},
		{"long header block", Continuations, 0, 1, Limits{HeaderListBytesMax: 8000}, func(i int) []byte {
			b := frame.AppendHeaders(nil, 1, make([]byte, 8000), 0)
			return frame.AppendContinuation(b, 1, make([]byte, 8001), 0)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := &Config{Limits: c.limits, Counters: new(Counters)}
			fed, err := flood(t, cfg, 20000, c.next)
			var e ConnError
			if !errors.As(err, &e) || e.Code != frame.EnhanceYourCalm || fed < c.min || fed > c.max {
				t.Fatalf("ended after %d: %v", fed, err)
			}
			if cfg.Counters.Violations[c.kind].Load() == 0 || c.kind.String() == "" {
				t.Fatal("not counted")
			}
		})
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
