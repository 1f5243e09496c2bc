package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/config"
)

// identity is a key with a self-signed certificate of its own.
type identity struct {
	cert, key []byte // PEM
	pair      tls.Certificate
}

func newIdentity(tb testing.TB, name string) *identity {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return &identity{
		cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		key:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
		pair: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
	}
}

// certificateFiles is where a proxy looks for its certificate.
type certificateFiles struct {
	testing.TB
	cert, key string
}

func newCertificateFiles(tb testing.TB, first *identity) *certificateFiles {
	dir := tb.TempDir()
	f := &certificateFiles{tb, filepath.Join(dir, "proxy.crt"), filepath.Join(dir, "proxy.key")}
	f.write(first)
	return f
}

func (f *certificateFiles) write(i *identity) {
	f.Helper()
	for path, text := range map[string][]byte{f.cert: i.cert, f.key: i.key} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			f.Fatal(err)
		}
	}
}

func (f *certificateFiles) configure(c *config.Config) {
	c.TLS.TestMode, c.TLS.CertPath, c.TLS.KeyPath = false, f.cert, f.key
}

// shown is whose certificate the proxy shows to a new connection.
func (w *world) shown() string {
	w.Helper()
	conn, err := tls.Dial("tcp", w.addr(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		w.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
}

// New certificates are taken while clients come and go, and no call of theirs fails.
func TestCertificatesAreReloadedUnderLoad(t *testing.T) {
	const swaps, clients = 20, 4
	files := newCertificateFiles(t, newIdentity(t, "0"))
	w := start(t, files.configure, func(c *config.Config) { c.TLS.WatchEvery = 10 * time.Millisecond })
	w.over = secure
	stop, busy := make(chan struct{}), sync.WaitGroup{}
	for range clients {
		busy.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				c := w.client("visitor")
				for range 5 {
					c.queryRoute(apiv2.Code_OK, "orders")
				}
				_ = c.conn.Close()
			}
		})
	}
	stays := w.client("stays")
	for i := range swaps {
		name := string(rune('a' + i))
		files.write(newIdentity(t, name))
		eventually(t, "the new certificate is shown", func() bool { return w.shown() == name })
		stays.queryRoute(apiv2.Code_OK, "orders")
	}
	close(stop)
	busy.Wait()
	files.write(&identity{cert: []byte("half a fi")})
	eventually(t, "the bad file is reported", func() bool {
		return strings.Contains(w.log.String(), "new TLS files cannot be used: the last good ones stay")
	})
	if name := w.shown(); name != string(rune('a'+swaps-1)) {
		t.Errorf("%q is shown", name)
	}
}

// With the settings of production a new certificate is shown within a second.
func TestReloadTakesLessThanASecond(t *testing.T) {
	files := newCertificateFiles(t, newIdentity(t, "old"))
	w := start(t, files.configure)
	if every := config.Default(config.Environment{}).TLS.WatchEvery; every > time.Second/2 {
		t.Errorf("files are looked at every %v", every)
	}
	files.write(newIdentity(t, "new"))
	begun := time.Now()
	eventually(t, "the new certificate is shown", func() bool { return w.shown() == "new" })
	t.Logf("shown after %v", time.Since(begun))
}

func TestTLSModes(t *testing.T) {
	cleartext := func(c net.Conn) net.Conn { return c }
	t.Run("disabled", func(t *testing.T) {
		w := start(t, func(c *config.Config) { c.TLS.Mode = config.TLSDisabled })
		w.client("honest").queryRoute(apiv2.Code_OK, "orders")
		conn, err := tls.Dial("tcp", w.addr(), &tls.Config{InsecureSkipVerify: true})
		if err == nil {
			conn.Close()
			t.Fatal("it speaks TLS")
		}
		if !strings.Contains(err.Error(), "protocol version not supported") {
			t.Errorf("a TLS client sees %v", err)
		}
	})
	t.Run("enforcing", func(t *testing.T) {
		w := start(t, func(c *config.Config) { c.TLS.Mode = config.TLSEnforcing })
		w.over = secure
		w.client("honest").queryRoute(apiv2.Code_OK, "orders")
		w.over = cleartext
		conn := w.dial()
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(patience))
		if _, err := io.WriteString(conn, preface); err != nil {
			t.Fatal(err)
		}
		if answer, err := io.ReadAll(conn); err != nil || !strings.Contains(string(answer), "this port speaks TLS only (tlsServerMode is enforcing)") {
			t.Errorf("a cleartext client sees %q, %v", answer, err)
		}
	})
	t.Run("permissive", func(t *testing.T) {
		overBoth(t, func(_ *testing.T, w *world) { w.client("honest").queryRoute(apiv2.Code_OK, "orders") })
	})
}

// Clients without a certificate of those that are trusted are turned away, and the log names those
// that are let in.
func TestClientCertificates(t *testing.T) {
	friend, stranger := newIdentity(t, "friend"), newIdentity(t, "stranger")
	trust := filepath.Join(t.TempDir(), "clients.crt")
	if err := os.WriteFile(trust, friend.cert, 0o600); err != nil {
		t.Fatal(err)
	}
	w := start(t, func(c *config.Config) { c.TLS.ClientAuth, c.TLS.TrustPath = config.ClientAuthRequire, trust })
	as := func(who ...tls.Certificate) func(net.Conn) net.Conn {
		return func(conn net.Conn) net.Conn {
			return tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}, Certificates: who})
		}
	}
	w.over = as(friend.pair)
	c := w.client("friend")
	c.queryRoute(apiv2.Code_OK, "orders")
	_ = c.conn.Close()
	eventually(t, "the log names the friend", func() bool { return strings.Contains(w.log.String(), `"certificate":"CN=friend"`) })
	for _, over := range []func(net.Conn) net.Conn{as(), as(stranger.pair)} {
		w.over = over
		conn := w.dial()
		_ = conn.SetDeadline(time.Now().Add(patience))
		// With TLS 1.3 a client hears of it behind its own handshake.
		if _, err := conn.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("a client without a certificate that is trusted sees %v", err)
		}
		_ = conn.Close()
	}
}
