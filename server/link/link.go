// Package link joins a socket to a machine on a turn. It is the only importer of netpoll.
//
// A [Link] is one socket. Bytes that arrive are put into its inbox as views and its turn is
// run; at the end of each batch the machine is drained and what it wants to say leaves in
// one system call. A turn never blocks: when the kernel does not take everything, a goroutine
// of its own waits for the slow peer, the machine is not drained meanwhile, and the machine's
// cap on unsent output decides how long that may go on. Who reads waits, when enough has been
// read, for the turn to take it.
//
// Sockets live on netpoll's pollers ([socket]). TLS is a step that a turn takes between the socket and
// the machine ([secure]); its handshake, which blocks, comes before there is either. What the machine
// speaks is not known here. A poller that reads runs the turn as well, but for large reads, and the
// turns of other sockets that this wakes run when it has read from all ([bell]).
package link

import (
	"crypto/x509"
	"errors"
	"sync"
	"time"

	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/turn"
)

// Machine is a connection's protocol state. Its link calls it, always on the link's turn.
type Machine interface {
	// Feed takes bytes from the peer. After an error the machine is drained once more, for
	// its farewell, and the link closes.
	Feed(now time.Time, in *pool.Chain) error
	// Drain appends what the peer is to be told to out.
	Drain(out *pool.Chain)
	// Tick tells that time has passed.
	Tick(now time.Time)
	// Due is when Tick is next wanted; zero: never.
	Due() time.Time
	// Done tells that nothing more will be said: the link closes when all is flushed.
	Done() bool
	// Close tells that the link is gone, exactly once. Everything pending hears of it.
	Close(cause error)
}

// Errors that Machine.Close is given besides the machine's own.
var (
	// ErrPeerClosed: the peer closed the connection, or the network did.
	ErrPeerClosed = errors.New("connection closed by the peer")
	// ErrSlowPeer: the peer did not take output for WriteTimeout.
	ErrSlowPeer = errors.New("peer did not read for writeTimeout")
	// ErrDone: the machine said all it had to say.
	ErrDone = errors.New("conversation ended")
)

// Limits bounds what one socket may hold.
type Limits struct {
	// InboxBytesMax is how many bytes may wait for a turn before no more is read: the rest is
	// better kept by the kernel, and by the peer. One read may exceed it.
	InboxBytesMax int
	// ReceiveBytes is what the kernel may hold of what a client sent (SO_RCVBUF), and so how
	// much one read finds at most. Linux doubles it, and caps it at net.core.rmem_max. 0
	// leaves it to the kernel, which lets a fast client have 6 MiB on its way.
	ReceiveBytes int
	// WriteTimeout is how long a peer may take nothing while output waits for it.
	WriteTimeout time.Duration
	// ConnectionsMax is how many connections a Listener has at once; more are closed as soon as
	// they are accepted. 0: there is no bound.
	ConnectionsMax int
	// ConnectionsPerAddressMax is the same for one IPv4 address, or one IPv6 network of 64 bits,
	// which is what a single customer of a provider has; of a client behind a relay it is that of
	// the client. 0: there is no bound.
	ConnectionsPerAddressMax int
	// HandshakesMax is how many TLS handshakes a Listener has at once; connections with more are
	// closed. 0: there is no bound.
	HandshakesMax int
	// HandshakeTimeout is how long an accepted connection may keep silent, or dribble, before its
	// protocol is known, an introduction and the TLS handshake included. The machine is told when
	// it began, by Link.Since. 0: for ever.
	HandshakeTimeout time.Duration
}

// DefaultLimits keep one turn's worth of small messages.
func DefaultLimits() Limits {
	return Limits{
		InboxBytesMax: 256 << 10, ReceiveBytes: 256 << 10, WriteTimeout: 20 * time.Second,
		HandshakesMax: 1024, HandshakeTimeout: 10 * time.Second,
	}
}

// Link is one socket, with an inbox and one machine.
type Link struct {
	Ends

	turn    *turn.Turn
	machine Machine
	socket  *socket
	secure  *secure // nil: cleartext
	limits  *Limits

	ended    func()    // told when all is over; may be nil
	counters *Counters // nil: nobody counts

	// Certificate is what the peer of an accepted TLS connection has shown, verified; nil: nothing.
	Certificate *x509.Certificate

	inMu   sync.Mutex
	in     pool.Chain // arrived, not yet taken by the turn
	posted bool       // the turn has this link in its inbox
	taken  sync.Cond  // the turn has taken in; of inMu
	cause  error      // why the link ended; the first reason stays

	// the turn's
	feed    pool.Chain
	out     pool.Chain
	blocked bool // the socket still works on an earlier write
	ending  bool // nothing more is fed; close as soon as nothing is blocked
	unheard int  // bytes that came meanwhile
	linger  *time.Timer
	gone    bool // Machine.Close was called
}

// EndTurn drains the machine into the socket. A client link is the owner of its turn; a lane,
// whose turn outlives its sockets, calls this at the end of its own.
func (l *Link) EndTurn(time.Time) {
	if l.blocked || l.gone || l.linger != nil {
		l.boundUnsaid()
		return
	}
	l.machine.Drain(&l.out)
	if l.secure != nil {
		l.secure.seal(&l.out)
	}
	if l.out.Len() > 0 {
		l.write()
	}
	if (l.ending || l.machine.Done()) && !l.blocked {
		l.part()
	}
}

// boundUnsaid ends a TLS connection whose peer makes it answer, and takes no answers.
func (l *Link) boundUnsaid() {
	if l.secure != nil && l.secure.unsaid() > unsaidBytesMax && !l.gone {
		l.fail(ErrSlowPeer)
	}
}

// How long, and for how many bytes, a peer that has been told everything may go on sending.
const (
	lingerTimeMax  = time.Second
	lingerBytesMax = 1 << 20
)

// part ends the conversation from our side, and waits a moment for the peer to do so too:
// closing over unread input makes the kernel reset the connection, and the peer may never see
// what it was told last.
func (l *Link) part() {
	l.setCause(ErrDone)
	l.ending = true
	l.conclude()
	if !l.blocked {
		l.socket.closeWrite()
	}
	l.linger = time.AfterFunc(lingerTimeMax, l.socket.abort)
}

// conclude tells the peer of a TLS connection that nothing more will be said.
func (l *Link) conclude() {
	if l.secure != nil {
		l.secure.farewell(&l.out)
		l.write()
	}
}

// ignore drops what a peer still says when nobody listens any more.
func (l *Link) ignore() {
	l.unheard += l.feed.Len()
	l.feed.Release()
	if l.unheard > lingerBytesMax && !l.gone {
		l.socket.abort()
	}
}

func (l *Link) write() {
	blocked, err := l.socket.write(&l.out)
	l.out.Trim()
	l.blocked = blocked
	if err != nil {
		l.fail(ErrPeerClosed)
	}
}

// Tick passes the time on to the machine.
func (l *Link) Tick(now time.Time) {
	if !l.gone {
		l.machine.Tick(now)
	}
}

// Due is when the machine next wants to hear of the time.
func (l *Link) Due() time.Time {
	if l.gone {
		return time.Time{}
	}
	return l.machine.Due()
}

func newLink(t *turn.Turn, m Machine, limits *Limits, ends Ends) *Link {
	l := &Link{turn: t, machine: m, limits: limits, Ends: ends}
	l.taken.L = &l.inMu
	return l
}

// Turn is the turn that runs the machine.
func (l *Link) Turn() *turn.Turn { return l.turn }

// Close ends the link from any goroutine; cause reaches Machine.Close.
func (l *Link) Close(cause error) {
	if l.secure == nil {
		l.fail(cause)
		return
	}
	l.setCause(cause)
	l.turn.Post((*farewell)(l))
}

// farewell is the event of a TLS connection that is closed from elsewhere.
type farewell Link

// OnTurn tells the peer that this is no accident.
func (f *farewell) OnTurn(time.Time) {
	l := (*Link)(f)
	if !l.gone && !l.blocked && l.linger == nil {
		l.conclude()
	}
	l.socket.close()
}

// OnTurn feeds the machine what has arrived since the last time.
func (l *Link) OnTurn(now time.Time) {
	l.inMu.Lock()
	l.in, l.feed = l.feed, l.in
	l.posted = false
	l.inMu.Unlock()
	l.taken.Signal()
	if l.gone || l.ending {
		l.ignore()
		return
	}
	in, ended := &l.feed, error(nil)
	if l.secure != nil {
		in, ended = l.secure.open(&l.feed)
	}
	if err := l.machine.Feed(now, in); err != nil {
		ended = err
	}
	if ended != nil {
		l.setCause(ended)
		l.ending = true
	}
}

// receive takes in and has the turn run with it: here, when here is true, the caller is inside
// no turn and has time. It is true when no more should be read before [Link.await].
func (l *Link) receive(in *pool.Chain, here bool) (full bool) {
	l.inMu.Lock()
	l.in.AppendChain(in)
	full = l.in.Len() > l.limits.InboxBytesMax
	post := !l.posted
	l.posted = true
	l.inMu.Unlock()
	switch {
	case post && here:
		l.turn.PostHere(l)
	case post:
		l.turn.Post(l)
	}
	return full
}

// await keeps the goroutine that reads until the turn has taken what waits for it. A turn never
// waits for input, so that is soon.
func (l *Link) await() {
	l.turn.Hasten()
	l.inMu.Lock()
	defer l.inMu.Unlock()
	for l.in.Len() > l.limits.InboxBytesMax {
		l.taken.Wait()
	}
}

func (l *Link) setCause(cause error) {
	l.inMu.Lock()
	defer l.inMu.Unlock()
	if l.cause == nil {
		l.cause = cause
	}
}

// condemned tells that we have ended the link ourselves.
func (l *Link) condemned() bool {
	l.inMu.Lock()
	defer l.inMu.Unlock()
	return l.cause != nil
}

// fail closes the socket for a reason; the first one given is the one that is told.
func (l *Link) fail(cause error) {
	l.setCause(cause)
	l.socket.close()
}

// unborn is the machine of a link that has none yet.
type unborn struct{}

func (unborn) Feed(time.Time, *pool.Chain) error { return nil }
func (unborn) Drain(*pool.Chain)                 {}
func (unborn) Tick(time.Time)                    {}
func (unborn) Due() time.Time                    { return time.Time{} }
func (unborn) Done() bool                        { return false }
func (unborn) Close(error)                       {}

// birth is the event that makes the machine of an accepted connection. It is one, so that
// whoever gets to know the link by it may close the link, or post to its turn, at once.
type birth struct {
	link *Link
	make func(*Link) Machine
}

// OnTurn feeds the new machine what was read to know its protocol.
func (b *birth) OnTurn(now time.Time) {
	if !b.link.gone {
		b.link.machine = b.make(b.link)
	}
	b.link.OnTurn(now)
}

// writable is the event of a socket that has handed a blocked write to the kernel.
type writable Link

// OnTurn lets the end of this batch drain the machine again.
func (w *writable) OnTurn(time.Time) { (*Link)(w).blocked = false }

// gone is the event of a socket that has closed, whoever closed it.
type gone Link

// OnTurn tells the machine, once.
func (g *gone) OnTurn(time.Time) {
	l := (*Link)(g)
	if l.gone {
		return
	}
	l.gone = true
	l.inMu.Lock()
	cause := l.cause
	l.in.Release()
	l.inMu.Unlock()
	if cause == nil {
		cause = ErrPeerClosed
	}
	if l.counters != nil && errors.Is(cause, ErrSlowPeer) {
		l.counters.SlowPeers.Add(1)
	}
	if l.linger != nil {
		l.linger.Stop()
	}
	l.machine.Close(cause)
	l.feed.Release()
	l.out.Release()
	l.socket.forget()
	if l.secure != nil {
		l.secure.forget()
	}
	if l.ended != nil {
		l.ended()
	}
	if l.turn.OwnedBy(l) {
		l.turn.Stop()
	}
}
