package link

import (
	"crypto/tls"
	"testing"
)

// The kernel's figures and the handshake's are there while a connection lives; nobody who asks for
// them has to be on its turn.
func TestLook(t *testing.T) {
	overAll(t, func(t *testing.T, over transport) {
		p := serve(t, DefaultLimits(), nil)
		conn, e := p.meet(over)
		said := noise(50_000)
		write(t, conn, string(said))
		expect(t, conn, string(said))

		traffic, ok := e.link.Traffic()
		least := uint64(len("hello") + len(said))
		if !ok || traffic.ReceivedBytes < least || traffic.SentBytes < least {
			t.Errorf("%+v, %v; want at least %d bytes in and out", traffic, ok, least)
		}
		if over.tls == nil && (traffic.ReceivedBytes != least || traffic.SentBytes != least) {
			t.Errorf("%+v; want exactly %d bytes in and out", traffic, least)
		}
		if state, secured := e.link.TLS(); secured != (over.tls != nil) || secured && state.Version != conn.(*tls.Conn).ConnectionState().Version {
			t.Errorf("TLS: %v, version %x", secured, state.Version)
		}

		e.link.Close(errTestOver)
		p.causeOf(e)
		if traffic, ok := e.link.Traffic(); ok {
			t.Errorf("a closed socket has %+v", traffic)
		}
	})
}
