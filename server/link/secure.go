package link

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"rocketmq-proxy/pool"
)

// secure is a TLS socket: the standard crypto/tls on the standard net, with one goroutine
// that waits for readability holding no buffer. Of eight shapes that were measured this one
// costs least alone and idle, has the kernel's back-pressure and deadlines that work.
//
//	          cipher bytes                 plain bytes
//	kernel ──────────────► wire ─► crypto/tls ─────────► link
//	kernel ◄────────────── wire ◄─ crypto/tls ◄───────── turn
//	          one write a batch
type secure struct {
	link *Link
	tls  *tls.Conn
	wire *wire

	gather []byte     // the turn's: small views of one batch, to share a record
	in     pool.Chain // the reading goroutine's: plain bytes on their way to the link
}

// errWouldBlock makes crypto/tls hand control back when the wire is empty. It is temporary,
// so that the half record already read is kept.
var errWouldBlock net.Error = wouldBlock{}

type wouldBlock struct{}

func (wouldBlock) Error() string   { return "no more bytes for now" }
func (wouldBlock) Timeout() bool   { return true }
func (wouldBlock) Temporary() bool { return true }

// handshake opens TLS on conn, of which peeked has been read already. side makes the client or the
// server of crypto/tls.
func handshake(conn *net.TCPConn, peeked []byte, timeout time.Duration, side func(wire net.Conn) *tls.Conn) (*secure, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &secure{wire: newWire(conn, raw, peeked, timeout)}
	s.tls = side(s.wire)
	s.wire.stalled = s.drained
	return s, s.tls.Handshake()
}

// attach joins s to its link. From here on nobody waits inside crypto/tls.
func (s *secure) attach(l *Link) {
	_ = s.wire.SetDeadline(time.Time{})
	s.wire.pumping = true
	s.link, l.socket = l, s
}

// serve reads until the connection ends, and returns when the socket is closed.
func (s *secure) serve() {
	if err := s.read(); !errors.Is(err, io.EOF) {
		s.link.setCause(err)
	}
	_ = s.wire.TCPConn.Close()
	s.wire.drop()
	s.link.turn.Post((*gone)(s.link))
}

// read turns readability into plain bytes until the connection ends. crypto/tls may hold
// bytes from behind the handshake, so the first round waits for nothing.
func (s *secure) read() error {
	for {
		ended := s.decrypt()
		if _, err := s.wire.flush(); err != nil {
			return err
		}
		if ended != nil {
			return ended
		}
		s.link.await()
		if err := s.wire.fill(); err != nil {
			return err
		}
	}
}

// decrypt hands all records that have come whole to the link. A nil error means that the wire
// is empty.
func (s *secure) decrypt() error {
	for {
		block := pool.Get(max(s.wire.unread(), plainBytesMin))
		n, err := io.ReadAtLeast(s.tls, block.Bytes(), block.Cap())
		s.in.Append(pool.ViewOf(block, 0, n))
		if err == nil || n > 0 && errors.Is(err, io.ErrUnexpectedEOF) { // that is of ReadAtLeast
			continue
		}
		if s.in.Len() > 0 {
			s.link.receive(&s.in, true)
		}
		if errors.Is(err, errWouldBlock) {
			return nil
		}
		return err
	}
}

// plainBytesMin is the smallest block that plain bytes are read into.
const plainBytesMin = 1 << 10

// recordBytes is how many plain bytes are gathered into one crypto/tls write; larger views
// are written as they are.
const recordBytes = 16 << 10

func (s *secure) write(out *pool.Chain) (bool, error) {
	defer out.Release()
	s.gather = s.gather[:0]
	for _, v := range out.Views() {
		large := v.Len() > recordBytes/2
		if large || len(s.gather)+v.Len() > recordBytes {
			if err := s.encrypt(); err != nil {
				return false, err
			}
		}
		if large {
			if _, err := s.tls.Write(v.Bytes()); err != nil {
				return false, err
			}
			continue
		}
		s.gather = append(s.gather, v.Bytes()...)
	}
	if err := s.encrypt(); err != nil {
		return false, err
	}
	if cap(s.gather) > recordBytes {
		s.gather = nil
	}
	return s.wire.flush()
}

func (s *secure) encrypt() error {
	if len(s.gather) == 0 {
		return nil
	}
	_, err := s.tls.Write(s.gather)
	s.gather = s.gather[:0]
	return err
}

// drained is told by the wire when a slow peer has taken everything, or has not in time.
func (s *secure) drained(err error) {
	if err != nil {
		if errors.Is(err, unix.ETIMEDOUT) || isTimeout(err) {
			err = ErrSlowPeer
		} else {
			err = ErrPeerClosed
		}
		s.link.fail(err)
	}
	s.link.turn.Post((*writable)(s.link))
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func (s *secure) closeWrite() {
	_ = s.tls.CloseWrite()
	_, _ = s.wire.flush()
	_ = s.wire.CloseWrite()
}

func (s *secure) close() {
	_ = s.tls.CloseWrite()
	_, _ = s.wire.flush()
	_ = s.wire.TCPConn.Close()
}

func (s *secure) abort() {
	_ = s.wire.SetLinger(0)
	_ = s.wire.TCPConn.Close()
}

func (s *secure) forget() { s.gather = nil }

func (s *secure) onDescriptor(do func(fd int)) {
	_ = s.wire.raw.Control(func(fd uintptr) { do(int(fd)) })
}

// wire is the net.Conn under crypto/tls. During the handshake it is the socket itself; after
// it, Read gives what fill has read and Write collects for flush.
type wire struct {
	*net.TCPConn
	raw     syscall.RawConn
	pumping bool
	stalled func(err error)
	timeout time.Duration // how long the peer may take nothing

	// the reading goroutine's
	in     []byte // unread cipher bytes
	from   *pool.Buffer
	reader attempt

	mu     sync.Mutex
	out    []byte // cipher bytes for the peer
	stuck  bool   // a goroutine of its own writes out
	writer attempt
}

// attempt is a system call on the descriptor. What is handed to a RawConn is made once and speaks through
// here: a closure for each call would be allocated, with everything it writes to.
type attempt struct {
	do     func(fd uintptr) (done bool)
	n      int
	failed error
}

func newWire(conn *net.TCPConn, raw syscall.RawConn, peeked []byte, timeout time.Duration) *wire {
	w := &wire{TCPConn: conn, raw: raw, in: peeked, timeout: timeout}
	w.reader.do, w.writer.do = w.tryRead, w.tryWrite
	return w
}

func (w *wire) unread() int { return len(w.in) }

// Read implements net.Conn for crypto/tls.
func (w *wire) Read(p []byte) (int, error) {
	if len(w.in) > 0 {
		n := copy(p, w.in)
		w.in = w.in[n:]
		return n, nil
	}
	if !w.pumping {
		return w.TCPConn.Read(p)
	}
	return 0, errWouldBlock
}

// Write implements net.Conn for crypto/tls.
func (w *wire) Write(p []byte) (int, error) {
	if !w.pumping {
		return w.TCPConn.Write(p)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = append(w.out, p...)
	return len(p), nil
}

// cipherBytesMax is how much is read from the kernel at once: four full records.
const cipherBytesMax = 64 << 10

// drop gives back the cipher bytes, which crypto/tls has copied or will never ask for.
func (w *wire) drop() {
	w.in = nil
	if w.from != nil {
		w.from.Release()
		w.from = nil
	}
}

// fill waits for readability, without holding a buffer, and reads once.
func (w *wire) fill() error {
	w.drop()
	err := w.raw.Read(w.reader.do)
	switch r := &w.reader; {
	case err != nil:
		return err
	case r.failed != nil:
		return r.failed
	case r.n == 0:
		return io.EOF
	}
	w.in = w.from.Bytes()[:w.reader.n]
	return nil
}

func (w *wire) tryRead(fd uintptr) (done bool) {
	r := &w.reader
	w.from = pool.Get(cipherBytesMax)
	r.n, r.failed = rawRead(int(fd), w.from.Bytes())
	if errors.Is(r.failed, unix.EAGAIN) || errors.Is(r.failed, unix.EINTR) {
		w.drop()
		return false
	}
	return true
}

// outBytesKept is how large the cipher buffer of a connection may be between two batches.
const outBytesKept = 64 << 10

// flush hands the collected cipher bytes to the kernel without waiting. When the kernel does
// not take all, a goroutine of its own waits for the peer and stalled is told afterwards.
func (w *wire) flush() (blocked bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stuck {
		return true, nil
	}
	for len(w.out) > 0 {
		n, err := w.writeOut()
		if err != nil {
			return false, err
		}
		if n == 0 {
			w.stuck = true
			rest := w.out
			w.out = nil
			go w.push(rest)
			return true, nil
		}
		w.out = append(w.out[:0], w.out[n:]...)
	}
	if cap(w.out) > outBytesKept {
		w.out = nil
	}
	return false, nil
}

// writeOut writes once, and 0 bytes when the kernel takes none.
func (w *wire) writeOut() (int, error) {
	w.writer.n, w.writer.failed = 0, nil // it is not called when the socket is closed
	err := w.raw.Write(w.writer.do)
	failed := w.writer.failed
	if errors.Is(failed, unix.EAGAIN) || errors.Is(failed, unix.EINTR) {
		return 0, nil
	}
	if err == nil {
		err = failed
	}
	return max(w.writer.n, 0), err
}

func (w *wire) tryWrite(fd uintptr) (done bool) {
	w.writer.n, w.writer.failed = rawWrite(int(fd), w.out)
	return true
}

// push writes rest, and what has been collected meanwhile, waiting for the peer.
func (w *wire) push(rest []byte) {
	for {
		_ = w.SetWriteDeadline(time.Now().Add(w.timeout))
		n, err := w.TCPConn.Write(rest[:min(len(rest), pushBytes)])
		if rest = rest[n:]; err == nil && len(rest) > 0 {
			continue
		}
		w.mu.Lock()
		if err != nil || len(w.out) == 0 {
			w.stuck = false
			w.mu.Unlock()
			w.stalled(err)
			return
		}
		rest, w.out = w.out, nil
		w.mu.Unlock()
	}
}
