package link

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/pool"
)

// TestEndings has a connection end in every way there is; the machine hears of it once.
func TestEndings(t *testing.T) {
	for _, ending := range []struct {
		name string
		end  func(t *testing.T, conn net.Conn, e *echo)
		want error // nil: whatever the standard library calls it
	}{
		{"peer closes", func(_ *testing.T, conn net.Conn, _ *echo) { _ = conn.Close() }, ErrPeerClosed},
		{"peer resets", func(_ *testing.T, conn net.Conn, _ *echo) { reset(conn) }, nil},
		{"peer half-closes", func(t *testing.T, conn net.Conn, _ *echo) {
			_ = tcpOf(conn).CloseWrite() // below TLS: no close_notify
			expectEnd(t, tcpOf(conn), "")
		}, ErrPeerClosed},
		{"we close", func(t *testing.T, conn net.Conn, e *echo) {
			e.link.Close(errTestOver)
			expectEnd(t, conn, "")
		}, errTestOver},
		{"we close twice", func(_ *testing.T, _ net.Conn, e *echo) {
			e.link.Close(errTestOver)
			e.link.Close(errFedUp)
		}, errTestOver},
		{"the machine is done", func(t *testing.T, conn net.Conn, e *echo) {
			e.onTurn(func() {
				e.out.Append(pool.Copied([]byte("goodbye")))
				e.done = true
			})
			expectEnd(t, conn, "goodbye")
		}, ErrDone},
		{"the machine is fed up", func(t *testing.T, conn net.Conn, e *echo) {
			e.onTurn(func() { e.on = fedUp })
			write(t, conn, "grr")
			expectEnd(t, conn, "goodbyegrr")
		}, errFedUp},
		{"the machine is fed up, and the peer goes on", func(t *testing.T, conn net.Conn, e *echo) {
			e.onTurn(func() { e.on = fedUp })
			go func() {
				for {
					if _, err := conn.Write([]byte("grr")); err != nil {
						return
					}
				}
			}()
			got, _ := io.ReadAll(conn) // it is not reset before it has read what it was told
			if text := string(got); !strings.HasPrefix(text, "goodbyegrr") {
				t.Errorf("read %q", text)
			}
		}, errFedUp},
		{"peer resets while much is on its way", func(_ *testing.T, conn net.Conn, e *echo) {
			stall(e, make([]byte, tooMuch))
			reset(conn)
		}, nil},
		{"we close while much is on its way", func(_ *testing.T, _ net.Conn, e *echo) {
			stall(e, make([]byte, tooMuch))
			e.link.Close(errTestOver)
		}, errTestOver},
	} {
		t.Run(ending.name, func(t *testing.T) {
			overAll(t, func(t *testing.T, over transport) {
				p := serve(t, DefaultLimits(), nil)
				conn, e := p.meet(over)
				ending.end(t, conn, e)
				cause := p.causeOf(e)
				if cause == nil || ending.want != nil && !errors.Is(cause, ending.want) {
					t.Errorf("closed for %v, want %v", cause, ending.want)
				}
			})
		})
	}
}

// fedUp says goodbye and fails.
func fedUp(e *echo, _ []byte) error {
	e.out.Append(pool.Copied([]byte("goodbye")))
	return errFedUp
}

func tcpOf(conn net.Conn) *net.TCPConn {
	if secured, ok := conn.(*tls.Conn); ok {
		conn = secured.NetConn()
	}
	return conn.(*net.TCPConn)
}

func reset(conn net.Conn) {
	tcp := tcpOf(conn)
	_ = tcp.SetLinger(0)
	_ = tcp.Close()
}

// What a peer asks before its FIN is answered before the connection ends.
func TestRequestAndFIN(t *testing.T) {
	overAll(t, func(t *testing.T, over transport) {
		p := serve(t, DefaultLimits(), nil)
		conn, e := p.meet(over)
		write(t, conn, "and one more thing")
		closer, _ := conn.(interface{ CloseWrite() error }) // TLS: close_notify
		if err := closer.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		expectEnd(t, conn, "and one more thing")
		if cause := p.causeOf(e); !errors.Is(cause, ErrPeerClosed) {
			t.Errorf("closed for %v", cause)
		}
	})
}

// Bytes that are no TLS, in the middle of it: the connection ends, the machine hears why.
func TestGarbageInTLS(t *testing.T) {
	for _, over := range transports[1:] {
		for name, garbage := range map[string][]byte{
			"no record":      []byte("GET / HTTP/1.1\r\n\r\n"),
			"undecryptable":  append([]byte{0x17, 3, 3, 0x40, 0}, noise(0x4000)...),
			"half a record":  {0x17, 3, 3, 0x40, 0, 1, 2, 3},
			"huge record":    {0x17, 3, 3, 0xff, 0xff},
			"unknown record": append([]byte{0x42, 3, 3, 0, 5}, "hello"...),
		} {
			t.Run(over.name+"/"+name, func(t *testing.T) {
				p := serve(t, DefaultLimits(), nil)
				conn, e := p.meet(over)
				tcp := tcpOf(conn)
				if _, err := tcp.Write(garbage); err != nil {
					t.Fatal(err)
				}
				_ = tcp.CloseWrite()
				if cause := p.causeOf(e); cause == nil {
					t.Error("closed for nothing")
				}
			})
		}
	}
}

// Links are closed from any goroutine, also while the turn writes.
func TestCloseDuringWrites(t *testing.T) {
	overAll(t, func(t *testing.T, over transport) {
		p := serve(t, DefaultLimits(), nil)
		body := bytes.Repeat([]byte("w"), 100_000)
		for i := range 20 {
			conn, e := p.meet(over)
			drained := make(chan struct{})
			go func() {
				defer close(drained)
				_, _ = io.Copy(io.Discard, conn)
			}()
			go func() {
				time.Sleep(time.Duration(i) * 200 * time.Microsecond)
				e.link.Close(errTestOver)
			}()
			for range 50 {
				e.onTurn(func() {
					if len(e.causes) == 0 {
						e.out.Append(pool.Copied(body))
					}
				})
			}
			if cause := p.causeOf(e); !errors.Is(cause, errTestOver) {
				t.Errorf("closed for %v", cause)
			}
			<-drained
		}
	})
}

// A peer that sends faster than its turn works is made to wait.
func TestInboxBytesMax(t *testing.T) {
	limits := Limits{InboxBytesMax: 256 << 10, ReceiveBytes: 128 << 10, WriteTimeout: patience}
	overAll(t, func(t *testing.T, over transport) {
		p := serve(t, limits, func(e *echo) { e.mute = true })
		conn, e := p.meet(over)
		working, work := make(chan struct{}), make(chan struct{})
		e.link.Turn().Post(act(func() { close(working); <-work }))
		<-working
		sent := make(chan int)
		go func() {
			n := 0
			for piece := make([]byte, 64<<10); n < tooMuch; {
				wrote, err := conn.Write(piece)
				if n += wrote; err != nil {
					break
				}
			}
			sent <- n
		}()
		eventually(t, "the inbox is full", func() bool { return e.link.inboxBytes() > limits.InboxBytesMax })
		time.Sleep(50 * time.Millisecond) // the sender gets stuck
		if n := e.link.inboxBytes(); n > limits.InboxBytesMax+2*limits.ReceiveBytes {
			t.Errorf("%d bytes in the inbox", n)
		}
		close(work)
		if n := <-sent; n != tooMuch {
			t.Errorf("only %d of %d bytes could be sent", n, tooMuch)
		}
		eventually(t, "all was heard", func() bool {
			e.mu.Lock()
			defer e.mu.Unlock()
			return e.fed == tooMuch+len("hello")
		})
	})
}
