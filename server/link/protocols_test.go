package link

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// knock is how clients of the protocol of these tests begin.
const knock = "knock knock\n"

// knockers is a front that serves those who knock, and tells others what they said.
func knockers(front *Front) {
	front.Speaks = func(first []byte) Verdict {
		n := min(len(first), len(knock))
		switch {
		case string(first[:n]) != knock[:n]:
			return Never
		case n < len(knock):
			return More
		}
		return Yes
	}
	front.Reject = func(first []byte) []byte { return append([]byte("what is "), first...) }
}

// A client's first bytes may come in two pieces, cut anywhere.
func TestFirstBytesCutAnywhere(t *testing.T) {
	p := serve(t, DefaultLimits(), nil, knockers)
	for cut := 1; cut < len(knock); cut++ {
		conn := p.dialTCP()
		write(t, conn, knock[:cut])
		time.Sleep(time.Millisecond)
		write(t, conn, knock[cut:]+"hello")
		expect(t, conn, knock+"hello")
	}
}

// A TLS record is known by its first byte.
func TestTLSRecordCutAnywhere(t *testing.T) {
	p := serve(t, DefaultLimits(), nil, knockers)
	for cut := 1; cut < 8; cut++ {
		first := true
		cutting := chopped{p.dialTCP(), func() int {
			if first {
				first = false
				return cut
			}
			time.Sleep(time.Millisecond)
			return 1 << 20
		}}
		conn := tls.Client(cutting, clientTLS(tls.VersionTLS13))
		write(t, conn, knock)
		expect(t, conn, knock)
	}
}

// Inside TLS it is the first bytes that count, too.
func TestOtherProtocolInTLS(t *testing.T) {
	for _, over := range transports[1:] {
		t.Run(over.name, func(t *testing.T) {
			p := serve(t, DefaultLimits(), nil, knockers)
			conn := p.dial(over)
			write(t, conn, knock[:3])
			time.Sleep(time.Millisecond)
			write(t, conn, "!")
			expectEnd(t, conn, "what is "+knock[:3]+"!")
			conn = p.dial(over)
			write(t, conn, knock[:3])
			time.Sleep(time.Millisecond)
			write(t, conn, knock[3:]+"hello")
			expect(t, conn, knock+"hello")
		})
	}
}

// Who speaks something else is told so, and closed without a reset.
func TestOtherProtocols(t *testing.T) {
	p := serve(t, DefaultLimits(), nil, knockers)
	for name, said := range map[string]string{
		"HTTP/1.1":         "GET / HTTP/1.1\r\nHost: proxy\r\n\r\n",
		"one byte":         "?",
		"a frame":          "\x00\x00\x00\x10\x00\x00\x00\x0c{}",
		"a wrong knock":    knock[:5] + "?",
		"more than peeked": strings.Repeat("!", 3*firstBytesMax),
	} {
		conn := p.dialTCP()
		write(t, conn, said)
		got := make([]byte, 64)
		n, err := conn.Read(got)
		if want := "what is " + said; err != nil || !strings.HasPrefix(want, string(got[:n])) || n <= len("what is ") {
			t.Errorf("%s: told %q, %v", name, got[:n], err)
		}
		_ = conn.CloseWrite()
		for err == nil {
			_, err = conn.Read(got)
		}
		if err.Error() != "EOF" {
			t.Errorf("%s: ended with %v", name, err)
		}
		_ = conn.Close()
	}
	eventually(t, "all were reported", func() bool { return len(p.failures()) == 5 })
	for _, err := range p.failures() {
		if !errors.Is(err, errOtherProtocol) {
			t.Errorf("reported %v", err)
		}
	}
	if len(p.machines()) > 0 {
		t.Error("somebody got a machine")
	}
}

func TestTLSWhereThereIsNone(t *testing.T) {
	p := serve(t, DefaultLimits(), nil, knockers, func(front *Front) { front.TLS = nil })
	if err := tls.Client(p.dialTCP(), clientTLS(tls.VersionTLS13)).Handshake(); err == nil {
		t.Fatal("the handshake succeeded")
	}
	eventually(t, "it was reported", func() bool {
		failed := p.failures()
		return len(failed) == 1 && errors.Is(failed[0], errNoTLS)
	})
}

// Handshakes that fail have no machine.
func TestBadHandshakes(t *testing.T) {
	p := serve(t, DefaultLimits(), nil, knockers)
	for _, said := range [][]byte{
		{tlsRecordHandshake},
		{tlsRecordHandshake, 3, 1},
		append([]byte{tlsRecordHandshake, 3, 1, 0, 200}, make([]byte, 200)...),
		append([]byte{tlsRecordHandshake, 3, 1, 0xff, 0xff}, noise(70_000)...),
		append([]byte{tlsRecordHandshake}, noise(1000)...),
	} {
		conn := p.dialTCP()
		_, _ = conn.Write(said)
		_ = conn.CloseWrite()
		for got := make([]byte, 64); ; {
			if _, err := conn.Read(got); err != nil {
				break
			}
		}
	}
	eventually(t, "all were reported", func() bool { return len(p.failures()) == 5 })
	if len(p.machines()) > 0 {
		t.Error("somebody got a machine")
	}
}

// impatient are the limits of a port that waits so long for a protocol.
func impatient(d time.Duration) Limits {
	limits := DefaultLimits()
	limits.HandshakeTimeout = d
	return limits
}

// Who says nothing, or not enough, is closed; who spoke may be silent then.
func TestSilence(t *testing.T) {
	const short = 300 * time.Millisecond
	p := serve(t, impatient(short), nil, knockers)
	for _, said := range []string{"", "knock"} {
		conn := p.dialTCP()
		if said != "" {
			write(t, conn, said)
		}
		expectEnd(t, conn, "")
	}
	for _, err := range p.failures() {
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("reported %v", err)
		}
	}
	conn := p.dialTCP()
	write(t, conn, knock)
	expect(t, conn, knock)
	time.Sleep(2 * short)
	write(t, conn, "still here")
	expect(t, conn, "still here")
}

// Refuse closes the port and nothing else; Close ends what has no machine yet.
func TestRefuseAndClose(t *testing.T) {
	p := serve(t, DefaultLimits(), nil, knockers)
	plain := p.dialTCP()
	write(t, plain, knock)
	expect(t, plain, knock)
	secured := p.dial(transports[2])
	write(t, secured, knock)
	expect(t, secured, knock)
	silent := p.dialTCP()
	handshaking := p.dialTCP()
	write(t, handshaking, "\x16")
	eventually(t, "both are being opened", func() bool {
		p.Listener.mu.Lock()
		defer p.Listener.mu.Unlock()
		return len(p.opening) == 2
	})

	p.Refuse()
	if conn, err := net.Dial("tcp", p.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		if err == nil {
			_ = conn.Close()
		}
		t.Errorf("dialled a port that refuses: %v", err)
	}
	write(t, plain, "on")
	expect(t, plain, "on")
	write(t, secured, "on")
	expect(t, secured, "on")

	p.Listener.Close()
	expectEnd(t, silent, "")
	expectEnd(t, handshaking, "")
	for _, conn := range []net.Conn{plain, secured} {
		write(t, conn, "on")
		expect(t, conn, "on")
	}
}

// Whatever comes first, the port answers, serves or closes, and goes on.
func FuzzFirstBytes(f *testing.F) {
	for _, said := range []string{knock, "k", "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x00\xc8\x01", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x00\x00\x00\x10\x00\x00\x00\x0c"} {
		f.Add([]byte(said), 3)
	}
	p := serve(f, DefaultLimits(), nil, knockers)
	f.Fuzz(func(t *testing.T, said []byte, cut int) {
		conn, err := net.Dial("tcp", p.Addr().String())
		if err != nil {
			t.Skip(err) // out of ports
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(patience))
		cut = max(0, min(cut, len(said)))
		_, _ = conn.Write(said[:cut])
		_, _ = conn.Write(said[cut:])
		_ = conn.(*net.TCPConn).CloseWrite()
		var got bytes.Buffer
		_, err = got.ReadFrom(conn)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			t.Fatalf("neither answered nor closed: %q", said)
		case len(said) > 0 && said[0] != tlsRecordHandshake && said[0] != knock[0] && !bytes.HasPrefix(got.Bytes(), []byte("what is ")):
			t.Fatalf("told %q", got.Bytes())
		}
	})
}
