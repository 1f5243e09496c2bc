package turn

import (
	"math/rand/v2"
	"runtime"
	"sync/atomic"
)

// crew is goroutines that have run before and wait for more. A new goroutine begins with a
// small stack, which a turn then outgrows in the middle of a deep call; that cost a tenth of a
// busy proxy's time. One that waited has its stack already.
//
// There is one for each processor, chosen at random, so that no lock is shared by all turns.
type crew struct {
	work chan func()
	idle atomic.Int32
}

// idleMax is how many goroutines of a crew may wait; more than that end when they are done.
const idleMax = 8

var crews = func() []*crew {
	all := make([]*crew, runtime.GOMAXPROCS(0))
	for i := range all {
		all[i] = &crew{work: make(chan func())}
	}
	return all
}()

// Go runs f on a goroutine of its own: one that waits if there is one, else a new one.
func Go(f func()) {
	c := crews[int(rand.Uint32())%len(crews)]
	select {
	case c.work <- f:
	default:
		go c.serve(f)
	}
}

// serve is the life of one goroutine.
func (c *crew) serve(f func()) {
	growStack()
	for {
		f()
		if c.idle.Add(1) > idleMax {
			c.idle.Add(-1)
			return
		}
		f = <-c.work
		c.idle.Add(-1)
	}
}

// stackBytes is more than any turn has been seen to need.
const stackBytes = 12 << 10

// growStack makes room on the stack of a new goroutine at once, while there is next to nothing
// on it to move.
//
//go:noinline
func growStack() {
	var room [stackBytes]byte
	runtime.KeepAlive(&room)
}
