package session

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/turn"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("rocketmq-proxy/server/turn.(*crew).serve"))
}

type owner struct{}

func (owner) EndTurn(time.Time) {}
func (owner) Tick(time.Time)    {}
func (owner) Due() time.Time    { return time.Time{} }

// call waits for settings and tells when it has run.
type call struct {
	ran chan struct{}
	n   atomic.Int32
}

func newCall() *call { return &call{ran: make(chan struct{}, 8)} }

func (c *call) OnTurn(time.Time) {
	c.n.Add(1)
	c.ran <- struct{}{}
}

var now = time.UnixMilli(1_800_000_000_000)

// TestAwait in every order of bind, await, settle and unbind: "+" is an await that is taken,
// "-" one that is not, and "!" means that all that were taken have run, once.
func TestAwait(t *testing.T) {
	for _, conversation := range []string{
		"await-",
		"bind await+ settle !",
		"bind await+ await+ settle !",
		"bind await+ unbind ! await-",
		"bind settle await+ !",
		"settle await+ !", // they are known: nothing has to be open
		"bind settle unbind await+ !",
		"bind await+ rebind unbind await+ settle !", // the earlier stream has nothing to say
		"bind await+ rebind unbind2 !",
		"bind unbind await-",
		"bind await+ settle ! settle unbind",
	} {
		s, home := &Session{ID: "c"}, turn.New(owner{})
		one, two := new(int), new(int)
		var taken []*call
		var word string
		for rest := conversation; rest != ""; {
			if n, _ := fmt.Sscanf(rest, "%s", &word); n == 0 {
				break
			}
			rest = rest[min(len(rest), len(word)+1):]
			switch word {
			case "bind":
				s.Bind(one)
			case "rebind":
				s.Bind(two)
			case "unbind":
				s.Unbind(one)
			case "unbind2":
				s.Unbind(two)
			case "settle":
				s.Settle(&apiv2.Settings{}, now)
			case "await+", "await-":
				c := newCall()
				if got := s.Await(home, c); got != (word == "await+") {
					t.Errorf("%q: %s was answered %v", conversation, word, got)
				} else if got {
					taken = append(taken, c)
				}
			case "!":
				for _, c := range taken {
					<-c.ran
				}
			}
		}
		for _, c := range taken {
			if n := c.n.Load(); n != 1 {
				t.Errorf("%q: an event ran %d times", conversation, n)
			}
		}
	}
}

// TestAwaitIsBounded: one client cannot make us remember any number of calls.
func TestAwaitIsBounded(t *testing.T) {
	s, home := &Session{}, turn.New(owner{})
	s.Bind(s)
	c := &call{ran: make(chan struct{}, waitingMax)}
	for i := range waitingMax {
		if !s.Await(home, c) {
			t.Fatalf("await %d was refused", i)
		}
	}
	if s.Await(home, c) {
		t.Error("one more was taken")
	}
	s.Unbind(s)
	for range waitingMax {
		<-c.ran
	}
}

func TestRegistry(t *testing.T) {
	r := NewRegistry(2 * time.Minute)
	if r.Find([]byte("a")) != nil || r.Len() != 0 {
		t.Error("a new registry knows somebody")
	}
	a := r.Open([]byte("a"), now)
	if r.Open([]byte("a"), now) != a || r.Find([]byte("a")) != a || a.ID != "a" || r.Len() != 1 {
		t.Error("a client has two sessions")
	}
	r.End(a, now)
	if !a.Ended() || r.Find([]byte("a")) != nil {
		t.Error("the end is not the end")
	}
	again := r.Open([]byte("a"), now)
	r.End(a, now) // once more, by somebody who remembered it
	if again == a || again.Ended() || r.Find([]byte("a")) != again {
		t.Error("a stale pointer ended the new session")
	}
}

// TestSweep forgets who is neither heard of nor listening.
func TestSweep(t *testing.T) {
	const expiry = 2 * time.Minute
	r := NewRegistry(expiry)
	silent, beating, listening := r.Open([]byte("silent"), now), r.Open([]byte("beating"), now), r.Open([]byte("listening"), now)
	listening.Bind(t)
	r.Sweep(now.Add(expiry))
	if r.Len() != 3 {
		t.Errorf("%d left before their time", r.Len())
	}
	beating.Heard(now.Add(time.Second))
	r.Sweep(now.Add(expiry + time.Millisecond))
	if !silent.Ended() || beating.Ended() || listening.Ended() || r.Len() != 2 {
		t.Errorf("silent %v, beating %v, listening %v", silent.Ended(), beating.Ended(), listening.Ended())
	}
	listening.Unbind(t)
	beating.Settle(&apiv2.Settings{}, now.Add(expiry))
	r.Sweep(now.Add(2 * expiry))
	if beating.Ended() || !listening.Ended() || r.Len() != 1 {
		t.Errorf("beating %v, listening %v", beating.Ended(), listening.Ended())
	}
}

// TestManyTurns use one session at once, each as a connection of the client does: what was
// awaited runs once, at the latest when the last stream closes. For -race.
func TestManyTurns(t *testing.T) {
	const turns, rounds = 8, 200
	var taken, ran atomic.Int64
	var done sync.WaitGroup
	s := &Session{}
	var wg sync.WaitGroup
	for range turns {
		wg.Go(func() {
			home := turn.New(owner{})
			for range rounds {
				s.Bind(home)
				done.Add(1)
				if s.Await(home, event(func() { ran.Add(1); done.Done() })) {
					taken.Add(1)
				} else {
					done.Done()
				}
				s.Unbind(home)
				s.Live()
			}
		})
	}
	wg.Wait()
	s.Settle(&apiv2.Settings{}, now)
	done.Wait()
	if taken.Load() != ran.Load() {
		t.Errorf("%d events were taken, %d ran", taken.Load(), ran.Load())
	}
}

// TestManyClients come and go at once. For -race.
func TestManyClients(t *testing.T) {
	r := NewRegistry(time.Minute)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			id := []byte(fmt.Sprint("client-", i%2))
			for n := range 200 {
				s := r.Open(id, now)
				switch n % 3 {
				case 0:
					r.End(s, now)
				case 1:
					r.Sweep(now.Add(time.Hour))
				case 2:
					s.Settle(&apiv2.Settings{}, now)
				}
				if found := r.Find(id); found != nil {
					found.Settings()
				}
			}
		})
	}
	wg.Wait()
	r.Sweep(now.Add(time.Hour))
	if r.Len() != 0 {
		t.Errorf("%d clients are left", r.Len())
	}
}

type event func()

func (e event) OnTurn(time.Time) { e() }
