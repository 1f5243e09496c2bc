package link

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// counted joins counters to a front.
func counted(c *Counters) func(*Front) { return func(front *Front) { front.Counters = c } }

// refused wants a connection that is closed without a word, and counted.
func refused(t *testing.T, conn net.Conn, c *Counters, why Refusal, n uint64) {
	t.Helper()
	_, err := conn.Read(make([]byte, 1))
	if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("not closed: %v", err)
	}
	eventually(t, "the refusal is counted", func() bool { return c.Refused[why].Load() == n })
}

// from dials from an address of this machine.
func (p *port) from(host string) net.Conn {
	p.tb.Helper()
	dialer := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.ParseIP(host)}}
	conn, err := dialer.Dial("tcp", p.Addr().String())
	if err != nil {
		p.tb.Fatal(err)
	}
	p.tb.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(2 * patience))
	return conn
}

// hello says what is answered, so that the connection has its machine.
func (p *port) hello(conn net.Conn) net.Conn {
	p.tb.Helper()
	write(p.tb, conn, "hello")
	p.accepted()
	expect(p.tb, conn, "hello")
	return conn
}

// So many connections of one address are served, one more is closed at once and others' are not; when
// one has gone there is room again.
func TestConnectionsPerAddressMax(t *testing.T) {
	limits := DefaultLimits()
	limits.ConnectionsPerAddressMax = 2
	var c Counters
	p := serve(t, limits, nil, counted(&c))
	plain := p.hello(p.from("127.0.0.2"))
	secured := p.hello(tls.Client(p.from("127.0.0.2"), clientTLS(tls.VersionTLS13)))
	refused(t, p.from("127.0.0.2"), &c, TooManyPerAddress, 1)
	p.hello(p.from("127.0.0.3"))

	_ = plain.Close()
	eventually(t, "there is room", func() bool { return c.Open.Load() == 2 })
	p.hello(p.from("127.0.0.2"))
	refused(t, p.from("127.0.0.2"), &c, TooManyPerAddress, 2)
	_ = secured.Close()
	eventually(t, "there is room", func() bool { return c.Open.Load() == 2 })
	p.hello(p.from("127.0.0.2"))
	refused(t, p.from("127.0.0.2"), &c, TooManyPerAddress, 3)

	if n := c.Accepted.Load(); n != 8 {
		t.Errorf("%d were accepted", n)
	}
	p.end()
	eventually(t, "all are gone", func() bool {
		p.Listener.mu.Lock()
		defer p.Listener.mu.Unlock()
		return c.Open.Load() == 0 && len(p.perAddr) == 0
	})
}

// A load balancer has any number of connections; those of one client behind it are counted as its.
func TestConnectionsPerAddressMaxBehindARelay(t *testing.T) {
	limits := DefaultLimits()
	limits.ConnectionsPerAddressMax = 1
	var c Counters
	p := serve(t, limits, nil, knockers, introductions, counted(&c))
	for i, header := range []string{introduced[1].header, introduced[2].header} {
		conn := p.dialTCP()
		write(t, conn, header+knock)
		expect(t, conn, knock)
		conn = p.dialTCP()
		write(t, conn, header)
		refused(t, conn, &c, TooManyPerAddress, uint64(i+1))
	}
}

// What connections count for.
func TestCountedAs(t *testing.T) {
	ln := &Listener{limits: Limits{ConnectionsPerAddressMax: 1}}
	for peer, want := range map[string]string{
		"192.0.2.1:80":                      "192.0.2.1",
		"[::ffff:192.0.2.1]:80":             "192.0.2.1",
		"[2001:db8:1:2:3:4:5:6]:80":         "2001:db8:1:2::",
		"[2001:db8:1:2:ffff:4:5:6]:1":       "2001:db8:1:2::",
		"[fe80::1%eth0]:80":                 "fe80::",
		"@":                                 "invalid IP",
		"[2001:db8:1:3:ffff:4:5:6%lo]:4711": "2001:db8:1:3::",
	} {
		if got := ln.countedAs(peer); got.String() != want {
			t.Errorf("%s counts for %v, want %s", peer, got, want)
		}
	}
	ln.limits.ConnectionsPerAddressMax = 0
	if got := ln.countedAs("192.0.2.1:80"); got != (netip.Addr{}) {
		t.Errorf("counts for %v though nothing counts", got)
	}
}

// So many TLS handshakes go on, one more is closed at once; cleartext is served meanwhile, and TLS again
// when one is over.
func TestHandshakesMax(t *testing.T) {
	limits := DefaultLimits()
	limits.HandshakesMax = 2
	var c Counters
	p := serve(t, limits, nil, counted(&c))
	var stuck []net.Conn
	for range 2 {
		conn := p.dialTCP()
		write(t, conn, "\x16\x03")
		stuck = append(stuck, conn)
	}
	eventually(t, "both hold a handshake", func() bool { return c.Handshaking.Load() == 2 })
	for n := range 3 {
		conn := p.dialTCP()
		write(t, conn, "\x16\x03")
		refused(t, conn, &c, TooManyHandshakes, uint64(n+1))
	}
	p.meet(transports[0])
	_ = stuck[0].Close()
	eventually(t, "there is room", func() bool { return c.Handshaking.Load() == 1 })
	p.meet(transports[2])
	p.meet(transports[1])
	if n := c.Refused[TooManyHandshakes].Load(); n != 3 {
		t.Errorf("%d were refused", n)
	}
}

// A connection's time counts from its acceptance, also when TLS came later, for the machine too. And
// whoever uses it up is closed, wherever it is.
func TestHandshakeTimeout(t *testing.T) {
	p := serve(t, DefaultLimits(), nil)
	for _, over := range transports {
		tcp := p.dialTCP()
		eventually(t, "accepted", func() bool {
			p.Listener.mu.Lock()
			defer p.Listener.mu.Unlock()
			return len(p.opening) > 0
		})
		// What is tracked was accepted, and a moment later its time is taken.
		var conn net.Conn = tcp
		if over.tls != nil {
			secured := tls.Client(tcp, over.tls)
			if err := secured.Handshake(); err != nil {
				t.Fatal(err)
			}
			conn = secured
		}
		handshaken := time.Now()
		write(t, conn, "hello")
		e := p.accepted()
		if over.tls != nil && !e.link.Since.Before(handshaken) {
			t.Errorf("%s: since %v, but TLS was there at %v", over.name, e.link.Since, handshaken)
		}
		_ = conn.Close()
		p.causeOf(e)
	}

	var c Counters
	p = serve(t, impatient(200*time.Millisecond), nil, knockers, counted(&c))
	for n, over := range transports {
		conn := p.dial(over)
		write(t, conn, knock[:3])
		expectEnd(t, conn, "")
		eventually(t, "it was counted", func() bool { return c.Refused[Slow].Load() == uint64(n+1) })
	}
	conn := p.dialTCP()
	write(t, conn, "\x16\x03")
	expectEnd(t, conn, "")
	eventually(t, "it was counted", func() bool { return c.Refused[Slow].Load() == uint64(len(transports)+1) })
}

// Each refusal is counted as what it is.
func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		why    Refusal
		said   string
		change func(*Front)
	}{
		{Silent, "", nil},
		{Silent, knock[:3], nil},
		{OtherProtocol, "GET / HTTP/1.1\r\n\r\n", nil},
		{NoTLS, "\x16\x03", func(front *Front) { front.TLS = nil }},
		{CleartextRefused, knock, func(front *Front) { front.TLSOnly = true }},
		{BadHandshake, "\x16\x03\x01\x00\x04what", nil},
		{BadHandshake, "\x16\x03", nil},
		{BadIntroduction, introduced[1].header[:20], introductions},
	} {
		t.Run(test.why.String(), func(t *testing.T) {
			var c Counters
			changes := []func(*Front){knockers, counted(&c)}
			if test.change != nil {
				changes = append(changes, test.change)
			}
			p := serve(t, DefaultLimits(), nil, changes...)
			conn := p.dialTCP()
			write(t, conn, test.said)
			_ = conn.CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
			eventually(t, "it was reported", func() bool { return len(p.failures()) == 1 })
			for why := range Refusal(Refusals) {
				if n := c.Refused[why].Load(); (n == 1) != (why == test.why) {
					t.Errorf("%v: counted %d times", why, n)
				}
			}
			p.end()
			eventually(t, "nothing is open", func() bool { return c.Open.Load() == 0 && c.Handshaking.Load() == 0 })
		})
	}
}

// What the kernel may hold is what accepted sockets have: Linux doubles it for its own needs.
func TestReceiveBytes(t *testing.T) {
	limits := DefaultLimits()
	limits.ReceiveBytes = 64 << 10
	p := serve(t, limits, nil)
	p.dialTCP()
	var accepted *net.TCPConn
	eventually(t, "accepted", func() bool {
		p.Listener.mu.Lock()
		defer p.Listener.mu.Unlock()
		for conn := range p.opening {
			accepted = conn.(*net.TCPConn)
		}
		return accepted != nil
	})
	raw, err := accepted.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	if err := raw.Control(func(fd uintptr) { got, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF) }); err != nil {
		t.Fatal(err)
	}
	if err != nil || got != 2*limits.ReceiveBytes {
		t.Errorf("%d, %v, want twice %d", got, err, limits.ReceiveBytes)
	}
}
