package link

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"

	"rocketmq-proxy/pool"
)

// secure is TLS between a socket and a machine: the standard crypto/tls, which the link's turn calls
// and nobody else. The socket below is the same as in cleartext, so that TLS costs what its records
// cost, and no goroutine, thread or turn more.
//
//	          cipher bytes                        plain bytes
//	socket ─────────────────► open ─► crypto/tls ─────────────► machine
//	socket ◄───────────────── seal ◄─ crypto/tls ◄───────────── machine
//	                             one record a batch
type secure struct {
	tls   *tls.Conn
	wire  *wire
	plain pool.Chain // of one batch; before the first, what was read to know the protocol
}

// errWouldBlock makes crypto/tls hand control back when the wire is empty. It is temporary,
// so that the half record already read is kept.
var errWouldBlock net.Error = wouldBlock{}

type wouldBlock struct{}

func (wouldBlock) Error() string   { return "no more bytes for now" }
func (wouldBlock) Timeout() bool   { return true }
func (wouldBlock) Temporary() bool { return true }

// handshake opens TLS on conn, of which peeked has been read already, and blocks as conn does. side
// makes the client or the server of crypto/tls.
func handshake(conn *net.TCPConn, peeked []byte, side func(wire net.Conn) *tls.Conn) (*secure, error) {
	s := &secure{wire: &wire{conn: conn, peeked: peeked}}
	s.tls = side(s.wire)
	return s, s.tls.Handshake()
}

// detach lets go of the connection that carried the handshake, whose descriptor lives on in a
// socket. From here on crypto/tls talks to a turn: it may hold bytes from behind the handshake, so
// the first open, on the birth of the machine, needs none.
func (s *secure) detach(first []byte) {
	s.plain.Append(pool.Copied(first))
	s.wire.in.Append(pool.Copied(s.wire.peeked))
	s.wire.conn, s.wire.peeked = nil, nil
}

// plainBytesMin is the smallest block that plain bytes are read into.
const plainBytesMin = 1 << 10

// open decrypts all records that have come whole with in, which it takes. What it returns is valid
// until the next open. An error is the end of what can be read: [ErrPeerClosed] when the peer said so.
func (s *secure) open(in *pool.Chain) (*pool.Chain, error) {
	s.wire.in.AppendChain(in)
	for {
		block := pool.Get(max(s.wire.in.Len(), plainBytesMin))
		n, err := io.ReadAtLeast(s.tls, block.Bytes(), block.Cap())
		s.plain.Append(pool.ViewOf(block, 0, n))
		switch {
		case err == nil || n > 0 && errors.Is(err, io.ErrUnexpectedEOF): // that is of ReadAtLeast
		case errors.Is(err, errWouldBlock):
			return &s.plain, nil
		case errors.Is(err, io.EOF):
			return &s.plain, ErrPeerClosed
		default:
			return &s.plain, err
		}
	}
}

// recordBytes is how many plain bytes fit into one record (RFC 8446 section 5.1).
const recordBytes = 16 << 10

// seal encrypts out, and puts what crypto/tls has to say by itself in front of it. After a failure,
// of which the peer has been told by then, there is nothing to say but that.
func (s *secure) seal(out *pool.Chain) {
	for out.Len() > 0 {
		if !s.sealRecord(out) {
			break
		}
	}
	out.Release()
	s.say(out)
}

// say moves the cipher bytes for the peer to out.
func (s *secure) say(out *pool.Chain) {
	out.AppendChain(&s.wire.out)
	s.wire.out.Trim()
}

// sealRecord encrypts a record's worth of out. Small views share it.
func (s *secure) sealRecord(out *pool.Chain) bool {
	n := min(out.Len(), recordBytes)
	if first := out.Views()[0]; first.Len() >= n {
		_, err := s.tls.Write(first.Bytes()[:n])
		out.Discard(n)
		return err == nil
	}
	block := pool.Get(n)
	defer block.Release()
	_, err := s.tls.Write(out.AppendRange(block.Bytes()[:0], 0, n))
	out.Discard(n)
	return err == nil
}

// farewell is the alert that nothing more will be said (RFC 8446 section 6.1), behind what is still
// unsaid.
func (s *secure) farewell(out *pool.Chain) {
	_ = s.tls.CloseWrite()
	s.say(out)
}

// unsaid is how much crypto/tls has to say by itself.
func (s *secure) unsaid() int { return s.wire.out.Len() }

// unsaidBytesMax is how much that may be while the peer does not take what it was told before. Answers
// to key updates are meant, of 30 bytes each.
const unsaidBytesMax = 16 << 10

// forget releases what is left at the end.
func (s *secure) forget() {
	s.plain.Release()
	s.wire.in.Release()
	s.wire.out.Release()
}

// wire is the net.Conn under crypto/tls. During the handshake it is conn, from where the first bytes
// have been read; after it, it is two chains of cipher bytes, which are the turn's.
type wire struct {
	conn   *net.TCPConn // nil: after the handshake
	peeked []byte

	in  pool.Chain
	out pool.Chain
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	switch {
	case len(w.peeked) > 0:
		n := copy(p, w.peeked)
		w.peeked = w.peeked[n:]
		return n, nil
	case w.conn != nil:
		return w.conn.Read(p)
	case w.in.Len() == 0:
		return 0, errWouldBlock
	}
	n := copy(p, w.in.Views()[0].Bytes())
	w.in.Discard(n)
	return n, nil
}

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) {
	if w.conn != nil {
		return w.conn.Write(p)
	}
	w.out.Write(p)
	return len(p), nil
}

// Close implements net.Conn.
func (w *wire) Close() error { return w.during((*net.TCPConn).Close) }

// SetDeadline implements net.Conn. A turn waits for nothing, so nothing of it needs one.
func (w *wire) SetDeadline(t time.Time) error {
	return w.during(func(c *net.TCPConn) error { return c.SetDeadline(t) })
}

// SetReadDeadline implements net.Conn.
func (w *wire) SetReadDeadline(t time.Time) error {
	return w.during(func(c *net.TCPConn) error { return c.SetReadDeadline(t) })
}

// SetWriteDeadline implements net.Conn.
func (w *wire) SetWriteDeadline(t time.Time) error {
	return w.during(func(c *net.TCPConn) error { return c.SetWriteDeadline(t) })
}

// during does something with the connection of the handshake.
func (w *wire) during(do func(c *net.TCPConn) error) error {
	if w.conn == nil {
		return nil
	}
	return do(w.conn)
}

// LocalAddr implements net.Conn.
func (w *wire) LocalAddr() net.Addr {
	if w.conn == nil {
		return new(net.TCPAddr)
	}
	return w.conn.LocalAddr()
}

// RemoteAddr implements net.Conn.
func (w *wire) RemoteAddr() net.Addr {
	if w.conn == nil {
		return new(net.TCPAddr)
	}
	return w.conn.RemoteAddr()
}
