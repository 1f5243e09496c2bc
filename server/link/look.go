package link

import (
	"crypto/tls"
	"time"

	"golang.org/x/sys/unix"
)

// Traffic is what the kernel has counted of one socket, so that nobody else has to. Bytes are those
// that TCP carries: of a TLS connection they are encrypted, handshake included.
type Traffic struct {
	ReceivedBytes uint64        // what the peer sent
	SentBytes     uint64        // what has left for the peer, what was sent again counted once
	ResentBytes   uint64        // what was sent again
	UnsentBytes   uint32        // what waits in the kernel for the peer's window, or the network's
	RoundTrip     time.Duration // as the kernel estimates it
}

// Traffic asks the kernel (tcp(7), TCP_INFO). It may be called from any goroutine and waits for nobody.
// ok is false when the socket is closed.
func (l *Link) Traffic() (t Traffic, ok bool) {
	l.socket.onDescriptor(func(fd int) {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			return
		}
		ok = true
		t = Traffic{
			ReceivedBytes: info.Bytes_received,
			SentBytes:     info.Bytes_sent - info.Bytes_retrans,
			ResentBytes:   info.Bytes_retrans,
			UnsentBytes:   info.Notsent_bytes,
			RoundTrip:     time.Duration(info.Rtt) * time.Microsecond,
		}
	})
	return t, ok
}

// TLS is what was agreed on in the handshake; ok is false in cleartext. It may be called from any
// goroutine.
func (l *Link) TLS() (state tls.ConnectionState, ok bool) {
	if l.secure == nil {
		return state, false
	}
	return l.secure.tls.ConnectionState(), true
}
