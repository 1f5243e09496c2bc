package remoting

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/pool"
)

func newTestConn(limits Limits) *Conn {
	return NewConn(&Config{Addr: "broker:10911", Limits: limits, Counters: new(Counters)}, epoch)
}

// A body is handed on as the views it came in: not a byte of it is copied (design, data path).
func TestBodyIsMovedNotCopied(t *testing.T) {
	checkNoLeak(t)
	c := newTestConn(Limits{})
	var kept pool.Chain
	r := newRequest(time.Second)
	r.onEnd = func(reply *Reply, err error) { kept.AppendChain(&reply.Body) }
	c.Call(epoch, &r.Call)

	frame := appendFrame(nil, 0, 0, command.FlagResponse, "remark", []byte("a body of some length"))
	block := pool.Get(len(frame))
	bodyAt := len(frame) - 21
	copy(block.Bytes(), frame)
	var in pool.Chain
	in.Append(pool.ViewOf(block, 0, len(frame)))
	if err := c.Feed(epoch, &in); err != nil {
		t.Fatal(err)
	}
	if kept.Len() != 21 || &kept.Views()[0].Bytes()[0] != &block.Bytes()[bodyAt] {
		t.Fatal("the body is not a view of the block it came in")
	}
	c.Close(nil)
	if string(kept.AppendTo(nil)) != "a body of some length" {
		t.Fatal("the body did not outlive its connection")
	}
	kept.Release()
}

// F9: the numbers wrap at 2^31 and never meet one that is still in use. A thousand calls stay
// in flight for as long as they can while a million others pass.
func TestOpaqueWrap(t *testing.T) {
	calls := 1_000_000
	if testing.Short() {
		calls = 50_000
	}
	var table opaques
	table.next = math.MaxInt32 - 10
	live := map[int32]*Call{}
	rng := rand.New(rand.NewPCG(9, 9))
	longest := make([]*Call, 1000)
	for i := range calls {
		slot := rng.IntN(len(longest))
		if old := longest[slot]; old != nil && rng.IntN(4) > 0 {
			if table.take(old.opaque) != old || table.take(old.opaque) != nil {
				t.Fatalf("call %d: opaque %d does not lead to its call, once", i, old.opaque)
			}
			delete(live, old.opaque)
			longest[slot] = nil
			continue
		}
		call := new(Call)
		table.add(call)
		if call.opaque < 0 || live[call.opaque] != nil {
			t.Fatalf("call %d: opaque %d is negative or in use", i, call.opaque)
		}
		live[call.opaque] = call
		if longest[slot] != nil { // the old one stays live for ever, up to a point
			if len(live) > 5000 {
				delete(live, longest[slot].opaque)
				table.take(longest[slot].opaque)
			}
		}
		longest[slot] = call
		if table.live != len(live) {
			t.Fatalf("%d live, want %d", table.live, len(live))
		}
	}
	if len(table.slots) > 16_384 {
		t.Fatalf("the table grew to %d slots", len(table.slots))
	}
}

// A oneway's number is never one that a call waits on.
func TestOnewayNumberIsFree(t *testing.T) {
	var table opaques
	table.skip()
	call := new(Call)
	table.add(call)
	for range 1000 {
		table.next = call.opaque
		if table.skip() == call.opaque {
			t.Fatal("a oneway got the number of a call in flight")
		}
	}
}

// Whatever a Done does on its connection, every call ends once.
func TestDoneMayCallAndClose(t *testing.T) {
	checkNoLeak(t)
	c := newTestConn(Limits{})
	second, third, fourth := newRequest(time.Hour), newRequest(time.Hour), newRequest(time.Hour)
	first := newRequest(time.Hour)
	first.onEnd = func(*Reply, error) {
		c.Call(epoch, &second.Call)
		c.Call(epoch, &third.Call)
	}
	third.onEnd = func(*Reply, error) { c.Call(epoch, &fourth.Call) }
	second.onEnd = func(*Reply, error) { c.Close(errors.New("enough")) }
	c.Call(epoch, &first.Call)
	answers := appendAnswer(appendAnswer(appendAnswer(nil, 0, 0), 0, 1), 0, 2)
	drain(c)
	if err := feed(c, epoch, answers); err == nil {
		t.Fatal("Feed does not tell that the connection ended")
	}
	if first.err != nil || second.err != nil {
		t.Fatal(first.err, second.err)
	}
	wantKind(t, third, ConnectionLost, false)
	wantKind(t, fourth, ConnectionLost, false)
	if c.Inflight() != 0 {
		t.Fatal("calls left in flight")
	}
}

// A call may be used again from its own Done.
func TestCallIsFreeInDone(t *testing.T) {
	c := newTestConn(Limits{})
	r := newRequest(time.Hour)
	r.onEnd = func(*Reply, error) {
		if r.ends < 10 {
			c.Call(epoch, &r.Call)
		}
	}
	c.Call(epoch, &r.Call)
	for i := range int32(10) {
		if err := feed(c, epoch, appendAnswer(nil, 0, i)); err != nil {
			t.Fatal(err)
		}
	}
	if r.ends != 10 || c.Inflight() != 0 {
		t.Fatalf("ended %d times, %d in flight", r.ends, c.Inflight())
	}
	drain(c)
	c.Close(nil)
}

// A frame beyond what peers take is refused, and the frames around it go out unharmed.
func TestFrameTooLong(t *testing.T) {
	checkNoLeak(t)
	c := newTestConn(Limits{})
	small, long, after := newRequest(time.Second), newRequest(time.Second), newRequest(time.Second)
	long.body = make([]byte, command.FrameBytesMax)
	c.Call(epoch, &small.Call)
	c.Call(epoch, &long.Call)
	wantKind(t, long, Encode, false)
	c.Call(epoch, &after.Call)
	want := appendFrame(appendFrame(nil, 310, 0, 0, "", nil), 310, 2, 0, "", nil)
	if got := drain(c); string(got) != string(want) {
		t.Fatalf("drained %x\nwant    %x", got, want)
	}
	c.Close(nil)
}

// Due is never later than the earliest deadline, and Tick ends
// calls no more than sweepGrain late.
func TestTimeoutsAreNeverLate(t *testing.T) {
	c := newTestConn(Limits{})
	rng := rand.New(rand.NewPCG(1, 2))
	open := map[*testRequest]bool{}
	now := epoch
	for range 5000 {
		r := newRequest(now.Sub(epoch) + time.Duration(1+rng.IntN(500))*time.Millisecond)
		open[r] = true
		r.onEnd = func(*Reply, error) {
			if late := now.Sub(r.Deadline); late < 0 || late > sweepGrain {
				t.Fatalf("ended %v after its deadline", late)
			}
			delete(open, r)
		}
		c.Call(now, &r.Call)
		next := now.Add(time.Duration(rng.IntN(1000)) * time.Microsecond)
		for due := c.Due(); !due.IsZero() && !due.After(next); due = c.Due() {
			now = later(now, due)
			c.Tick(now)
		}
		now = next
	}
	for now = c.Due(); !now.IsZero(); now = c.Due() {
		c.Tick(now)
	}
	if len(open) != 0 || c.Inflight() != 0 {
		t.Fatalf("%d calls never ended", len(open))
	}
	drain(c)
	c.Close(nil)
}

func TestCounters(t *testing.T) {
	c := newTestConn(Limits{InflightMax: 2})
	a, b, refused, one := newRequest(time.Second), newRequest(2*time.Second), newRequest(time.Second), newRequest(time.Second)
	one.Oneway = true
	for _, r := range []*testRequest{a, b, refused, one} {
		c.Call(epoch, &r.Call)
	}
	sent := len(drain(c))
	frames := appendFrame(appendAnswer(appendAnswer(nil, 0, 0), 0, 0), 40, 0, command.FlagOneway, "", nil)
	if err := feed(c, epoch, frames); err != nil {
		t.Fatal(err)
	}
	n := c.counters
	if n.Inflight.Load() != 1 {
		t.Fatal("in flight", n.Inflight.Load())
	}
	held := newRequest(time.Second)
	held.Lapses = true
	c.Call(epoch, &held.Call)
	sent += len(drain(c))
	c.Tick(epoch.Add(2 * time.Second))
	for what, got := range map[string][2]int64{
		"calls": {n.Calls.Load(), 4}, "oneways": {n.Oneways.Load(), 1}, "answers": {n.Answers.Load(), 1},
		"timeouts": {n.Timeouts.Load(), 1}, "lapses": {n.Lapses.Load(), 1}, "refused": {n.Refused.Load(), 1}, "unclaimed": {n.Unclaimed.Load(), 1},
		"requests": {n.Requests.Load(), 1}, "ignored": {n.RequestsIgnored.Load(), 1},
		"in flight": {n.Inflight.Load(), 0}, "bytes in": {n.BytesIn.Load(), int64(len(frames))},
		"bytes out": {n.BytesOut.Load(), int64(sent)},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %d, want %d", what, got[0], got[1])
		}
	}
}
