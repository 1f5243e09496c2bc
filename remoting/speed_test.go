package remoting

import (
	"testing"
	"time"

	"rocketmq-proxy/pool"
)

// benchPeer answers what a connection sends, in memory and without allocating.
type benchPeer struct {
	conn  machine
	calls []testRequest
	block []byte
	in    pool.Chain
	out   pool.Chain
}

func newBenchPeer(m machine, batch int) *benchPeer {
	p := &benchPeer{conn: m, calls: make([]testRequest, batch)}
	for i := range p.calls {
		r := &p.calls[i]
		r.Request, r.code = r, 310
	}
	return p
}

// round makes a batch of calls, drains them together and feeds all answers together.
func (p *benchPeer) round(now time.Time) {
	for i := range p.calls {
		p.calls[i].Deadline = now.Add(3 * time.Second)
		p.conn.Call(now, &p.calls[i].Call)
	}
	p.conn.Drain(&p.out)
	p.out.Discard(p.out.Len())
	p.block = p.block[:0]
	for i := range p.calls {
		p.block = appendAnswer(p.block, 0, p.calls[i].opaque)
	}
	p.in.Write(p.block)
	if err := p.conn.Feed(now, &p.in); err != nil {
		panic(err)
	}
}

// A call, from Call to Done, costs no allocation.
func TestCallAllocatesNothing(t *testing.T) {
	if pool.Invariants {
		t.Skip("the invariants build is not about speed")
	}
	for _, batch := range []int{1, 64} {
		for _, m := range []machine{newTestConn(Limits{}), newUpLane()} {
			p := newBenchPeer(m, batch)
			for range 10 {
				p.round(epoch)
			}
			if n := testing.AllocsPerRun(1000, func() { p.round(epoch) }); n > 0 {
				t.Errorf("%T, batch of %d: %v allocations", m, batch, n)
			}
			if p.calls[0].ends == 0 || m.Inflight() != 0 {
				t.Error("calls were not answered")
			}
		}
	}
}

// The table of opaques and a tick before anything is due cost no allocation either, however many long polls stay.
func TestWalksAmongLongPollsAllocateNothing(t *testing.T) {
	if pool.Invariants {
		t.Skip("the invariants build is not about speed")
	}
	c, later := newTestConn(Limits{}), 0
	for range 1000 {
		c.Call(epoch, &newRequest(time.Hour).Call)
		drain(c)
	}
	var table opaques
	for range 1000 {
		table.add(new(Call))
	}
	call := new(Call)
	for name, walk := range map[string]func(){
		"opaques": func() {
			table.add(call)
			table.take(call.opaque)
		},
		"Tick": func() {
			later++
			c.Tick(epoch.Add(time.Duration(later) * time.Millisecond))
		},
		"Tick that looks at all": func() {
			c.due = epoch
			c.Tick(epoch)
		},
	} {
		walk()
		if n := testing.AllocsPerRun(1000, walk); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// newUpLane returns a lane that is connected.
func newUpLane() *Lane {
	lane := NewLane(LaneConfig{Dial: func() {}, Hangup: func() {}})
	lane.Call(epoch, &newRequest(time.Hour).Call)
	lane.Connected(epoch)
	drain(lane)
	if err := feed(lane, epoch, appendAnswer(nil, 0, 0)); err != nil {
		panic(err)
	}
	return lane
}

func benchmarkRound(b *testing.B, batch int) {
	p := newBenchPeer(newTestConn(Limits{}), batch)
	b.ReportAllocs()
	for n := 0; n < b.N; n += batch {
		p.round(epoch)
	}
}

// One op is one call: Call, Drain, Feed of the answer (ROCKETMQ head without ext), Done, and
// the making of both frames.
func BenchmarkCallAlone(b *testing.B)    { benchmarkRound(b, 1) }
func BenchmarkCallBatch64(b *testing.B)  { benchmarkRound(b, 64) }
func BenchmarkCallBatch512(b *testing.B) { benchmarkRound(b, 512) }

// What the two frames alone cost, to be subtracted.
func BenchmarkFramesOnly(b *testing.B) {
	var block []byte
	b.ReportAllocs()
	for b.Loop() {
		block = appendAnswer(appendFrame(block[:0], 310, 1, 0, "", nil), 0, 1)
	}
	_ = block
}

// A table where ten thousand long polls stay while sends come and go.
func BenchmarkOpaquesAmongLongPolls(b *testing.B) {
	var table opaques
	for range 10_000 {
		table.add(new(Call))
	}
	call := new(Call)
	b.ReportAllocs()
	for b.Loop() {
		table.add(call)
		table.take(call.opaque)
	}
}

func BenchmarkTickOverTenThousand(b *testing.B) {
	c := newTestConn(Limits{})
	for range 10_000 {
		c.Call(epoch, &newRequest(time.Hour).Call)
		drain(c)
	}
	b.ReportAllocs()
	for b.Loop() {
		c.due = epoch
		c.Tick(epoch)
	}
}
