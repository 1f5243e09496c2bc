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

// socket is a socket on a netpoll poller. Reading is netpoll's; writing goes
// straight to the descriptor and falls back on netpoll only for a peer that is slow.
type socket struct {
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
		PollerNum:  pollers(),
		BufferSize: nodeBytes,
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

// newSocket makes the socket of l, which may be written to, and closed, from here on.
func newSocket(l *Link, fd int) *socket {
	s := &socket{link: l, fd: fd}
	s.registered.Add(1)
	l.socket = s
	return s
}

// register gives the socket to a poller. It reads from before conn is returned to us, so there
// is no time to lose between the two.
func (s *socket) register(conn netpoll.Connection, err error) error {
	if err != nil {
		s.link.setCause(err)
		s.ended()
		s.registered.Done()
		return err
	}
	_ = conn.AddCloseCallback(func(netpoll.Connection) error {
		s.hearOut()
		s.ended()
		return nil
	})
	_ = conn.SetOnRequest(func(_ context.Context, conn netpoll.Connection) error {
		s.read(conn.Reader())
		return nil
	})
	s.conn = conn
	s.polled.Store(true)
	s.registered.Done()
	if !conn.IsActive() {
		_ = conn.Close() // netpoll runs no close callbacks of its own before a request callback is set
	}
	return nil
}

// ended tells the machine that the descriptor is about to be closed.
func (s *socket) ended() {
	s.endMu.Lock()
	s.over = true
	s.endMu.Unlock()
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.link.turn.Post((*gone)(s.link))
}

// closeWrite tells the peer that nothing more will be said.
func (s *socket) closeWrite() { s.shutdown(unix.SHUT_WR) }

// close has the poller find the end of the connection.
func (s *socket) close() { s.shutdown(unix.SHUT_RDWR) }

// abort makes the kernel reset the connection when the poller closes the descriptor. A peer that
// is stuck in a write might otherwise not hear of the end for long.
func (s *socket) abort() {
	s.onDescriptor(func(fd int) { _ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}) })
	s.close()
}

func (s *socket) shutdown(how int) {
	s.onDescriptor(func(fd int) { _ = unix.Shutdown(fd, how) })
}

// onDescriptor holds the end back meanwhile, so that the descriptor is ours for certain.
func (s *socket) onDescriptor(do func(fd int)) {
	s.endMu.Lock()
	defer s.endMu.Unlock()
	if !s.over {
		do(s.fd)
	}
}

// lastWordsMax is how long a close by the peer waits for the turn.
const lastWordsMax = time.Second

// hearOut lets the turn take, and answer at once, what a peer said before it closed its side:
// netpoll closes at a FIN, whatever has still to be said. It does so on a goroutine of its own,
// so that only other ends wait with it. A close of ours, which may come from the turn itself,
// waits for nobody.
func (s *socket) hearOut() {
	if s.link.condemned() {
		return
	}
	words := &lastWords{link: s.link, said: make(chan struct{})}
	s.link.turn.Post(words)
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
func (s *socket) read(r netpoll.Reader) {
	n := r.Len()
	if n == 0 {
		return
	}
	left := s.left(n)
	in := &s.in
	var err error
	if n <= copyBytesMax {
		err = s.copyOut(in, r, n, left)
	} else {
		err = shareOut(in, r, n)
	}
	if err != nil {
		s.link.fail(ErrPeerClosed)
		return
	}
	here := n <= hereBytesMax
	full := s.link.receive(in, here)
	switch {
	case !s.polled.Load():
	case full:
		s.link.await()
	case here:
	default:
		runtime.Gosched() // room for the turn; what comes meanwhile is read in one piece
	}
}

// nodeBytes is the size of netpoll's nodes, of those connections that are not read in larger pieces. A
// connection that says nothing has one all the same, and half of netpoll's default is the least there
// can be; what does not fit is read into a block of ours.
const nodeBytes = 4 << 10

// left tells whether a read of n bytes may have left some: it has when it reached the end of a node,
// where it stops. A node that is passed without an end was a larger one; how full the next is will be
// known when something is left.
func (s *socket) left(n int) bool {
	if s.node >= 0 {
		s.node += n
	}
	switch {
	case s.node == nodeBytes:
		s.node = 0
	case s.node > nodeBytes:
		s.node = nodeUnknown
	case s.node >= 0:
		return false
	}
	return true
}

const nodeUnknown = -1

// copyOut also reads what netpoll had no room for, when some may be left. A poller reads to the end of
// an old block, which nobody but a task elsewhere can have it give up, and a batch that is cut in two
// makes two of every step behind it: half as many reads and writes are worth the extra call. An end,
// or an error, is left to the poller, which finds it as well.
func (s *socket) copyOut(in *pool.Chain, r netpoll.Reader, n int, left bool) error {
	bytes, err := r.Next(n)
	if err != nil {
		return err
	}
	room := 0
	if left && s.polled.Load() {
		room = restBytes
	}
	block := pool.Get(n + room)
	copy(block.Bytes(), bytes)
	if room > 0 {
		if more, err := rawRead(s.fd, block.Bytes()[n:]); err == nil {
			n += more
			if more > 0 && s.node == nodeUnknown {
				s.node = 0
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

// write hands out to the kernel in one system call where it takes all of it. When it does not, blocked
// is true, and writable is posted to the link when it has.
func (s *socket) write(out *pool.Chain) (blocked bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		out.Release()
		return false, net.ErrClosed
	}
	for out.Len() > 0 {
		n, err := s.writev(out)
		if n > 0 {
			out.Discard(n)
		}
		switch {
		case err == nil || errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			rest := new(pool.Chain)
			rest.AppendChain(out)
			go s.push(rest)
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

func (s *socket) writev(out *pool.Chain) (int, error) {
	views := out.Views()
	if len(views) == 1 {
		return rawWrite(s.fd, views[0].Bytes())
	}
	s.iov = s.iov[:0]
	for _, v := range views[:min(len(views), iovMax)] {
		b := v.Bytes()
		s.iov = append(s.iov, unix.Iovec{Base: &b[0]})
		s.iov[len(s.iov)-1].SetLen(len(b))
	}
	n, err := rawWritev(s.fd, s.iov)
	clear(s.iov)
	return n, err
}

// push waits, on a goroutine of its own, until a slow peer has taken rest.
func (s *socket) push(rest *pool.Chain) {
	s.registered.Wait()
	if s.flush(rest) != nil {
		s.link.fail(ErrPeerClosed)
	}
	s.link.turn.Post((*writable)(s.link))
}

// pushBytes is what a slow peer must take in WriteTimeout to be waited for any longer.
const pushBytes = 64 << 10

// flush holds the lock while it waits: netpoll's close wakes the wait before it asks for the
// lock. The timeout is our own: netpoll's panics for a connection made of a descriptor.
func (s *socket) flush(rest *pool.Chain) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		rest.Release()
		return net.ErrClosed
	}
	slow := time.AfterFunc(s.link.limits.WriteTimeout, func() { s.link.fail(ErrSlowPeer) })
	defer slow.Stop()
	for rest.Len() > 0 {
		n := min(rest.Len(), pushBytes)
		if err := s.flushFront(rest, n); err != nil {
			s.held.AppendChain(rest)
			return err
		}
		rest.Discard(n)
		slow.Reset(s.link.limits.WriteTimeout)
	}
	return nil
}

// flushFront hands the first n bytes of rest to netpoll, and waits until the kernel has them.
func (s *socket) flushFront(rest *pool.Chain, n int) error {
	w := s.conn.Writer()
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
func (s *socket) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held.Release()
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
	if err := newSocket(l, fder.Fd()).register(conn, nil); err != nil {
		return nil, err
	}
	return l, nil
}
