package link

import (
	"errors"
	"io"
	"testing"
	"time"
)

// A peer that makes TLS answer, with key updates, and takes no answers is a slow one.
func TestUnsaidAnswersOfTLSAreBounded(t *testing.T) {
	for _, over := range []struct {
		bytes int
		ends  bool
	}{{unsaidBytesMax, false}, {unsaidBytesMax + 1, true}} {
		p := serve(t, DefaultLimits(), nil)
		conn, e := p.meet(transports[2])
		done := make(chan struct{})
		e.link.turn.Post(act(func() {
			e.link.blocked = true // as by a peer that takes nothing
			_, _ = e.link.secure.wire.Write(make([]byte, over.bytes))
			e.link.EndTurn(time.Now())
			e.link.secure.wire.out.Release()
			e.link.blocked = false
			close(done)
		}))
		<-done
		if !over.ends {
			write(t, conn, "still here")
			expect(t, conn, "still here")
			continue
		}
		if cause := p.causeOf(e); !errors.Is(cause, ErrSlowPeer) {
			t.Errorf("%d unsaid bytes: %v", over.bytes, cause)
		}
	}
}

// Whoever closes a TLS link, its peer hears that it was meant, and not cut off.
func TestCloseOfTLSIsNoAccident(t *testing.T) {
	p := serve(t, DefaultLimits(), nil)
	conn, e := p.meet(transports[2])
	e.link.Close(errTestOver)
	if n, err := conn.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// What crypto/tls has read behind the handshake waits for no further bytes.
func TestFirstRequestRightBehindTheHandshake(t *testing.T) {
	p := serve(t, DefaultLimits(), nil)
	for range 50 {
		conn := p.dial(transports[2])
		write(t, conn, "first")
		expect(t, conn, "first")
		_ = conn.Close()
	}
}
