package link

import (
	"errors"
	"sync"
	"time"

	"rocketmq-proxy/pool"
)

// echo is a machine that says what it hears.
type echo struct {
	link   *Link
	closed chan struct{} // Close was called

	// on says what happens when something is fed, on the turn and with the lock held; the
	// bytes become output when it returns. It may be nil.
	on func(e *echo, heard []byte) error

	mu     sync.Mutex
	fed    int        // bytes
	out    pool.Chain // what the next Drain gives
	drains int
	causes []error // of Close
	done   bool
	mute   bool // what is fed is dropped
	tick   time.Time
	ticks  int
}

func newEcho() *echo { return &echo{closed: make(chan struct{})} }

func (e *echo) Feed(_ time.Time, in *pool.Chain) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fed += in.Len()
	var err error
	if e.on != nil {
		err = e.on(e, in.AppendTo(nil))
	}
	if e.mute || len(e.causes) > 0 {
		in.Release()
		return err
	}
	e.out.AppendChain(in)
	return err
}

func (e *echo) Drain(out *pool.Chain) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.drains++
	out.AppendChain(&e.out)
}

func (e *echo) Tick(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.tick.IsZero() && !now.Before(e.tick) {
		e.tick = time.Time{}
		e.ticks++
	}
}

func (e *echo) Due() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tick
}

func (e *echo) Done() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.done && e.out.Len() == 0
}

func (e *echo) Close(cause error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.out.Release()
	e.causes = append(e.causes, cause)
	if len(e.causes) == 1 {
		close(e.closed)
	}
}

// look reads what the machine has noted.
func (e *echo) look() (fed, drains int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.fed, e.drains
}

// act is an event that does something on a turn.
type act func()

func (a act) OnTurn(time.Time) { a() }

// onTurn does something with the machine on its turn, and waits for it.
func (e *echo) onTurn(do func()) {
	did := make(chan struct{})
	e.link.Turn().Post(act(func() {
		defer close(did)
		e.mu.Lock()
		defer e.mu.Unlock()
		do()
	}))
	<-did
}

// say has the machine say something of its own accord.
func (e *echo) say(views ...[]byte) {
	e.onTurn(func() {
		for _, v := range views {
			e.out.Append(pool.Copied(v))
		}
	})
}

var errFedUp = errors.New("fed up")
