package h2

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/codec/hpack"
	"rocketmq-proxy/pool"
)

// answers is every answer to a call that a connection gives by itself, as a line each.
func answers(t *testing.T, b []byte) (all []string) {
	t.Helper()
	for len(b) > 0 {
		h := frame.ParseHead(b)
		payload := b[frame.HeadBytes : frame.HeadBytes+h.Length]
		b = b[frame.HeadBytes+h.Length:]
		switch h.Kind {
		case frame.KindReset:
			code, err := frame.ParseReset(payload)
			if err != nil {
				t.Fatal(err)
			}
			if code != frame.NoError { // behind an answer, as the rest of the request is not wanted
				all = append(all, code.String())
			}
		case frame.KindHeaders:
			var d hpack.Decoder
			d.Init(hpack.NewNames("grpc-status", ":status"), hpack.Limits{ListBytesMax: 1 << 20, ListFieldsMax: 100, StringBytesMax: 1 << 20})
			d.Begin(payload)
			for d.Next() {
				if f := d.Field(); string(f.Name) == "grpc-status" || string(f.Name) == ":status" && string(f.Value) != "200" {
					all = append(all, string(f.Name)+"="+string(f.Value))
				}
			}
		}
	}
	return all
}

// listBytes is the size of a header list as the limit has it.
func listBytes(fields [][2]string) (n int) {
	for _, f := range fields {
		n += len(f[0]) + len(f[1]) + 32
	}
	return n
}

// openWith begins call i with headers beside those of requestBlock.
func openWith(i int, fields ...[2]string) []byte {
	block := requestBlock()
	for _, f := range fields {
		block = hpack.AppendLiteral(block, f[0], f[1])
	}
	return frame.AppendHeaders(nil, odd(i), block, frame.FlagEndHeaders)
}

// message is the only one of call i, with n bytes.
func message(i, n int) []byte {
	return frame.AppendData(nil, odd(i), append(grpc.AppendPrefix(nil, n), make([]byte, n)...), 0)
}

// TestStreamLimits holds each limit that costs a stream to its figure: so much is let pass, one more is
// answered and counted, and the connection goes on.
func TestStreamLimits(t *testing.T) {
	for _, test := range []struct {
		row      string
		limits   Limits
		budget   *pool.Budget
		passes   []byte
		exceeds  []byte
		answer   []string
		kind     Violation // violationsLen: none
		handlers Service   // nil: mute
	}{
		{
			row: "streams at once", limits: Limits{StreamsMax: 3},
			passes: slices.Concat(openCall(0), openCall(1), openCall(2)), exceeds: openCall(3),
			answer: []string{"REFUSED_STREAM"}, kind: RefusedStreams,
		},
		{
			row: "bytes of a header list", limits: Limits{HeaderListBytesMax: listBytes(requestFields) + 33 + 100},
			passes: openWith(0, [2]string{"x", strings.Repeat("v", 100)}), exceeds: openWith(1, [2]string{"x", strings.Repeat("v", 101)}),
			answer: []string{":status=431", "grpc-status=8"}, kind: HeaderLists,
		},
		{
			row: "fields of a header list", limits: Limits{HeaderFieldsMax: len(requestFields) + 1},
			passes: openWith(0, [2]string{"x", ""}), exceeds: openWith(1, [2]string{"x", ""}, [2]string{"y", ""}),
			answer: []string{":status=431", "grpc-status=8"}, kind: HeaderLists,
		},
		{
			row: "bytes of a message", limits: Limits{MessageBytesMax: 1000},
			passes: append(openCall(0), message(0, 1000)...), exceeds: append(openCall(1), message(1, 1001)...),
			answer: []string{"grpc-status=8"}, kind: MessageBytes,
		},
		{
			row: "bytes of an inflated message", limits: Limits{MessageBytesMax: 1000},
			passes: zippedCall(0, compressed(make([]byte, 1000))), exceeds: zippedCall(1, compressed(make([]byte, 1001))),
			answer: []string{"grpc-status=8"}, kind: MessageBytes,
		},
		{
			row: "bytes of inflated messages of all connections", budget: pool.NewBudget(4 << 10),
			passes: zippedCall(0, compressed(make([]byte, 4000))), exceeds: zippedCall(1, compressed(make([]byte, 4200))),
			answer: []string{"grpc-status=8"}, kind: RequestBudget,
		},
		{
			row: "bytes of one incomplete request", limits: Limits{RequestBytesMax: 1000},
			passes: append(openCall(0), message(0, 1000-grpc.PrefixBytes)...), exceeds: append(openCall(1), message(1, 1001-grpc.PrefixBytes)...),
			answer: []string{"grpc-status=8"}, kind: RequestBytes,
		},
		{
			row: "bytes of incomplete requests", limits: Limits{RequestBytesMax: 1000},
			passes:  slices.Concat(openCall(0), piece(0, 400), openCall(1), piece(1, 600)),
			exceeds: frame.AppendData(nil, 3, []byte("x"), 0),
			answer:  []string{"grpc-status=8"}, kind: RequestBytes,
		},
		{
			row: "bytes of incomplete requests of all connections", budget: pool.NewBudget(1000),
			passes:  slices.Concat(openCall(0), piece(0, 400), openCall(1), piece(1, 600)),
			exceeds: frame.AppendData(nil, 3, []byte("x"), 0),
			answer:  []string{"grpc-status=8"}, kind: RequestBudget,
		},
		{
			row: "window of a stream", limits: Limits{StreamWindowBytes: 1000},
			passes: append(openCall(0), message(0, 1000-grpc.PrefixBytes)...), exceeds: append(openCall(1), message(1, 1001-grpc.PrefixBytes)...),
			answer: []string{"FLOW_CONTROL_ERROR"}, kind: ProvokedReset,
		},
		{
			// Nothing leaves before the client opens its window; the first stream is not shed.
			row: "bytes that wait for a window", limits: Limits{WaitingBytesMax: 2 * (100 + grpc.PrefixBytes)},
			passes:  slices.Concat(frame.AppendSettings(nil, frame.Setting{ID: frame.SettingInitialWindowSize}), whole(0), whole(1)),
			exceeds: whole(2),
			answer:  []string{"ENHANCE_YOUR_CALM"}, kind: WaitingBacklog, handlers: &echo{reply: make([]byte, 100)},
		},
	} {
		t.Run(test.row, func(t *testing.T) {
			cfg := &Config{Limits: test.limits, Requests: test.budget, Counters: new(Counters)}
			svc := test.handlers
			if svc == nil {
				svc = &mute{}
			}
			c, feed := greeted(t, cfg, svc)
			counted := func() uint64 { return cfg.Counters.Violations[test.kind].Load() }
			if err := feed(start, test.passes); err != nil {
				t.Fatal(err)
			}
			if got := answers(t, drain(c)); len(got) > 0 || counted() != 0 {
				t.Fatalf("what is within the limit is answered %v, and counted %d times", got, counted())
			}
			open := c.Active()
			if err := feed(start, test.exceeds); err != nil {
				t.Fatal(err)
			}
			if got := answers(t, drain(c)); !slices.Equal(got, test.answer) || counted() != 1 {
				t.Fatalf("what is beyond the limit is answered %v, and counted %d times", got, counted())
			}
			if c.Active() > open || c.Err() != nil {
				t.Fatalf("%d calls are open, %d before; %v", c.Active(), open, c.Err())
			}
		})
	}
}

// piece is the first n bytes of the message of call i, which has more.
func piece(i, n int) []byte {
	return frame.AppendData(nil, odd(i), append(grpc.AppendPrefix(nil, 900), make([]byte, n-grpc.PrefixBytes)...), 0)
}

// whole is call i with an empty message.
func whole(i int) []byte {
	return frame.AppendData(openCall(i), odd(i), grpc.AppendPrefix(nil, 0), frame.FlagEndStream)
}

// TestTimeLimits holds each limit of time to its figure: up to it nothing happens, then the client is
// thrown out and counted.
func TestTimeLimits(t *testing.T) {
	for _, test := range []struct {
		row    string
		limit  time.Duration
		before time.Duration // when feed comes
		feed   []byte
		goAway frame.ErrCode // of the connection's end, unless answer says how the stream ends
		answer string
		kind   Violation
		svc    Service
	}{
		{row: "preface", limit: 10 * time.Second, goAway: frame.ProtocolError, kind: Timeouts},
		{
			row: "preface byte by byte", limit: 10 * time.Second, before: 10*time.Second - 1,
			feed: []byte(frame.Preface)[:20], goAway: frame.ProtocolError, kind: Timeouts,
		},
		{
			row: "first SETTINGS", limit: 10 * time.Second, before: 9 * time.Second,
			feed: []byte(frame.Preface), goAway: frame.ProtocolError, kind: Timeouts,
		},
		{
			row: "acknowledgment of SETTINGS", limit: 10 * time.Second,
			feed: frame.AppendSettings([]byte(frame.Preface)), goAway: frame.SettingsTimeout, kind: Timeouts,
		},
		{
			row: "header block", limit: 5 * time.Second,
			feed: append(hello(), frame.AppendHeaders(nil, 1, requestBlock(), 0)...), goAway: frame.EnhanceYourCalm, kind: Timeouts,
		},
		{
			row: "request", limit: 30 * time.Second,
			feed: append(hello(), openCall(0)...), answer: "grpc-status=4", kind: SlowRequests, svc: &echo{},
		},
		{
			// The first Tick, at which the preface was due, finds it stalled.
			row: "stalled stream", limit: min(10*time.Second, DefaultLimits().KeepaliveInterval) + 30*time.Second,
			feed:   slices.Concat(hello(), frame.AppendSettings(nil, frame.Setting{ID: frame.SettingInitialWindowSize}), whole(0)),
			answer: "CANCEL", kind: StalledStreams, svc: &echo{reply: []byte("x")},
		},
		{
			row: "silent client", limit: DefaultLimits().KeepaliveInterval + DefaultLimits().KeepaliveTimeout,
			feed: append(hello(), openCall(0)...), goAway: frame.NoError, kind: Timeouts,
		},
	} {
		t.Run(test.row, func(t *testing.T) {
			cfg := &Config{Counters: new(Counters)}
			svc := test.svc
			if svc == nil {
				svc = &mute{}
			}
			c := New(cfg, svc, start)
			t.Cleanup(func() { c.Close(nil) })
			var in pool.Chain
			in.Write(test.feed)
			if err := c.Feed(start.Add(test.before), &in); err != nil {
				t.Fatal(err)
			}
			drain(c)
			tick := func(at time.Duration) []string {
				for due := c.Due(); !due.IsZero() && due.Before(start.Add(at)); due = c.Due() {
					c.Tick(due)
				}
				c.Tick(start.Add(at))
				return answers(t, drain(c))
			}
			counted := func() uint64 { return cfg.Counters.Violations[test.kind].Load() }
			if got := tick(test.limit - 1); len(got) > 0 || c.Err() != nil || counted() != 0 {
				t.Fatalf("too early: %v, %v, counted %d times", got, c.Err(), counted())
			}
			got := tick(test.limit)
			if counted() != 1 {
				t.Fatalf("counted %d times", counted())
			}
			e, ended := errors.AsType[ConnError](c.Err())
			if test.answer != "" {
				if !slices.Equal(got, []string{test.answer}) || ended {
					t.Fatalf("%v, %v", got, c.Err())
				}
				return
			}
			if !ended || e.Code != test.goAway {
				t.Fatalf("%v", c.Err())
			}
		})
	}
}

// An idle connection is sent away, which is no violation, and is counted.
func TestIdleLimit(t *testing.T) {
	cfg := &Config{Counters: new(Counters)}
	c, _ := greeted(t, cfg, &mute{})
	noticed := c.Due() // idle since when is for a Tick to say
	c.Tick(noticed)
	limit := noticed.Add(DefaultLimits().IdleTimeout)
	c.Tick(limit.Add(-1))
	if len(drain(c)) > 0 || cfg.Counters.ConnsIdle.Load() != 0 {
		t.Fatal("too early")
	}
	for range 2 {
		c.Tick(limit)
	}
	if b := drain(c); len(b) == 0 || frame.ParseHead(b).Kind != frame.KindGoAway || c.Err() != nil || !c.Done() {
		t.Fatal("not sent away", b, c.Err())
	}
	if n := cfg.Counters.ConnsIdle.Load(); n != 1 {
		t.Fatalf("counted %d times", n)
	}
}

// A zero field is its default, each half of an allowance too.
func TestDefaultLimits(t *testing.T) {
	l := Limits{Allowances: [Violations]Allowance{PingFlood: {Burst: 7}, RapidReset: {Interval: time.Hour}}}.withDefaults()
	want := DefaultLimits()
	want.Allowances[PingFlood].Burst = 7
	want.Allowances[RapidReset].Interval = time.Hour
	if l != want {
		t.Errorf("%+v", l)
	}
	for v, a := range want.Allowances {
		if (reasons[v] != "") != (a != Allowance{}) {
			t.Errorf("%v: allowance %v, reason %q", Violation(v), a, reasons[v])
		}
		if Violation(v).String() == "" {
			t.Errorf("kind %d has no name", v)
		}
	}
}

// A configured allowance counts, not the default.
func TestAllowanceOfConfig(t *testing.T) {
	f := flood{
		passes: 1 + 3, kind: PingFlood, code: frame.EnhanceYourCalm,
		limits: Limits{Allowances: [Violations]Allowance{PingFlood: {Burst: 3, Interval: time.Minute}}},
		next:   func(int) []byte { return frame.AppendPing(nil, [8]byte{}, 0) },
	}
	f.play(t, 0)
	f.play(t, time.Minute)
}

// Connections that do nothing suspicious have no buckets, and those that do get them once.
func TestBucketsAreMadeWhenNeeded(t *testing.T) {
	c, feed := greeted(t, &Config{}, &echo{reply: []byte("x")})
	k := caller{next: 1, block: requestBlock()}
	for range 10 {
		if err := feed(start, frame.AppendPing(k.call(nil), [8]byte{}, 0)); err != nil {
			t.Fatal(err)
		}
		drain(c)
	}
	if c.buckets != nil {
		t.Fatal("an honest client has buckets")
	}
	if err := feed(start, frame.AppendPriority(nil, 7, frame.Priority{})); err != nil || c.buckets == nil {
		t.Fatal(err)
	}
	made := c.buckets
	if err := feed(start, frame.AppendPriority(nil, 7, frame.Priority{})); err != nil || c.buckets != made {
		t.Fatal(err)
	}
}

// For each DATA frame that we send there are so many more WINDOW_UPDATE frames, up to the maximum.
func TestWindowUpdatesPerData(t *testing.T) {
	l := Limits{WindowUpdatesMax: 5, WindowUpdatesPerData: 2}
	c, feed := greeted(t, &Config{Limits: l}, &echo{reply: []byte("x")})
	k := caller{next: 1, block: requestBlock()}
	update := func() error {
		err := feed(start, frame.AppendWindowUpdate(nil, 0, 1))
		drain(c)
		return err
	}
	calls := func(n int) {
		t.Helper()
		for range n {
			if err := feed(start, k.call(nil)); err != nil {
				t.Fatal(err)
			}
			drain(c)
		}
	}
	passes := func(n int) {
		t.Helper()
		for i := range n {
			if err := update(); err != nil {
				t.Fatalf("%d of %d: %v", i+1, n, err)
			}
		}
	}
	calls(10) // more than 5 are not saved up
	passes(5)
	calls(1)
	passes(2)
	e, ok := errors.AsType[ConnError](update())
	if !ok || e.Code != frame.EnhanceYourCalm {
		t.Fatal(e)
	}
}

// A byte too few makes DATA that completes nothing a dribble.
func TestDribbleBytesMax(t *testing.T) {
	cfg := &Config{Limits: Limits{DribbleBytesMax: 300}, Counters: new(Counters)}
	_, feed := greeted(t, cfg, &mute{})
	b := slices.Concat(openCall(0), frame.AppendData(nil, 1, append(grpc.AppendPrefix(nil, 1<<20), make([]byte, 300-grpc.PrefixBytes)...), 0))
	if err := feed(start, frame.AppendData(b, 1, make([]byte, 300), 0)); err != nil || cfg.Counters.Violations[DataDribble].Load() != 0 {
		t.Fatal("300 bytes are a dribble", err)
	}
	if err := feed(start, frame.AppendData(nil, 1, make([]byte, 299), 0)); err != nil || cfg.Counters.Violations[DataDribble].Load() != 1 {
		t.Fatal("299 bytes are no dribble", err)
	}
}

// The client is told the window of the connection, and may use it to the last byte. Half of it is given
// back as soon as it is used, whatever becomes of the streams, so that only a client that cannot count
// exceeds it.
func TestConnWindowBytes(t *testing.T) {
	for _, more := range []int{0, 1} {
		c := New(&Config{Limits: Limits{ConnWindowBytes: 100_000}}, &mute{}, start)
		t.Cleanup(func() { c.Close(nil) })
		told, want := drain(c), frame.AppendWindowUpdate(nil, 0, 100_000-frame.WindowInitial)
		if !slices.Equal(told[len(told)-len(want):], want) {
			t.Fatalf("told %x", told)
		}
		c.recvWindow = 100
		var in pool.Chain
		in.Write(slices.Concat(hello(), openCall(0), frame.AppendData(nil, 1, make([]byte, 100+more), 0)))
		err := c.Feed(start, &in)
		e, ended := errors.AsType[ConnError](err)
		if ended != (more > 0) || ended && e.Code != frame.FlowControlError {
			t.Fatalf("%d bytes: %v", 100+more, err)
		}
	}
}
