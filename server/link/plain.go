package link

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
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

	// registered is waited for by who needs conn: the machine may speak before there is one.
	registered sync.WaitGroup
	polled     atomic.Bool // from here on read is the poller's

	// mu guards the descriptor against being closed, and reused, during a write. netpoll's
	// close callbacks run before the descriptor is closed and take it too.
	mu     sync.Mutex
	closed bool
	iov    []unix.Iovec
	in     pool.Chain // of one read; netpoll never calls two at a time
	node   int        // bytes read into netpoll's node, see left
	held   pool.Chain // a failed push: netpoll may look at it until the descriptor is gone

	// endMu guards it while it is shut down, which must not wait for a write.
	endMu sync.Mutex
	over  bool
}

var configurePollers = sync.OnceFunc(func() {
	config := netpoll.Config{
		PollerNum: pollers(),
		// The poller itself takes what it has read, so that it reads no more before that: while
		// a task is under way elsewhere netpoll reads on without a bound. This is why nothing
		// here closes a connection of netpoll's: on the poller that waits for the poller, for
		// ever. The socket is shut down, and the poller sees that as any other end.
		Runner: func(_ context.Context, f func()) { f() },
		// What it has to say of a connection, our close callback says with a cause.
		LoggerOutput: io.Discard,
	}
	if err := netpoll.Configure(config); err != nil {
		panic(err) // only a non-positive PollerNum is refused
	}
	hangBells()
})

// newPlain makes the socket of l, which may be written to, and closed, from here on.
func newPlain(l *Link, fd int) *plain {
	p := &plain{link: l, fd: fd}
	p.registered.Add(1)
	l.socket = p
	return p
}

// register gives the socket to a poller. It reads from before conn is returned to us, so there
// is no time to lose between the two.
func (p *plain) register(conn netpoll.Connection, err error) error {
	if err != nil {
		p.link.setCause(err)
		p.ended()
		p.registered.Done()
		return err
	}
	_ = conn.AddCloseCallback(func(netpoll.Connection) error {
		p.hearOut()
		p.ended()
		return nil
	})
	_ = conn.SetOnRequest(func(_ context.Context, conn netpoll.Connection) error {
		p.read(conn.Reader())
		return nil
	})
	p.conn = conn
	p.polled.Store(true)
	p.registered.Done()
	if !conn.IsActive() {
		_ = conn.Close() // netpoll runs no close callbacks of its own before a request callback is set
	}
	return nil
}

// ended tells the machine that the descriptor is about to be closed.
func (p *plain) ended() {
	p.endMu.Lock()
	p.over = true
	p.endMu.Unlock()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.link.turn.Post((*gone)(p.link))
}

func (p *plain) closeWrite() { p.shutdown(unix.SHUT_WR) }

// close has the poller find the end of the connection.
func (p *plain) close() { p.shutdown(unix.SHUT_RDWR) }

// abort makes the kernel reset the connection when the poller closes the descriptor. A peer that
// is stuck in a write might otherwise not hear of the end for long.
func (p *plain) abort() {
	p.onDescriptor(func(fd int) { _ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}) })
	p.close()
}

func (p *plain) shutdown(how int) {
	p.onDescriptor(func(fd int) { _ = unix.Shutdown(fd, how) })
}

// onDescriptor holds the end back meanwhile, so that the descriptor is ours for certain.
func (p *plain) onDescriptor(do func(fd int)) {
	p.endMu.Lock()
	defer p.endMu.Unlock()
	if !p.over {
		do(p.fd)
	}
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

// hereBytesMax is up to how many bytes the poller runs the turn with itself: a handful of calls,
// or of answers. That takes some microseconds, less than to have a goroutine do it on another
// processor. With more a turn would keep the poller from the other connections.
const hereBytesMax = 8 << 10

// read takes everything that is unread: netpoll calls again, at once and for ever, while a
// byte is left.
func (p *plain) read(r netpoll.Reader) {
	n := r.Len()
	if n == 0 {
		return
	}
	left := p.left(n)
	in := &p.in
	var err error
	if n <= copyBytesMax {
		err = p.copyOut(in, r, n, left)
	} else {
		err = shareOut(in, r, n)
	}
	if err != nil {
		p.link.fail(ErrPeerClosed)
		return
	}
	here := n <= hereBytesMax
	full := p.link.receive(in, here)
	switch {
	case !p.polled.Load():
	case full:
		p.link.await()
	case here:
	default:
		runtime.Gosched() // room for the turn; what comes meanwhile is read in one piece
	}
}

// nodeBytes is the size of netpoll's nodes, of those connections that are not read in larger pieces.
const nodeBytes = 8 << 10

// left tells whether a read of n bytes may have left some: it has when it reached the end of a node,
// where it stops. A node that is passed without an end was a larger one; how full the next is will be
// known when something is left.
func (p *plain) left(n int) bool {
	if p.node >= 0 {
		p.node += n
	}
	switch {
	case p.node == nodeBytes:
		p.node = 0
	case p.node > nodeBytes:
		p.node = nodeUnknown
	case p.node >= 0:
		return false
	}
	return true
}

const nodeUnknown = -1

// copyOut also reads what netpoll had no room for, when some may be left. A poller reads to the end of
// an old block, which nobody but a task elsewhere can have it give up, and a batch that is cut in two
// makes two of every step behind it: half as many reads and writes are worth the extra call. An end,
// or an error, is left to the poller, which finds it as well.
func (p *plain) copyOut(in *pool.Chain, r netpoll.Reader, n int, left bool) error {
	bytes, err := r.Next(n)
	if err != nil {
		return err
	}
	room := 0
	if left && p.polled.Load() {
		room = restBytes
	}
	block := pool.Get(n + room)
	copy(block.Bytes(), bytes)
	if room > 0 {
		if more, err := rawRead(p.fd, block.Bytes()[n:]); err == nil {
			n += more
			if more > 0 && p.node == nodeUnknown {
				p.node = 0
			}
		}
	}
	in.Append(pool.ViewOf(block, 0, n))
	return r.Release()
}

// restBytes is room for what a poll left unread.
const restBytes = 8 << 10

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
	block := pool.ForeignOf(n, nodes{slice})
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
	p.registered.Wait()
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
	l := newLink(t, m, &limits, Ends{RemoteAddr: addr, LocalAddr: conn.LocalAddr().String()})
	join(t)
	if err := newPlain(l, fder.Fd()).register(conn, nil); err != nil {
		return nil, err
	}
	return l, nil
}
