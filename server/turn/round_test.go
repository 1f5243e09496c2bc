package turn

import (
	"sync"
	"testing"
)

// hand is a round whose bell only counts.
type hand struct {
	*Round
	rings int
}

func newHand() *hand {
	h := &hand{}
	h.Round = NewRound(func() { h.rings++ })
	return h
}

// forwards returns an event that forwards n events to another counter.
func forwards(from, to *counter, n int) event {
	return event{c: from, do: func() {
		for range n {
			from.turn.Forward(to.turn, event{c: to})
		}
	}}
}

func TestWhatReadersWakeRunsTogether(t *testing.T) {
	h, lane := newHand(), newCounter()
	lane.turn.In(h.Round)
	for range 3 { // sockets that are read one after the other
		client := newCounter()
		client.turn.PostHere(forwards(client, lane, 2))
	}
	if lane.events != 0 || h.rings != 1 {
		t.Fatalf("%d events before the round ran, the bell rang %d times", lane.events, h.rings)
	}
	lane.turn.Post(event{c: lane}) // from anywhere else: it joins them
	h.Run()
	if lane.events != 7 || lane.ends != 1 {
		t.Fatalf("%d events in %d batches, want 7 in 1", lane.events, lane.ends)
	}
	h.Run()
	if lane.ends != 1 {
		t.Fatal("it ran again")
	}
}

func TestOnlyReadersFillRounds(t *testing.T) {
	h, lane, client := newHand(), newCounter(), newCounter()
	lane.turn.In(h.Round)
	client.turn.Post(forwards(client, lane, 1))
	<-lane.ended // on a goroutine of its own
	if h.rings != 0 {
		t.Fatal("the bell rang")
	}
}

func TestTurnsOfNoRoundRunOnTheirOwn(t *testing.T) {
	disk, client := newCounter(), newCounter() // its owner may block
	client.turn.PostHere(forwards(client, disk, 1))
	<-disk.ended
}

// A turn that has waited in vain runs at once the next times, and then looks again.
func TestTurnsThatOneOtherWakesDoNotWait(t *testing.T) {
	h, lane, client, other := newHand(), newCounter(), newCounter(), newCounter()
	lane.turn.In(h.Round)
	ask := func(c *counter) { c.turn.PostHere(forwards(c, lane, 1)) }
	ask(client)
	h.Run()
	for _, passing := range []int{1, 3, 7, 15, 31, passingMax, passingMax} {
		rings := h.rings
		for i := range passing {
			before := lane.events
			ask(client)
			if lane.events != before+1 {
				t.Fatalf("call %d of %d waited", i, passing)
			}
		}
		ask(client)
		if h.rings != rings+1 {
			t.Fatalf("after %d calls nobody looks whether there are more now", passing)
		}
		h.Run()
	}
	lane.turn.passing = 0
	ask(client)
	ask(other)
	h.Run() // two have waited
	rings := h.rings
	ask(client)
	if h.rings != rings+1 {
		t.Fatal("it did not wait although there are more now")
	}
	h.Run()
}

// An answer that comes while the asking turn is still claimed is not run inside of it.
func TestRunningOnwardDoesNotComeBack(t *testing.T) {
	h, lane, client := newHand(), newCounter(), newCounter()
	lane.turn.In(h.Round)
	client.turn.In(h.Round)
	client.turn.PostHere(forwards(client, lane, 1))
	h.Run() // from here on lane does not wait
	client.turn.PostHere(event{c: client, do: func() {
		client.turn.Forward(lane.turn, event{c: lane, do: func() { lane.turn.Forward(client.turn, event{c: client}) }})
	}})
	for range 3 {
		<-client.ended
	}
	if client.events != 3 || lane.events != 2 {
		t.Fatalf("%d and %d events", client.events, lane.events)
	}
}

func TestHastenRunsWhatWaits(t *testing.T) {
	h, lane, client := newHand(), newCounter(), newCounter()
	lane.turn.In(h.Round)
	lane.turn.Hasten() // it does not wait
	client.turn.PostHere(forwards(client, lane, 2))
	lane.turn.Hasten()
	if lane.events != 2 || lane.ends != 1 {
		t.Fatalf("%d events in %d batches, want 2 in 1", lane.events, lane.ends)
	}
	h.Run()
	if lane.ends != 1 {
		t.Fatal("the round ran it again")
	}
}

// Whoever reads, posts and runs rounds, no event is lost and no turn is run by two.
func TestRoundsUnderLoad(t *testing.T) {
	const readers, each = 8, 2000
	rung := make(chan struct{}, 1)
	r := NewRound(func() {
		select {
		case rung <- struct{}{}:
		default:
		}
	})
	stop := make(chan struct{})
	var keeper, busy sync.WaitGroup
	keeper.Go(func() {
		for {
			select {
			case <-rung:
				r.Run()
			case <-stop:
				return
			}
		}
	})
	lanes := [2]*counter{newCounter(), newCounter()}
	for _, l := range lanes {
		l.turn.In(r)
	}
	for range readers {
		busy.Go(func() {
			client := newCounter()
			client.turn.In(r)
			answered := make(chan struct{}, each)
			answer := event{c: client, do: func() { answered <- struct{}{} }}
			for i := range each {
				lane := lanes[i%len(lanes)]
				ask := event{c: client, do: func() {
					client.turn.Forward(lane.turn, event{c: lane, do: func() { lane.turn.Forward(client.turn, answer) }})
				}}
				if i%3 == 0 {
					client.turn.Post(ask)
				} else {
					client.turn.PostHere(ask)
				}
				if i%16 == 0 {
					lane.turn.Hasten()
				}
			}
			for range each {
				<-answered
			}
		})
	}
	busy.Wait()
	close(stop)
	keeper.Wait()
	for _, l := range lanes {
		got := make(chan int, 1)
		l.turn.Post(event{c: l, do: func() { got <- l.events }})
		if n := <-got; n != readers*each/len(lanes)+1 {
			t.Errorf("%d events, want %d", n, readers*each/len(lanes)+1)
		}
	}
}
