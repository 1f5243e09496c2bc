package h2

import (
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/pool"
)

func TestIDTable(t *testing.T) {
	var table idTable
	model := map[uint32]uint32{}
	rng := rand.New(rand.NewPCG(5, 6))
	for range 30_000 {
		id := uint32(rng.IntN(2000))*2 + 1
		if _, ok := model[id]; ok && rng.IntN(2) == 0 {
			table.remove(id)
			delete(model, id)
		} else if !ok && len(model) < 300 {
			slot := rng.Uint32N(1000)
			table.put(id, slot)
			model[id] = slot
		}
		want, wantOK := model[id]
		if slot, ok := table.get(id); ok != wantOK || slot != want || table.count != len(model) {
			t.Fatal(id, slot, ok, want, wantOK)
		}
	}
	table.remove(999_999) // is not there
	for id, want := range model {
		if slot, ok := table.get(id); !ok || slot != want {
			t.Fatal(id)
		}
	}
}

func TestClosedStreams(t *testing.T) {
	var r closedStreams
	r.add(5000, resetByUs)
	for id := uint32(1); id <= 1000; id++ {
		r.add(id, resetByPeer)
		if id > closedMax && (r.how(id-closedMax) != forgotten || r.how(id-closedMax+1) != resetByPeer) {
			t.Fatal(id)
		}
	}
	r.add(7, resetByPeer)
	r.add(7, resetByUs)
	if r.how(7) != resetByUs {
		t.Fatal("not the newest")
	}
	if r.how(5000) != resetByUs {
		t.Fatal("pushed out")
	}
}

func TestBucket(t *testing.T) {
	a := Allowance{Burst: 3, Interval: time.Second}
	var b bucket
	now := time.Duration(0)
	take := func(want bool) {
		t.Helper()
		if b.take(a, now) != want {
			t.Fatal(now)
		}
	}
	take(true)
	take(true)
	take(true)
	take(false)
	now += time.Second
	take(true)
	take(false)
	now += time.Hour
	take(true)
	take(true)
	take(true)
	take(false)
}

// A key outlives its stream, and must not find the next one in the slot.
func TestKeys(t *testing.T) {
	c, feed := greeted(t, &Config{}, &mute{})
	k := caller{next: 1, block: requestBlock()}
	seen := map[Key]bool{0: true}
	for range 100 {
		if err := feed(start, k.call(nil)); err != nil {
			t.Fatal(err)
		}
		s := c.streams.find(k.next - 2)
		key := s.Key()
		if seen[key] || c.Stream(key) != s {
			t.Fatal(key)
		}
		seen[key] = true
		s.Reply(nil)
		if c.Stream(key) != nil || len(c.streams.slots) != 1 {
			t.Fatal("found though it is gone")
		}
	}
	if c.Stream(0) != nil || c.Stream(Key(99)<<32|1) != nil {
		t.Fatal("nobody's key found somebody")
	}
}

// Slots of calls that have ended are given up some time after the last call, and those of open calls
// are not. Who calls again then gets new ones.
func TestSlotsAreTrimmed(t *testing.T) {
	c, feed := greeted(t, &Config{}, &mute{})
	k := caller{next: 1, block: requestBlock()}
	call := func(now time.Time) Key {
		t.Helper()
		if err := feed(now, k.call(nil)); err != nil {
			t.Fatal(err)
		}
		return c.streams.find(k.next - 2).Key()
	}
	kept := func() (n int) {
		for _, s := range c.streams.slots {
			if s != nil {
				n++
			}
		}
		return n
	}
	stays, first, second := call(start), call(start), call(start)
	for _, key := range []Key{first, second} {
		c.Stream(key).Reply(nil)
	}
	last := start.Add(slotsKeptFor - 1)
	c.Stream(call(last)).Reply(nil)
	c.Tick(start.Add(slotsKeptFor))
	if kept() != 3 {
		t.Fatalf("%d slots, though there was a call a moment ago", kept())
	}
	if due := c.Due(); due.After(last.Add(slotsKeptFor)) {
		t.Fatalf("nobody will look before %v", due.Sub(start))
	}
	c.Tick(last.Add(slotsKeptFor))
	if kept() != 1 || c.Stream(stays) == nil || c.Stream(first) != nil {
		t.Fatalf("%d slots are left of one open call", kept())
	}
	again := call(last.Add(2 * slotsKeptFor))
	if again == first || again == second || c.Stream(again) == nil {
		t.Fatal("a key came again")
	}
	c.Stream(again).Reply(nil)
	c.Stream(stays).Reply(nil)
	c.Tick(last.Add(4 * slotsKeptFor))
	if len(c.streams.slots) != 0 || c.Stream(again) != nil {
		t.Fatalf("%d slots are left of no call", len(c.streams.slots))
	}
	c.Stream(call(last.Add(5 * slotsKeptFor))).Reply(nil)
}

// Room for answers is kept while calls are open that want one soon, and given up when only those are left
// on which little is said, or when nothing has been called for some time.
func TestRoomIsGivenUp(t *testing.T) {
	if !pool.Invariants {
		t.Skip("blocks are counted with -tags invariants")
	}
	for _, lasting := range []bool{true, false} {
		c, feed := greeted(t, &Config{}, &waiter{lasting: lasting})
		idle := pool.Live()
		k := caller{next: 1, block: requestBlock()}
		if err := feed(start, k.call(nil)); err != nil {
			t.Fatal(err)
		}
		s := c.streams.find(k.next - 2)
		s.SendHeaders()
		drain(c)
		kept := pool.Live() - idle
		c.Tick(start.Add(slotsKeptFor))
		if left := pool.Live() - idle; lasting && kept != 0 || !lasting && kept != 1 || left != 0 {
			t.Errorf("a call that lasts: %v; %d blocks are kept, and %d after a while", lasting, kept, left)
		}
	}
}

// waiter never ends a call.
type waiter struct {
	mute
	lasting bool
}

func (s *waiter) Open(*Stream) (Handler, grpc.Status) { return s, grpc.Status{} }
func (s *waiter) ClientStreams() bool                 { return s.lasting }

// Due is never before what was asked for, and Tick before it does nothing.
func TestDue(t *testing.T) {
	c, feed := greeted(t, &Config{}, &mute{})
	if want := start.Add(10 * time.Second); !c.Due().Equal(want) {
		t.Fatal(c.Due().Sub(start)) // the preface timeout, found to be over at its Tick
	}
	c.Tick(start.Add(10 * time.Second))
	if want := start.Add(120 * time.Second); !c.Due().Equal(start.Add(130*time.Second)) && !c.Due().Equal(want) {
		t.Fatal(c.Due().Sub(start))
	}
	block := requestBlock()
	block = append(block, 0, 12)
	block = append(block, "grpc-timeout"...)
	block = append(block, 3, '5', '0', 'm')
	k := caller{next: 1, block: block}
	now := start.Add(20 * time.Second)
	if err := feed(now, k.call(nil)); err != nil {
		t.Fatal(err)
	}
	if want := now.Add(50 * time.Millisecond); !c.Due().Equal(want) {
		t.Fatal(c.Due().Sub(start))
	}
	c.Tick(now.Add(49 * time.Millisecond))
	if c.Active() != 1 {
		t.Fatal("too early")
	}
	c.Tick(now.Add(50 * time.Millisecond))
	if c.Active() != 0 || c.Due().IsZero() {
		t.Fatal("too late", c.Active(), c.Due())
	}
}

// Ten thousand idle connections are ten thousand of these: one field more would cost the next size
// class of Go's allocator, which is an eighth larger.
func TestConnSize(t *testing.T) {
	if size := unsafe.Sizeof(Conn{}); size > 1024 {
		t.Errorf("%d bytes", size)
	}
}
