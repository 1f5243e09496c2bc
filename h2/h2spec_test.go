package h2

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/h2/h2spec"
	"rocketmq-proxy/pool"
)

// twelve answers any request with twelve bytes of DATA, so that h2spec has something to see.
type twelve struct{}

func (twelve) Open(*Stream) (Handler, grpc.Status) { return twelve{}, grpc.Status{} }
func (twelve) Offload(Work)                        { panic("nothing here is compressed") }
func (twelve) ClientStreams() bool                 { return true }
func (twelve) Message(*Stream, *pool.Chain)        {}
func (twelve) HalfClosed(s *Stream)                { s.Reply([]byte("seven b")) }
func (twelve) Canceled(*Stream, error)             {}

// TestH2spec holds the connection against h2spec, strict cases included; none is skipped.
func TestH2spec(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: h2spec is a program of its own, which sees no more of a race")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	program, err := h2spec.Build(ctx, t.TempDir())
	if errors.Is(err, h2spec.ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Run("cleartext", func(t *testing.T) {
		holdsAgainstH2spec(ctx, t, program, func(sock net.Conn) net.Conn { return sock })
	})
	t.Run("TLS", func(t *testing.T) {
		config := &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}, NextProtos: []string{"h2"}}
		over := func(sock net.Conn) net.Conn { return tls.Server(sock, config) }
		holdsAgainstH2spec(ctx, t, program, over, "--tls", "--insecure")
	})
}

func holdsAgainstH2spec(ctx context.Context, t *testing.T, program string, over func(net.Conn) net.Conn, flags ...string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var links sync.WaitGroup
	links.Go(func() {
		for {
			sock, err := listener.Accept()
			if err != nil {
				return
			}
			links.Go(func() { serveSpec(over(sock)) })
		}
	})
	report, err := h2spec.Run(ctx, program, listener.Addr().String(), flags...)
	listener.Close()
	links.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if report != (h2spec.Report{Tests: h2spec.Tests, Passed: h2spec.Tests}) {
		t.Errorf("%d cases of h2spec, %d passed, %d skipped, %d failed:\n%s",
			report.Tests, report.Passed, report.Skipped, report.Failed, report.Failures)
	}
}

func serveSpec(sock net.Conn) {
	defer sock.Close()
	cfg := &Config{anyRequest: true, Limits: Limits{StreamsMax: 100}}
	c := New(cfg, twelve{}, time.Now())
	flush := func() { sock.Write(drain(c)) }
	flush()
	b := make([]byte, 32<<10)
	for !c.Done() {
		n, err := sock.Read(b)
		if err != nil {
			break
		}
		var in pool.Chain
		in.Write(b[:n])
		c.Feed(time.Now(), &in)
		in.Release()
		flush()
	}
	// Closing with unread input would reset the connection and lose the GOAWAY.
	sock.(interface{ CloseWrite() error }).CloseWrite()
	sock.SetReadDeadline(time.Now().Add(time.Second))
	for {
		if _, err := sock.Read(b); err != nil {
			break
		}
	}
	c.Close(nil)
}

// selfSigned is a certificate that nobody looks at.
func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
