package session

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/turn"
)

// store is a backend that only changes invisible times, when the test says so.
type store struct {
	backend.Backend
	mu     sync.Mutex
	asked  []*backend.ChangeInvisible
	heard  []string
	group  *backend.Group
	answer func(op *backend.ChangeInvisible) // at once; nil: not yet
}

func (b *store) ChangeInvisible(op *backend.ChangeInvisible, _ time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard = append(b.heard, fmt.Sprintf("%s/%s%s@%d %v", op.Group, op.Topic, op.LiteTopic, op.Handle.Offset, op.Invisible))
	if b.answer != nil {
		b.answer(op)
		return
	}
	b.asked = append(b.asked, op)
}

func (b *store) Group([]byte, time.Time) *backend.Group { return b.group }

// clock is a renewer over a store, whose time only the test moves.
type clock struct {
	testing.TB
	*Renewer
	store *store
	now   time.Time
}

func newClock(t testing.TB, change ...func(*RenewPolicy)) *clock {
	policy := RenewPolicy{
		AttemptsMax: 3, Ahead: 10 * time.Second, TimeMax: 3 * time.Hour, Period: 5 * time.Second,
		WhenClear: time.Second, CallTimeout: 2 * time.Second, LostAfter: 4 * time.Second,
	}
	for _, c := range change {
		c(&policy)
	}
	c := &clock{TB: t, store: &store{}, now: time.UnixMilli(time.Now().UnixMilli())}
	c.Renewer = NewRenewer(policy, c.store)
	return c
}

// session is a client that is heard of now.
func (c *clock) session(id string) *Session {
	s := &Session{ID: id}
	s.Heard(c.now)
	return s
}

// onTurn does something on the renewer's turn, and waits for what it posts there.
func (c *clock) onTurn(do func()) {
	for _, f := range []func(){do, func() {}} {
		done := make(chan struct{})
		c.turn.Post(event(func() { f(); close(done) }))
		<-done
	}
}

func (c *clock) later(d time.Duration) {
	c.now = c.now.Add(d)
	c.onTurn(func() { c.Tick(c.now) })
}

func (c *clock) hears(want ...string) {
	c.Helper()
	c.onTurn(func() {})
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	slices.Sort(c.store.heard)
	if strings.Join(c.store.heard, "\n") != strings.Join(want, "\n") {
		c.Errorf("the backend heard %q, want %q", c.store.heard, want)
	}
	c.store.heard = nil
}

// home brings the oldest operation home.
func (c *clock) home(f backend.Fault, known bool) {
	c.Helper()
	c.store.mu.Lock()
	if len(c.store.asked) == 0 {
		c.store.mu.Unlock()
		c.Fatal("the backend was not asked")
	}
	op := c.store.asked[0]
	c.store.asked = c.store.asked[1:]
	c.store.mu.Unlock()
	c.onTurn(func() {
		op.Fault, op.Known = f, known
		op.NewHandle = renewed(op, c.now)
		op.Then.OnTurn(c.now)
	})
}

func renewed(op *backend.ChangeInvisible, now time.Time) []byte {
	h := op.Handle
	h.RetrieveTime, h.InvisibleTime = now.UnixMilli(), op.Invisible.Milliseconds()
	return handle.Append(nil, &h)
}

// delivery is one that began now and lasts a minute.
func (c *clock) delivery(offset int64) *backend.Delivery {
	h := handle.Handle{
		RetrieveTime: c.now.UnixMilli(), InvisibleTime: 60_000, TopicMark: handle.MarkNormal, Broker: []byte("b"),
		Offset: offset, CommitLogOffset: 7,
	}
	return &backend.Delivery{Group: []byte("g"), Topic: []byte("t"), HandleText: handle.Append(nil, &h), Handle: h}
}

func (c *clock) hold(s *Session, offsets ...int64) {
	c.Helper()
	for _, offset := range offsets {
		if !c.Hold(s, c.delivery(offset), 0) {
			c.Error("it is not held")
		}
	}
}

// taken is the handle that ends a delivery.
func (c *clock) taken(s *Session, d *backend.Delivery) string {
	c.Helper()
	e, wait := c.Take(s, d, nil, nil)
	if e == nil || wait {
		return fmt.Sprint("nothing, wait ", wait)
	}
	var newest backend.Delivery
	if !e.Delivery(&newest) {
		c.Error("it has no handle")
	}
	text := string(newest.HandleText)
	c.Free(e)
	return text
}

// TestRenewalsFollowTheSchedule until a message was held for long enough.
func TestRenewalsFollowTheSchedule(t *testing.T) {
	c := newClock(t)
	c.store.group = &backend.Group{Exists: true, Retry: backend.RetryPolicy{Next: []time.Duration{1, 2, 3 * time.Second, 4}}}
	s := c.session("client")
	c.hold(s, 5)
	c.later(49 * time.Second)
	c.hears()
	c.later(6 * time.Second)
	c.hears("g/t@5 1m0s")
	c.later(6 * time.Second)
	c.hears() // it is under way
	c.home(backend.Fault{}, true)
	begin := c.now
	for _, step := range []time.Duration{time.Minute, 3 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, time.Hour, time.Hour} {
		c.later(step - 11*time.Second)
		c.hears()
		c.later(6 * time.Second)
		next := map[time.Duration]string{
			time.Minute: "3m0s", 3 * time.Minute: "5m0s", 5 * time.Minute: "10m0s", 10 * time.Minute: "30m0s", 30 * time.Minute: "1h0m0s", time.Hour: "1h0m0s",
		}[step]
		if c.now.Sub(begin) > 3*time.Hour {
			next = "3s" // like a message that failed
		}
		c.hears("g/t@5 " + next)
		c.home(backend.Fault{}, true)
		if next == "3s" {
			break
		}
	}
	if s.Held() != 0 {
		t.Error("it is still held")
	}
}

// TestTakeKnowsTheNewestHandle by the first one.
func TestTakeKnowsTheNewestHandle(t *testing.T) {
	c := newClock(t)
	s, other := c.session("client"), c.session("other")
	first := c.delivery(5)
	c.hold(s, 5, 6)
	c.later(55 * time.Second)
	c.hears("g/t@5 1m0s", "g/t@6 1m0s")
	c.home(backend.Fault{}, true)
	c.home(backend.Fault{}, true)
	want := renewed(&backend.ChangeInvisible{Delivery: *first, Invisible: time.Minute}, c.now)
	for _, d := range []func(d *backend.Delivery){
		func(d *backend.Delivery) { d.Group = []byte("h") }, func(d *backend.Delivery) { d.Topic = []byte("u") },
		func(d *backend.Delivery) { d.LiteTopic = []byte("l") }, func(d *backend.Delivery) { d.Handle.Broker = []byte("c") },
		func(d *backend.Delivery) { d.Handle.QueueID = 1 }, func(d *backend.Delivery) { d.Handle.Offset = 7 },
		func(d *backend.Delivery) { d.Handle.TopicMark = handle.MarkRetryV1 },
	} {
		changed := *first
		d(&changed)
		if got := c.taken(s, &changed); got != "nothing, wait false" {
			t.Errorf("%+v: %s", changed, got)
		}
	}
	if got := c.taken(other, first); got != "nothing, wait false" {
		t.Error(got)
	}
	if got := c.taken(s, first); got != string(want) {
		t.Errorf("%s, want %s", got, want)
	}
	if got := c.taken(s, first); got != "nothing, wait false" || s.Held() != 1 {
		t.Error(got)
	}
	c.later(time.Hour) // the other one is over
	c.hears()
	if s.Held() != 0 {
		t.Error("what is over is still held")
	}
}

// TestTakeWaitsForARenewal that is under way: the handle is about to change.
func TestTakeWaitsForARenewal(t *testing.T) {
	for _, known := range []bool{true, false} {
		c := newClock(t)
		s := c.session("client")
		first := c.delivery(5)
		c.hold(s, 5)
		c.later(55 * time.Second)
		ran := make(chan struct{})
		e, wait := c.Take(s, first, turn.New(owner{}), event(func() { close(ran) }))
		if e == nil || !wait {
			t.Fatal("it does not wait")
		}
		if got := c.taken(s, first); got != "nothing, wait false" {
			t.Errorf("a second one: %s", got)
		}
		c.hears("g/t@5 1m0s")
		c.home(backend.Fault{}, known)
		<-ran
		var d backend.Delivery
		e.Delivery(&d)
		if want := string(first.HandleText); known == (string(d.HandleText) == want) {
			t.Errorf("known %v: %s, first %s", known, d.HandleText, want)
		}
		if s.Held() != 0 {
			t.Error("it is still held")
		}
		c.Restore(e) // its end failed
		if got := c.taken(s, first); got != string(d.HandleText) {
			t.Errorf("restored: %s", got)
		}
	}
}

// TestRenewalsFail: some are tried again, some are in vain.
func TestRenewalsFail(t *testing.T) {
	for _, f := range []backend.Fault{{}, {Kind: backend.BadHandle}} {
		c := newClock(t)
		s := c.session("client")
		c.hold(s, 5)
		c.later(55 * time.Second)
		c.hears("g/t@5 1m0s")
		c.home(f, false) // not known
		if s.Held() != 0 {
			t.Errorf("%v: it is still held", f)
		}
	}
	c := newClock(t, func(p *RenewPolicy) { p.Ahead = 40 * time.Second })
	s := c.session("client")
	c.hold(s, 5)
	c.later(20 * time.Second)
	for range 3 {
		c.hears("g/t@5 1m0s")
		c.home(backend.Fault{Kind: backend.Timeout}, false)
		c.later(6 * time.Second)
	}
	c.hears()
	if s.Held() != 0 {
		t.Error("it was tried often enough")
	}
}

// TestClear hands back at once, also what is being renewed, and takes nothing more.
func TestClear(t *testing.T) {
	c := newClock(t)
	s := c.session("client")
	c.hold(s, 5)
	c.later(55 * time.Second)
	c.hears("g/t@5 1m0s")
	c.hold(s, 6)
	late := c.delivery(7)
	c.hold(s, 7)
	taken, _ := c.Take(s, late, nil, nil)
	c.Clear(s)
	c.hears("g/t@6 1s")
	c.home(backend.Fault{}, true)
	c.hears("g/t@5 1s")
	c.Restore(taken)
	c.hears("g/t@7 1s")
	if c.Hold(s, c.delivery(8), 0) || s.Held() != 0 {
		t.Error("held for nobody")
	}
	for range 3 {
		c.home(backend.Fault{Kind: backend.Timeout}, false)
	}
	c.later(time.Hour)
	c.hears()
}

// TestSilence hands back what is held for a client that is not heard of, until it is again.
func TestSilence(t *testing.T) {
	c := newClock(t, func(p *RenewPolicy) { p.Expiry = 30 * time.Second })
	s := c.session("client")
	c.hold(s, 5)
	c.later(29 * time.Second)
	c.hears()
	c.later(6 * time.Second)
	c.hears("g/t@5 1s")
	c.home(backend.Fault{}, true)
	s.Heard(c.now)
	c.hold(s, 6)
	c.later(29 * time.Second)
	c.hears()
}

// TestLost hands back what is held for a client whose stream broke, unless it is heard of.
func TestLost(t *testing.T) {
	c := newClock(t)
	for name, lives := range map[string]func(s *Session){
		"dead": nil, "calls": func(s *Session) { s.Heard(c.now) }, "opens a stream": func(s *Session) { s.Bind("stream") },
	} {
		s := c.session(name)
		c.hold(s, 5)
		c.Lost(s, c.now)
		c.later(2 * time.Second)
		if lives != nil {
			lives(s)
		}
		c.later(2*time.Second - time.Millisecond)
		c.hears()
		c.later(time.Millisecond)
		if lives == nil {
			c.hears("g/t@5 1s")
			c.home(backend.Fault{}, true)
			c.hold(s, 6) // it is back after all
		}
		if c.hears(); s.Held() != 1 {
			t.Errorf("%s: %d are held", name, s.Held())
		}
	}
	none := c.session("holds nothing")
	c.Lost(none, c.now)
	c.later(time.Hour)
}

// TestLostInARenewal: what is being renewed when its client is given up is handed back after.
func TestLostInARenewal(t *testing.T) {
	c := newClock(t, func(p *RenewPolicy) { p.Period = time.Second })
	s := c.session("client")
	c.hold(s, 5)
	c.later(48 * time.Second)
	c.Lost(s, c.now)
	c.later(3 * time.Second)
	c.hears("g/t@5 1m0s")
	c.later(2 * time.Second)
	c.hears()
	c.home(backend.Fault{}, true)
	c.later(4 * time.Second)
	c.hears("g/t@5 1s")
	c.home(backend.Fault{}, true)
	if s.Held() != 0 || len(c.lost) > 0 {
		t.Errorf("%d are held, %d clients are lost", s.Held(), len(c.lost))
	}
}

// TestDrain hands everything back and tells when that is done.
func TestDrain(t *testing.T) {
	c := newClock(t)
	a, b := c.session("a"), c.session("b")
	c.hold(a, 5)
	c.hold(b, 6)
	done := c.Drain()
	c.hears("g/t@5 1s", "g/t@6 1s")
	c.home(backend.Fault{}, true)
	select {
	case <-done:
		t.Error("one is still under way")
	default:
	}
	c.home(backend.Fault{Kind: backend.Timeout}, false)
	<-done
	if c.Hold(a, c.delivery(7), 0) {
		t.Error("held after the end")
	}
	c.Hold(c.session("new"), c.delivery(8), 0)
	c.hears("g/t@8 1s")
	<-newClock(t).Drain()
}

// TestRenewalsAreSpread: the clients' turns are all over the period, and a client with very
// much to renew does not do it at once.
func TestRenewalsAreSpread(t *testing.T) {
	const clients = 2000
	c := newClock(t)
	c.store.answer = func(op *backend.ChangeInvisible) {
		op.Known = true
		op.NewHandle = renewed(op, c.now)
		op.End(backend.Fault{})
	}
	begin := c.now
	for i := range clients {
		c.hold(c.session(fmt.Sprint("client-", i)), 5)
	}
	c.later(50 * time.Second) // what is due before is looked at once, all of it
	c.store.mu.Lock()
	c.store.heard = nil
	c.store.mu.Unlock()
	c.now = begin
	for i := range clients {
		c.hold(c.session(fmt.Sprint("second-", i)), 5)
	}
	c.now = begin.Add(50 * time.Second)
	var most int
	for range 50 {
		c.later(100 * time.Millisecond)
		c.onTurn(func() {})
		c.store.mu.Lock()
		most = max(most, len(c.store.heard))
		c.store.heard = nil
		c.store.mu.Unlock()
	}
	if most > 2*clients/50 {
		t.Errorf("%d renewals in one of 50 slots, the average is %d", most, clients/50)
	}

	c = newClock(t)
	s := c.session("client")
	for i := range int64(2*renewBatchMax + 1) {
		c.hold(s, i)
	}
	c.later(50 * time.Second)
	for i := range 4 {
		c.onTurn(func() {})
		if n := len(c.store.asked); n > (i+1)*renewBatchMax*len(c.slots) {
			t.Errorf("%d at once", n)
		}
		c.later(200 * time.Millisecond)
	}
	if n := len(c.store.asked); n != 2*renewBatchMax+1 {
		t.Errorf("%d were renewed", n)
	}
}

// TestHeldIsBounded: one client cannot make us remember any number of deliveries.
func TestHeldIsBounded(t *testing.T) {
	c := newClock(t)
	s := c.session("client")
	for i := range int64(heldMax + 10) {
		c.hold(s, i)
	}
	if s.Held() != heldMax {
		t.Errorf("%d are held", s.Held())
	}
	d := c.delivery(0)
	for i := range int64(heldMax) {
		d.Handle.Offset = i
		if e, _ := c.Take(s, d, nil, nil); e != nil {
			c.Free(e)
		}
	}
	if s.Held() != 0 || s.held.all != nil || s.held.byHash != nil {
		t.Errorf("%d are left", s.Held())
	}
}

// holdWalk holds a batch and takes all of it back.
func holdWalk(tb testing.TB) func() {
	c := newClock(tb)
	s := c.session("client")
	var all []*backend.Delivery
	for i := range int64(32) {
		all = append(all, c.delivery(i))
	}
	return func() {
		for _, d := range all {
			c.Hold(s, d, 0)
		}
		for _, d := range all {
			e, _ := c.Take(s, d, nil, nil)
			c.Free(e)
		}
	}
}

// TestHoldingAllocatesNothing in steady state.
func TestHoldingAllocatesNothing(t *testing.T) {
	if got := testing.AllocsPerRun(100, holdWalk(t)); got > 1 {
		t.Errorf("%v allocations", got)
	}
}

// BenchmarkHolding is a batch of 32 that is held and acknowledged.
func BenchmarkHolding(b *testing.B) {
	walk := holdWalk(b)
	b.ReportAllocs()
	for b.Loop() {
		walk()
	}
}

// TestManyTurnsHoldAndTake at once, while the renewer renews and clients go. For -race.
func TestManyTurnsHoldAndTake(t *testing.T) {
	c := newClock(t, func(p *RenewPolicy) { p.Ahead = time.Hour; p.Period = 100 * time.Millisecond })
	c.store.answer = func(op *backend.ChangeInvisible) {
		op.Known = true
		op.NewHandle = renewed(op, time.Now())
		op.End(backend.Fault{})
	}
	sessions := []*Session{c.session("a"), c.session("b")}
	now := c.now
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			home := turn.New(owner{})
			for i := range int64(200) {
				s := sessions[i%2]
				d := (&clock{now: now}).delivery(i%16 + int64(worker)*100)
				c.Hold(s, d, 0)
				if i%8 == 0 {
					c.turn.Post(event(func() { c.Tick(time.Now().Add(time.Duration(i) * time.Second)) }))
				}
				done := make(chan struct{})
				e, wait := c.Take(s, d, home, event(func() { close(done) }))
				if wait {
					<-done
				}
				if e != nil && i%3 == 0 {
					c.Restore(e)
				} else if e != nil {
					c.Free(e)
				}
				if i == 150 {
					c.Clear(sessions[0])
				}
			}
		})
	}
	wg.Wait()
	<-c.Drain()
	for _, s := range sessions {
		if s.Held() != 0 {
			t.Errorf("%s: %d are left", s.ID, s.Held())
		}
	}
}
