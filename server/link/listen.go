package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"

	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/turn"
)

// Verdict is what the first bytes of a connection say about its protocol.
type Verdict int

// The verdicts of a Front.
const (
	More  Verdict = iota // too few bytes to tell
	Yes                  // this front speaks it
	Never                // it is something else
)

// Front is what answers on a port.
type Front struct {
	// Speaks judges the first bytes of a connection, below TLS where there is TLS.
	Speaks func(first []byte) Verdict
	// Machine makes the machine of a new connection. It is called once the link has its
	// addresses and its turn.
	Machine func(l *Link) Machine
	// Reject is what a person, or a client of another protocol, is told who sent first.
	Reject func(first []byte) []byte
	// TLS is the configuration for connections that begin with a TLS record. Nil: such
	// connections are rejected.
	TLS *tls.Config
	// TLSOnly rejects what Speaks would take in cleartext.
	TLSOnly bool
	// Relays are the networks of those who may say who is behind them, before anything else; what
	// others say is the client's. None: there are no relays.
	Relays []netip.Prefix
	// Introduction reads that from the first bytes of a relay: n of them. Never: they are not an
	// introduction, so the relay is served as what it is. It bounds how much More is asked for. Nil
	// without Relays.
	Introduction func(first []byte) (said Introduction, n int, verdict Verdict, err error)
	// Failed hears of connections that ended before they had a machine: bad handshakes,
	// other protocols, silence. May be nil.
	Failed func(remote string, err error)
	// DescriptorsMax is for how many connections the machine has descriptors: more are closed as soon as they
	// are accepted. A connection has one, and for a moment two. 0: for any number.
	DescriptorsMax int
	// Shortage hears when there are too few descriptors for more connections, and when that is over; of
	// each once, not of each connection. The listener waits meanwhile. May be nil.
	Shortage func(s Shortage)
	// Memory has connections closed as soon as they are accepted while it is at [pool.NoConnections]. Nil: there
	// is always enough.
	Memory *pool.Pressure
	// Counters is what is counted into; Listeners that share it share HandshakesMax. Nil: nobody
	// counts.
	Counters *Counters
}

// Errors that Front.Failed hears.
var (
	errNoFirstBytes  = errors.New("no complete first bytes")
	errOtherProtocol = errors.New("neither TLS nor HTTP/2")
	errNoTLS         = errors.New("TLS is not enabled on this port")
	errTLSOnly       = errors.New("cleartext on a port that speaks TLS only")
	errTooMany       = errors.New("connectionsMax: too many connections")

	errNoDescriptors = errors.New("too few descriptors for more connections")
	errNoMemory      = errors.New("GOMEMLIMIT: too little memory for more connections")

	errTooManyPerAddress = errors.New("connectionsPerAddressMax: too many connections of one address")
	errTooManyHandshakes = errors.New("tlsHandshakesMax: too many TLS handshakes")
)

// firstBytesMax is how many bytes are read, and looked at; the HTTP/2 preface has 24.
const firstBytesMax = 512

// tlsRecordHandshake is the first byte of a TLS ClientHello (RFC 8446 section 5.1).
const tlsRecordHandshake = 0x16

// Listener accepts connections on one port and tells protocols apart by their first bytes.
type Listener struct {
	net    net.Listener
	front  Front
	limits Limits

	mu      sync.Mutex
	opening map[net.Conn]netip.Addr // accepted, without a machine; and what they count for
	links   int                     // the others
	perAddr map[netip.Addr]int      // of both, with ConnectionsPerAddressMax
	closed  bool
	done    sync.WaitGroup

	descriptors descriptors
}

// cutOff has the kernel find peers within 9 s whose host, or the way to it, is gone without a word.
// It asks those that are silent, which costs the process nothing while they acknowledge it.
var cutOff = net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: time.Second, Count: 4}

// Listen opens addr (host:port; an empty host is every interface) and serves front on it.
func Listen(addr string, front Front, limits Limits) (*Listener, error) {
	configurePollers()
	inner, err := (&net.ListenConfig{Control: limits.control, KeepAliveConfig: cutOff}).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, err
	}
	ln := newListener(inner, front, limits)
	ln.start()
	return ln, nil
}

func newListener(inner net.Listener, front Front, limits Limits) *Listener {
	if front.Counters == nil {
		front.Counters = new(Counters)
	}
	return &Listener{
		net: inner, front: front, limits: limits,
		opening: make(map[net.Conn]netip.Addr), perAddr: make(map[netip.Addr]int),
	}
}

func (ln *Listener) start() { ln.done.Go(ln.accept) }

// control sets what accepted sockets inherit from the one that listens.
func (l Limits) control(_, _ string, raw syscall.RawConn) error {
	if l.ReceiveBytes <= 0 {
		return nil
	}
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, l.ReceiveBytes)
	})
	return errors.Join(err, failed)
}

// Addr is the address that was opened.
func (ln *Listener) Addr() net.Addr { return ln.net.Addr() }

// Refuse stops accepting. Connections that have a machine live on.
func (ln *Listener) Refuse() { _ = ln.net.Close() }

// Close stops accepting, closes every connection without a machine, and waits for their goroutines.
// Links are closed by who holds them.
func (ln *Listener) Close() {
	ln.Refuse()
	ln.mu.Lock()
	ln.closed = true
	for conn := range ln.opening {
		_ = conn.Close()
	}
	ln.mu.Unlock()
	ln.done.Wait()
}

// acceptPauseMax bounds the pause after a failed accept, such as with no descriptors left at all: the
// kernel keeps those who dial meanwhile.
const acceptPauseMax = 500 * time.Millisecond

// acceptPauseMin is the first pause; each next one is twice as long.
const acceptPauseMin = 5 * time.Millisecond

func (ln *Listener) accept() {
	pause := time.Duration(0)
	for {
		conn, err := ln.net.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			pause = min(max(2*pause, acceptPauseMin), acceptPauseMax)
			ln.failed("", err)
			time.Sleep(pause)
			continue
		}
		pause = 0
		tcp := conn.(*net.TCPConn)
		ln.front.Counters.Accepted.Add(1)
		if err := ln.track(tcp); err != nil {
			ln.failed(tcp.RemoteAddr().String(), err)
			_ = tcp.Close()
			continue
		}
		ln.done.Go(func() {
			defer ln.untrack(tcp)
			ln.open(tcp)
		})
	}
}

// track counts a connection that was accepted, unless there are too many. One of a relay counts for no
// address until the relay has said for which.
func (ln *Listener) track(conn net.Conn) error {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	switch all := ln.connections(); {
	case ln.closed:
		return net.ErrClosed
	case ln.limits.ConnectionsMax > 0 && all >= ln.limits.ConnectionsMax:
		return errTooMany
	case ln.front.DescriptorsMax > 0 && all >= ln.front.DescriptorsMax:
		return errNoDescriptors
	case ln.front.Memory.Level() >= pool.NoConnections:
		return errNoMemory
	}
	var addr netip.Addr
	if !ln.trusts(conn.RemoteAddr()) {
		addr = ln.countedAs(conn.RemoteAddr().String())
	}
	if err := ln.arrive(addr); err != nil {
		return err
	}
	ln.opening[conn] = addr
	ln.front.Counters.Open.Add(1)
	if ln.descriptors.taken(time.Now()) {
		ln.tellShortage(Shortage{Over: true})
	}
	return nil
}

// connections is how many there are.
func (ln *Listener) connections() int { return len(ln.opening) + ln.links }

// attribute counts a connection for the client that its relay has named.
func (ln *Listener) attribute(conn net.Conn, ends Ends) error {
	if ends.Relay == "" {
		return nil
	}
	addr := ln.countedAs(ends.RemoteAddr)
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if err := ln.arrive(addr); err != nil {
		return err
	}
	ln.opening[conn] = addr
	return nil
}

// countedAs is what a peer, host:port, counts for: its IPv4 address, or its IPv6 network. It is not
// valid where nothing counts.
func (ln *Listener) countedAs(peer string) netip.Addr {
	if ln.limits.ConnectionsPerAddressMax <= 0 {
		return netip.Addr{}
	}
	addr := hostOf(peer)
	if addr.Is6() {
		network, _ := addr.Prefix(64)
		return network.Addr()
	}
	return addr
}

func (ln *Listener) arrive(addr netip.Addr) error {
	if !addr.IsValid() {
		return nil
	}
	if ln.perAddr[addr] >= ln.limits.ConnectionsPerAddressMax {
		return errTooManyPerAddress
	}
	ln.perAddr[addr]++
	return nil
}

// depart is the end of a connection that was tracked.
func (ln *Listener) depart(addr netip.Addr) {
	ln.front.Counters.Open.Add(-1)
	if ln.descriptors.left(ln.connections()) {
		ln.tellShortage(Shortage{Over: true})
	}
	if !addr.IsValid() {
		return
	}
	if ln.perAddr[addr]--; ln.perAddr[addr] == 0 {
		delete(ln.perAddr, addr)
	}
}

// promote counts a connection as a link, until what it returns is called.
func (ln *Listener) promote(conn net.Conn) (left func()) {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	addr := ln.opening[conn]
	delete(ln.opening, conn)
	ln.links++
	return func() {
		ln.mu.Lock()
		defer ln.mu.Unlock()
		ln.links--
		ln.depart(addr)
	}
}

func (ln *Listener) untrack(conn net.Conn) {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if addr, here := ln.opening[conn]; here {
		delete(ln.opening, conn)
		ln.depart(addr)
	}
}

func (ln *Listener) failed(remote string, err error) {
	if !errors.Is(err, net.ErrClosed) { // that is our own end
		why := refusalOf(err)
		ln.front.Counters.Refused[why].Add(1)
		if why == NoDescriptors {
			ln.shortOfDescriptors(err)
		}
	}
	if ln.front.Failed != nil {
		ln.front.Failed(remote, err)
	}
}

// open finds out what conn speaks and makes a link of it, to which the descriptor lives on.
func (ln *Listener) open(conn *net.TCPConn) {
	defer conn.Close()
	begun := time.Now()
	if ln.limits.HandshakeTimeout > 0 {
		_ = conn.SetDeadline(begun.Add(ln.limits.HandshakeTimeout))
	}
	ends, first, err := ln.introduced(conn)
	ends.Since = begun
	verdict := Never
	if err == nil {
		err = ln.attribute(conn, ends)
	}
	if err == nil {
		first, verdict, err = ln.peek(conn, first)
	}
	switch {
	case err != nil:
	case verdict == Yes && ln.front.TLSOnly:
		err = ln.reject(conn, first, errTLSOnly)
	case verdict == Yes:
		err = ln.adopt(ln.newLink(ends), conn, first)
	case first[0] != tlsRecordHandshake:
		err = ln.reject(conn, first, errOtherProtocol)
	case ln.front.TLS == nil:
		err = ln.reject(conn, first, errNoTLS)
	default:
		err = ln.openSecure(conn, ends, first)
	}
	if err != nil {
		ln.failed(ends.RemoteAddr, err)
	}
}

// peek reads on until first tells the protocol.
func (ln *Listener) peek(conn net.Conn, first []byte) ([]byte, Verdict, error) {
	for {
		if len(first) > 0 {
			if first[0] == tlsRecordHandshake {
				return first, Never, nil
			}
			if verdict := ln.front.Speaks(first); verdict != More || len(first) >= firstBytesMax {
				return first, verdict, nil
			}
		}
		var err error
		if first, err = readMore(conn, first); err != nil {
			return first, Never, errors.Join(errNoFirstBytes, err)
		}
	}
}

// closeWriter is what TCP and TLS have in common beyond net.Conn.
type closeWriter interface {
	net.Conn
	CloseWrite() error
}

func (ln *Listener) reject(conn closeWriter, first []byte, why error) error {
	if ln.front.Reject != nil {
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = conn.Write(ln.front.Reject(first))
		// What the peer still sends is read away for a moment: closing over unread input
		// would make the kernel reset the connection and lose the answer.
		_ = conn.CloseWrite()
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		rest := make([]byte, firstBytesMax)
		for range 128 {
			if _, err := conn.Read(rest); err != nil {
				break
			}
		}
	}
	return why
}

func (ln *Listener) newLink(ends Ends) *Link {
	l := newLink(nil, unborn{}, &ln.limits, ends)
	l.counters = ln.front.Counters
	l.turn = turn.New(l)
	return l
}

// begin makes the machine and feeds it the bytes that were read to know its protocol. The link
// has its socket.
func (ln *Listener) begin(l *Link, first []byte) {
	l.inMu.Lock()
	l.in.Append(pool.Copied(first))
	l.inMu.Unlock()
	l.turn.PostHere(&birth{l, ln.front.Machine})
}

// adopt has l live on conn's descriptor. first are the plain bytes that were read to know the protocol.
func (ln *Listener) adopt(l *Link, conn *net.TCPConn, first []byte) error {
	return carry(l, conn, func() {
		l.ended = ln.promote(conn)
		if l.secure != nil {
			l.secure.detach(first)
			first = nil
		}
		ln.begin(l, first)
	})
}

// carry gives a duplicate of a connection's descriptor to a poller, for l; the connection itself is
// closed by the caller, which does not end it. begin comes before the poller, so that the machine's
// first event is its birth.
func carry(l *Link, conn *net.TCPConn, begin func()) error {
	fd, err := duplicate(conn)
	if err != nil {
		return err
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	join(l.turn)
	s := newSocket(l, fd)
	begin()
	if err := s.register(netpoll.NewFDConnection(fd)); err != nil {
		_ = unix.Close(fd)
		return err
	}
	return nil
}

func duplicate(conn *net.TCPConn) (fd int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return -1, err
	}
	var failed error
	err = raw.Control(func(old uintptr) {
		fd, failed = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0)
	})
	return fd, errors.Join(err, failed)
}

// handshake opens TLS on conn, unless too many do.
func (ln *Listener) handshake(conn *net.TCPConn, first []byte) (*secure, error) {
	now := &ln.front.Counters.Handshaking
	defer now.Add(-1)
	if n := now.Add(1); ln.limits.HandshakesMax > 0 && n > int64(ln.limits.HandshakesMax) {
		return nil, errTooManyHandshakes
	}
	s, err := handshake(conn, first, func(wire net.Conn) *tls.Conn { return tls.Server(wire, ln.front.TLS) })
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errHandshake, err)
	}
	return s, nil
}

// openSecure finds out what is spoken under TLS.
func (ln *Listener) openSecure(conn *net.TCPConn, ends Ends, first []byte) error {
	s, err := ln.handshake(conn, first)
	if err != nil {
		return err
	}
	first, verdict, err := ln.peek(s.tls, nil)
	switch {
	case err != nil:
		return err
	case verdict != Yes:
		return ln.reject(s.tls, first, errOtherProtocol)
	}
	l := ln.newLink(ends)
	l.secure = s
	if state := s.tls.ConnectionState(); len(state.VerifiedChains) > 0 {
		l.Certificate = state.VerifiedChains[0][0]
	}
	return ln.adopt(l, conn, first)
}
