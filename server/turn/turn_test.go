package turn

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// The goroutines of a crew wait for ever, a few of them.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("rocketmq-proxy/server/turn.(*crew).serve"))
}

// counter is an owner whose turn must never be run by two goroutines.
type counter struct {
	turn   *Turn
	inside atomic.Int32
	events int // the turn's
	ends   int
	ticks  int
	due    time.Time
	ended  chan struct{}
}

func newCounter() *counter {
	c := &counter{ended: make(chan struct{}, 1<<16)}
	c.turn = New(c)
	return c
}

func (c *counter) EndTurn(time.Time) { c.ends++; c.ended <- struct{}{} }
func (c *counter) Tick(now time.Time) {
	if !c.due.IsZero() && !now.Before(c.due) {
		c.ticks++
		c.due = time.Time{}
	}
}
func (c *counter) Due() time.Time { return c.due }

type event struct {
	c  *counter
	do func()
}

func (e event) OnTurn(time.Time) {
	if e.c.inside.Add(1) != 1 {
		panic("two goroutines in one turn")
	}
	e.c.events++
	if e.do != nil {
		e.do()
	}
	e.c.inside.Add(-1)
}

func TestOneGoroutineAtATime(t *testing.T) {
	const posters, each = 8, 2000
	c := newCounter()
	done := make(chan int, 1)
	var wg sync.WaitGroup
	for range posters {
		wg.Go(func() {
			for i := range each {
				if i%2 == 0 {
					c.turn.Post(event{c: c})
				} else {
					c.turn.PostHere(event{c: c})
				}
			}
		})
	}
	wg.Wait()
	c.turn.Post(event{c: c, do: func() { done <- c.events }})
	if got := <-done; got != posters*each+1 {
		t.Fatalf("%d events ran, want %d", got, posters*each+1)
	}
}

func TestWhatArrivesTogetherLeavesTogether(t *testing.T) {
	c := newCounter()
	c.turn.Post(event{c: c}, event{c: c}, event{c: c})
	<-c.ended
	if c.events != 3 || c.ends != 1 {
		t.Fatalf("%d events in %d batches, want 3 in 1", c.events, c.ends)
	}
}

func TestForwardIsDeliveredAfterTheBatchAndWokenOnce(t *testing.T) {
	from, to := newCounter(), newCounter()
	got := make(chan int, 3)
	arrive := event{c: to, do: func() { got <- to.ends }}
	from.turn.Post(event{c: from, do: func() {
		from.turn.Forward(to.turn, arrive)
		from.turn.Forward(to.turn, arrive)
		from.turn.Forward(to.turn, arrive)
	}})
	for range 3 {
		if batch := <-got; batch != 0 {
			t.Fatalf("event ran in batch %d of its turn, want all in the first", batch)
		}
	}
}

func TestForwardToItselfRunsInTheNextBatch(t *testing.T) {
	c := newCounter()
	ran := make(chan int, 1)
	c.turn.Post(event{c: c, do: func() {
		c.turn.Forward(c.turn, event{c: c, do: func() { ran <- c.ends }})
	}})
	if batch := <-ran; batch != 1 {
		t.Fatalf("ran in batch %d, want 1", batch)
	}
}

func TestTickComesWhenDue(t *testing.T) {
	c := newCounter()
	c.turn.Post(event{c: c, do: func() { c.due = time.Now().Add(5 * time.Millisecond) }})
	<-c.ended
	<-c.ended // the batch of the tick
	ticks := make(chan int, 1)
	c.turn.Post(event{c: c, do: func() { ticks <- c.ticks }})
	if got := <-ticks; got != 1 {
		t.Fatalf("%d ticks, want 1", got)
	}
}

func TestAnEarlierDueMovesTheTimerForward(t *testing.T) {
	c := newCounter()
	c.turn.Post(event{c: c, do: func() { c.due = time.Now().Add(time.Hour) }})
	<-c.ended
	c.turn.Post(event{c: c, do: func() { c.due = time.Now().Add(time.Millisecond) }})
	<-c.ended
	<-c.ended
	c.turn.Post(event{c: c, do: c.turn.Stop})
	<-c.ended
	if c.ticks != 1 {
		t.Fatalf("%d ticks, want 1", c.ticks)
	}
}

func TestPostingAllocatesNothing(t *testing.T) {
	from, to := newCounter(), newCounter()
	done := make(chan struct{})
	var arrive, leave Event
	arrive = &event{c: to, do: func() { done <- struct{}{} }}
	leave = &event{c: from, do: func() { from.turn.Forward(to.turn, arrive) }}
	round := func() {
		from.turn.Post(leave)
		<-done
		<-from.ended
		<-to.ended
	}
	if n := testing.AllocsPerRun(200, round); n > 0 {
		t.Fatalf("%v allocations a round trip, want 0", n)
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	from, to := newCounter(), newCounter()
	done := make(chan struct{})
	var arrive, leave Event
	arrive = &event{c: to, do: func() { done <- struct{}{} }}
	leave = &event{c: from, do: func() { from.turn.Forward(to.turn, arrive) }}
	b.ReportAllocs()
	for b.Loop() {
		from.turn.Post(leave)
		<-done
		<-from.ended
		<-to.ended
	}
}

// A goroutine that waits for work does not keep what it did last.
func TestCrewForgets(t *testing.T) {
	type large struct{ _ [1 << 20]byte }
	gone := make(chan struct{})
	func() {
		kept := new(large)
		runtime.AddCleanup(kept, func(struct{}) { close(gone) }, struct{}{})
		did := make(chan struct{})
		Go(func() {
			runtime.KeepAlive(kept)
			close(did)
		})
		<-did
	}()
	for range 1000 {
		runtime.GC()
		select {
		case <-gone:
			return
		case <-time.After(time.Millisecond):
		}
	}
	t.Error("what a goroutine of the crew did is still alive")
}
