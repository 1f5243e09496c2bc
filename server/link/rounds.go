package link

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"

	"rocketmq-proxy/server/turn"
)

// pollers is how many goroutines of netpoll's read sockets and run the turns of what they read. The
// other half of the processors is for large reads, TLS handshakes, disks and the kernel; two pollers on
// two cores only get into each other's way. netpoll's own default is one for twenty cores.
func pollers() int { return (runtime.GOMAXPROCS(0) + 1) / 2 }

// bell is a connection of netpoll's with ourselves. netpoll does not say when a poller has read
// from all sockets that had something to say; but a byte that is written meanwhile is found
// after them.
type bell struct {
	fd    int // written to
	round *turn.Round
	rung  atomic.Bool // and not heard yet
	rest  *rest       // nil: netpoll waits, always
	tired atomic.Bool // the poller rests when it hears it
}

// bells are one for each poller: netpoll hands connections to them in turn.
var bells struct {
	all  []*bell
	next atomic.Uint32
}

var hangBells = sync.OnceFunc(func() {
	for range pollers() {
		b := new(bell)
		b.round = turn.NewRound(b.ring)
		if b.hang() != nil {
			return // out of descriptors: turns go on without rounds
		}
		bells.all = append(bells.all, b)
	}
})

// join has t wait in the round of one of the pollers.
func join(t *turn.Turn) {
	if n := uint32(len(bells.all)); n > 0 {
		t.In(bells.all[bells.next.Add(1)%n].round)
	}
}

func (b *bell) hang() error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	conn, err := netpoll.NewFDConnection(pair[0])
	if err == nil {
		err = conn.SetOnRequest(b.heard)
	}
	if err != nil {
		_ = unix.Close(pair[0])
		_ = unix.Close(pair[1])
		return err
	}
	b.fd = pair[1]
	if rest, err := newRest(pair[0]); err == nil {
		b.rest = rest
		b.tire()
	}
	return nil
}

var stroke = []byte{1}

// ring has the poller hear the bell when it has read from the other sockets.
func (b *bell) ring() {
	if b.rung.CompareAndSwap(false, true) {
		_, _ = rawWrite(b.fd, stroke)
	}
}

// heard is called by the poller.
func (b *bell) heard(_ context.Context, conn netpoll.Connection) error {
	r := conn.Reader()
	if err := r.Skip(r.Len()); err != nil {
		return err
	}
	if err := r.Release(); err != nil {
		return err
	}
	b.rung.Store(false)
	b.round.Run()
	switch {
	case !b.tired.Load():
	case b.rest.take():
		b.ring()
	default:
		b.tired.Store(false)
		time.AfterFunc(restAgain, b.tire)
	}
	return nil
}

// tire has the poller rest when there is nothing to read.
func (b *bell) tire() {
	b.tired.Store(true)
	b.ring()
}
