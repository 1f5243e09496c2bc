package link

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	mrand "math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/pool"
)

// patience is how long anything may take that must happen: the machine may be very busy.
const patience = 30 * time.Second

// transport is a way to a link.
type transport struct {
	name string
	tls  *tls.Config // the client's; nil: cleartext
}

var transports = []transport{
	{"cleartext", nil},
	{"TLS 1.2", clientTLS(tls.VersionTLS12)},
	{"TLS 1.3", clientTLS(tls.VersionTLS13)},
}

func clientTLS(version uint16) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version}
}

func overAll(t *testing.T, test func(t *testing.T, over transport)) {
	for _, over := range transports {
		t.Run(over.name, func(t *testing.T) { test(t, over) })
	}
}

// certificate is made once: it is of no interest here.
var certificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

// port is a listener whose connections echo.
type port struct {
	*Listener
	tb     testing.TB
	echoes chan *echo // accepted, not asked for yet

	mu     sync.Mutex
	all    []*echo
	failed []error
}

// serve opens a port that ends with the test, and then checks that nothing is left. prepare may
// be nil; it sees each machine before its first byte.
func serve(tb testing.TB, limits Limits, prepare func(*echo), change ...func(*Front)) *port {
	tb.Helper()
	p := &port{tb: tb, echoes: make(chan *echo, 4096)}
	front := Front{
		Speaks: func([]byte) Verdict { return Yes },
		Machine: func(l *Link) Machine {
			e := newEcho()
			e.link = l
			if prepare != nil {
				prepare(e)
			}
			p.mu.Lock()
			p.all = append(p.all, e)
			p.mu.Unlock()
			p.echoes <- e
			return e
		},
		TLS: &tls.Config{Certificates: []tls.Certificate{certificate()}},
		Failed: func(_ string, err error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.failed = append(p.failed, err)
		},
	}
	for _, c := range change {
		c(&front)
	}
	ln, err := Listen("127.0.0.1:0", front, limits)
	if err != nil {
		tb.Fatal(err)
	}
	p.Listener = ln
	tb.Cleanup(func() {
		p.end()
		eventually(tb, "all buffers released", func() bool { return pool.Live() == 0 })
	})
	return p
}

var errTestOver = errors.New("the test is over")

// end closes everything and holds every machine to having heard of its end once.
func (p *port) end() {
	p.Listener.Close()
	for _, e := range p.machines() {
		e.link.Close(errTestOver)
	}
	for _, e := range p.machines() {
		p.causeOf(e)
	}
	time.Sleep(10 * time.Millisecond) // a second Close would come right behind the first
	for _, e := range p.machines() {
		e.mu.Lock()
		if len(e.causes) != 1 {
			p.tb.Errorf("Machine.Close was called %d times: %v", len(e.causes), e.causes)
		}
		e.mu.Unlock()
	}
}

func (p *port) machines() []*echo {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*echo(nil), p.all...)
}

func (p *port) failures() []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]error(nil), p.failed...)
}

// accepted is the machine of the next connection.
func (p *port) accepted() *echo {
	p.tb.Helper()
	select {
	case e := <-p.echoes:
		return e
	case <-time.After(patience):
		p.tb.Fatal("no connection got a machine")
		return nil
	}
}

// causeOf waits for the end of a machine.
func (p *port) causeOf(e *echo) error {
	p.tb.Helper()
	select {
	case <-e.closed:
	case <-time.After(patience):
		p.tb.Error("Machine.Close was not called")
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.causes[0]
}

func (p *port) dialTCP() *net.TCPConn {
	p.tb.Helper()
	conn, err := net.DialTimeout("tcp", p.Addr().String(), patience)
	if err != nil {
		p.tb.Fatal(err)
	}
	p.tb.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(2 * patience))
	return conn.(*net.TCPConn)
}

func (p *port) dial(over transport) net.Conn {
	p.tb.Helper()
	conn := p.dialTCP()
	if over.tls == nil {
		return conn
	}
	secured := tls.Client(conn, over.tls)
	if err := secured.Handshake(); err != nil {
		p.tb.Fatal(err)
	}
	return secured
}

// meet dials and says hello, so that the connection has its machine.
func (p *port) meet(over transport) (net.Conn, *echo) {
	p.tb.Helper()
	conn := p.dial(over)
	write(p.tb, conn, "hello")
	e := p.accepted()
	if !e.mute {
		expect(p.tb, conn, "hello")
	}
	return conn, e
}

func write(tb testing.TB, conn io.Writer, text string) {
	tb.Helper()
	if _, err := conn.Write([]byte(text)); err != nil {
		tb.Fatalf("write: %v", err)
	}
}

func expect(tb testing.TB, conn io.Reader, text string) {
	tb.Helper()
	got := make([]byte, len(text))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != text {
		tb.Fatalf("read %q, %v, want %q", got, err, text)
	}
}

// expectEnd reads to the end of the connection and wants nothing but text before it.
func expectEnd(tb testing.TB, conn io.Reader, text string) {
	tb.Helper()
	got, err := io.ReadAll(conn)
	if err != nil || string(got) != text {
		tb.Fatalf("read %.100q to the end, %v, want %.100q", got, err, text)
	}
}

func eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			tb.Errorf("never happened: %s (%d buffers are out)", what, pool.Live())
			return
		}
	}
}

// noise is n bytes that tell their place: no two stretches of it are alike.
func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = mrand.NewChaCha8([32]byte{byte(n), byte(n >> 8)}).Read(b)
	return b
}

func sameBytes(tb testing.TB, got, want []byte) {
	tb.Helper()
	if bytes.Equal(got, want) {
		return
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			tb.Fatalf("byte %d of %d differs (want %d in all)", i, len(got), len(want))
		}
	}
	tb.Fatalf("got %d bytes, want %d", len(got), len(want))
}

// inboxBytes is how many received bytes the turn has not taken yet.
func (l *Link) inboxBytes() int {
	l.inMu.Lock()
	defer l.inMu.Unlock()
	return l.in.Len()
}
