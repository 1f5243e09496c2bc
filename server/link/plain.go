package link

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"

	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/turn"
)

// copyBytesMax is up to how many unread bytes are copied out of netpoll's buffer into one
// pooled block. Copying that much costs less than sharing netpoll's nodes, which takes four
// allocations a read; above it the nodes are shared and no byte of a body is copied.
const copyBytesMax = 32 << 10

// plain is a cleartext socket on a netpoll poller. Reading is netpoll's; writing goes
// straight to the descriptor and falls back on netpoll only for a peer that is slow.
type plain struct {
	link *Link
	conn netpoll.Connection
	fd   int

	// mu guards the descriptor against being closed, and reused, during a write. netpoll's
	// close callbacks run before the descriptor is closed and take it too.
	mu     sync.Mutex
	closed bool
	iov    []unix.Iovec
	in     pool.Chain // of one read; netpoll never calls two at a time
	held   pool.Chain // a failed push: netpoll may look at it until the descriptor is gone
}

var configurePollers = sync.OnceFunc(func() {
	// Pollers only move bytes; turns run on goroutines of their own. netpoll's own default
	// is one poller for twenty cores.
	config := netpoll.Config{
		PollerNum: (runtime.GOMAXPROCS(0) + 3) / 4,
		// The poller makes room for the task: where all processors are busy it would read on
		// for 10 ms, as much as a fast client can send, before anybody looks at it.
		Runner: func(_ context.Context, f func()) {
			turn.Go(f)
			runtime.Gosched()
		},
		// What it has to say of a connection, our close callback says with a cause.
		LoggerOutput: io.Discard,
	}
	if err := netpoll.Configure(config); err != nil {
		panic(err) // only a non-positive PollerNum is refused
	}
})

// attachPlain puts conn on a poller and runs machine with what arrives on t.
func attachPlain(l *Link, conn netpoll.Connection, fd int) *plain {
	p := &plain{link: l, conn: conn, fd: fd}
	l.socket = p
	_ = conn.AddCloseCallback(func(netpoll.Connection) error {
		p.hearOut()
		p.mu.Lock()
		p.closed = true
		p.mu.Unlock()
		l.turn.Post((*gone)(l))
		return nil
	})
	return p
}

// lastWordsMax is how long a close by the peer waits for the turn.
const lastWordsMax = time.Second

// hearOut lets the turn take, and answer at once, what a peer said before it closed its side:
// netpoll closes at a FIN, whatever has still to be said. It does so on a goroutine of its own,
// so that only other ends wait with it. A close of ours, which may come from the turn itself,
// waits for nobody.
func (p *plain) hearOut() {
	if p.link.condemned() {
		return
	}
	words := &lastWords{link: p.link, said: make(chan struct{})}
	p.link.turn.Post(words)
	patience := time.NewTimer(lastWordsMax)
	defer patience.Stop()
	select {
	case <-words.said:
	case <-patience.C:
	}
}

// lastWords is the event behind the last input of a peer.
type lastWords struct {
	link *Link
	said chan struct{}
}

// OnTurn writes what the machine has to say, before the socket is gone.
func (w *lastWords) OnTurn(now time.Time) {
	w.link.EndTurn(now)
	close(w.said)
}

// start lets input through. The link is complete before it.
func (p *plain) start() {
	_ = p.conn.SetOnRequest(func(_ context.Context, conn netpoll.Connection) error {
		p.read(conn.Reader())
		return nil
	})
	if !p.conn.IsActive() {
		p.close() // netpoll runs no close callbacks of its own before a request callback is set
	}
}

// read takes everything that is unread: netpoll calls again, at once and for ever, while a
// byte is left.
func (p *plain) read(r netpoll.Reader) {
	n := r.Len()
	if n == 0 {
		return
	}
	in := &p.in
	var err error
	if n <= copyBytesMax {
		err = copyOut(in, r, n)
	} else {
		err = shareOut(in, r, n)
	}
	if err != nil {
		p.link.fail(ErrPeerClosed)
		return
	}
	// Not here: a turn that takes long must not keep us, because netpoll reads on meanwhile
	// without asking again, and without a bound.
	if !p.link.receive(in, false) {
		p.link.fail(ErrInboxFull)
	}
}

func copyOut(in *pool.Chain, r netpoll.Reader, n int) error {
	bytes, err := r.Next(n)
	if err != nil {
		return err
	}
	in.Append(pool.Copied(bytes))
	return r.Release()
}

// nodes keeps a run of netpoll's buffer nodes until the last view of them is released.
type nodes struct{ slice *netpoll.LinkBuffer }

// ReleaseBlock gives the nodes back to netpoll.
func (n nodes) ReleaseBlock() {
	_ = n.slice.Skip(n.slice.Len())
	_ = n.slice.Release()
}

func shareOut(in *pool.Chain, r netpoll.Reader, n int) error {
	sliced, err := r.Slice(n)
	if err != nil {
		return err
	}
	slice, ok := sliced.(*netpoll.LinkBuffer)
	if !ok {
		return errors.New("netpoll: a slice is not a LinkBuffer")
	}
	// An empty node at the front would make GetBytes run past the end of the slice.
	if err := slice.Release(); err != nil {
		return err
	}
	block := pool.Foreign(nil, nodes{slice})
	for _, bytes := range slice.GetBytes(nil) {
		block.Retain()
		in.Append(pool.Kept(block, bytes))
	}
	block.Release()
	return nil
}

// write hands out to the kernel in one system call where it takes all of it.
func (p *plain) write(out *pool.Chain) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		out.Release()
		return false, net.ErrClosed
	}
	for out.Len() > 0 {
		n, err := p.writev(out)
		if n > 0 {
			out.Discard(n)
		}
		switch {
		case err == nil || errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			rest := new(pool.Chain)
			rest.AppendChain(out)
			go p.push(rest)
			return true, nil
		default:
			out.Release()
			return false, err
		}
	}
	return false, nil
}

// iovMax is how many views go into one system call.
const iovMax = 256

func (p *plain) writev(out *pool.Chain) (int, error) {
	views := out.Views()
	if len(views) == 1 {
		return rawWrite(p.fd, views[0].Bytes())
	}
	p.iov = p.iov[:0]
	for _, v := range views[:min(len(views), iovMax)] {
		b := v.Bytes()
		p.iov = append(p.iov, unix.Iovec{Base: &b[0]})
		p.iov[len(p.iov)-1].SetLen(len(b))
	}
	n, err := rawWritev(p.fd, p.iov)
	clear(p.iov)
	return n, err
}

// push waits, on a goroutine of its own, until a slow peer has taken rest.
func (p *plain) push(rest *pool.Chain) {
	if p.flush(rest) != nil {
		p.link.fail(ErrPeerClosed)
	}
	p.link.turn.Post((*writable)(p.link))
}

// pushBytes is what a slow peer must take in WriteTimeout to be waited for any longer.
const pushBytes = 64 << 10

// flush holds the lock while it waits: netpoll's close wakes the wait before it asks for the
// lock. The timeout is our own: netpoll's panics for a connection made of a descriptor.
func (p *plain) flush(rest *pool.Chain) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		rest.Release()
		return net.ErrClosed
	}
	slow := time.AfterFunc(p.link.limits.WriteTimeout, func() { p.link.fail(ErrSlowPeer) })
	defer slow.Stop()
	for rest.Len() > 0 {
		n := min(rest.Len(), pushBytes)
		if err := p.flushFront(rest, n); err != nil {
			p.held.AppendChain(rest)
			return err
		}
		rest.Discard(n)
		slow.Reset(p.link.limits.WriteTimeout)
	}
	return nil
}

// flushFront hands the first n bytes of rest to netpoll, and waits until the kernel has them.
func (p *plain) flushFront(rest *pool.Chain, n int) error {
	w := p.conn.Writer()
	for _, v := range rest.Views() {
		b := v.Bytes()[:min(n, v.Len())]
		if _, err := w.WriteBinary(b); err != nil {
			return err
		}
		if n -= len(b); n == 0 {
			break
		}
	}
	return w.Flush()
}

func (p *plain) close() { _ = p.conn.Close() }

// forget releases what a failed push left behind, on the turn, after the close.
func (p *plain) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held.Release()
}

// Dial connects to addr (host:port) in cleartext and runs machine on t. The caller owns t and
// calls EndTurn, Tick and Due from it.
func Dial(addr string, timeout time.Duration, t *turn.Turn, m Machine, limits Limits) (*Link, error) {
	configurePollers()
	conn, err := netpoll.NewDialer().DialConnection("tcp", addr, timeout)
	if err != nil {
		return nil, err
	}
	fder, ok := conn.(netpoll.Conn)
	if !ok {
		_ = conn.Close()
		return nil, errors.New("netpoll: a connection has no descriptor")
	}
	l := &Link{turn: t, machine: m, limits: limits, RemoteAddr: addr, LocalAddr: conn.LocalAddr().String()}
	p := attachPlain(l, conn, fder.Fd())
	p.start()
	return l, nil
}
