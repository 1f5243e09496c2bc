package tlsconf

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// shake connects a client to a server with the configuration, both in memory, and returns what
// the client saw.
func shake(t *testing.T, server, client *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	near, far := net.Pipe()
	deadline := time.Now().Add(10 * time.Second)
	near.SetDeadline(deadline)
	far.SetDeadline(deadline)
	served := make(chan error, 1)
	go func() {
		defer far.Close()
		conn := tls.Server(far, server)
		// One byte after the handshake also carries the session ticket of TLS 1.3.
		_, err := conn.Write([]byte{1})
		served <- err
	}()
	conn := tls.Client(near, client)
	_, err := io.ReadFull(conn, make([]byte, 1))
	state := conn.ConnectionState()
	near.Close()
	return state, errors.Join(err, <-served)
}

func mustNew(t *testing.T, config Config) *Source {
	t.Helper()
	s, err := New(config, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func trusting(s *Source) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate().Leaf)
	return pool
}

func TestSelfSignedHandshake(t *testing.T) {
	s := mustNew(t, Config{TestMode: true, Hosts: []string{"10.1.2.3", "proxy.example", "localhost"}})
	server := s.Server()
	for _, name := range []string{"localhost", "127.0.0.1", "::1", "10.1.2.3", "proxy.example"} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			state, err := shake(t, server, &tls.Config{ServerName: name, RootCAs: trusting(s), NextProtos: []string{"h2", "http/1.1"}, MinVersion: version, MaxVersion: version})
			if err != nil || state.NegotiatedProtocol != "h2" || state.Version != version {
				t.Errorf("%s with TLS %x: got %q, %v", name, version, state.NegotiatedProtocol, err)
			}
		}
	}
}

func TestSelfSignedCertificate(t *testing.T) {
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	s, err := New(Config{TestMode: true, Hosts: []string{"localhost", ""}}, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	leaf := s.Certificate().Leaf
	if public, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok || public.Curve != elliptic.P256() {
		t.Errorf("public key is %T", leaf.PublicKey)
	}
	if !leaf.NotBefore.Before(at) || leaf.NotAfter.Sub(leaf.NotBefore) > 825*24*time.Hour {
		t.Errorf("valid from %s to %s", leaf.NotBefore, leaf.NotAfter)
	}
	if i := slices.Index(leaf.DNSNames, "localhost"); i != 0 || slices.Contains(leaf.DNSNames[1:], "localhost") {
		t.Errorf("names %q", leaf.DNSNames)
	}
	if host, err := os.Hostname(); err == nil && leaf.VerifyHostname(host) != nil {
		t.Errorf("not valid for the host's name %s: %q", host, leaf.DNSNames)
	}
}

func TestWhatIsRefused(t *testing.T) {
	s := mustNew(t, Config{TestMode: true})
	for name, client := range map[string]*tls.Config{
		"another protocol":      {ServerName: "localhost", RootCAs: trusting(s), NextProtos: []string{"spdy/3"}},
		"TLS 1.1":               {ServerName: "localhost", RootCAs: trusting(s), MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11},
		"a suite without AEAD":  {ServerName: "localhost", RootCAs: trusting(s), MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}},
		"a curve of no profile": {ServerName: "localhost", RootCAs: trusting(s), CurvePreferences: []tls.CurveID{tls.CurveP521}},
	} {
		if _, err := shake(t, s.Server(), client); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	// No ALPN is no reason to refuse: the preface decides. crypto/tls lets HTTP/1.1 through too,
	// which then gets an answer that a person can read.
	for _, protocols := range [][]string{nil, {"http/1.1"}} {
		state, err := shake(t, s.Server(), &tls.Config{ServerName: "localhost", RootCAs: trusting(s), NextProtos: protocols})
		if err != nil || state.NegotiatedProtocol != "" {
			t.Errorf("with ALPN %q: got %q, %v", protocols, state.NegotiatedProtocol, err)
		}
	}
}

// TestSessionsResume also across a reload: the tickets' keys belong to the configuration.
func TestSessionsResume(t *testing.T) {
	s := mustNew(t, Config{TestMode: true})
	server := s.Server()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		client := &tls.Config{ServerName: "localhost", RootCAs: trusting(s), NextProtos: []string{"h2"}, MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
		for i, want := range []bool{false, true} {
			state, err := shake(t, server, client)
			if err != nil || state.DidResume != want {
				t.Errorf("TLS %x, handshake %d: resumed %v, %v", version, i+1, state.DidResume, err)
			}
		}
	}
}

func TestReload(t *testing.T) {
	s := mustNew(t, Config{TestMode: true})
	server, before := s.Server(), s.Certificate()
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	if s.Certificate() == before {
		t.Error("the certificate is still the old one")
	}
	if _, err := shake(t, server, &tls.Config{ServerName: "localhost", RootCAs: trusting(s)}); err != nil {
		t.Errorf("a configuration made before the reload: %v", err)
	}
}

// files are the PEM texts of a certificate and its key in dir.
type files struct{ cert, key string }

func writeFiles(t *testing.T, certs, key []byte) files {
	t.Helper()
	dir := t.TempDir()
	f := files{filepath.Join(dir, "proxy.crt"), filepath.Join(dir, "proxy.key")}
	for path, text := range map[string][]byte{f.cert: certs, f.key: key} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// certFor makes a certificate of the public key of signer, valid around now.
func certFor(t *testing.T, signer crypto.Signer, now time.Time) []byte {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, signer.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf("CERTIFICATE", der)
}

func inPKCS8(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf("PRIVATE KEY", der)
}

func TestFiles(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecDER, err := x509.MarshalECPrivateKey(ecKey)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string]struct {
		signer crypto.Signer
		key    []byte
	}{
		"PKCS #8 RSA":        {rsaKey, inPKCS8(t, rsaKey)},
		"PKCS #8 ECDSA":      {ecKey, inPKCS8(t, ecKey)},
		"PKCS #8 Ed25519":    {edKey, inPKCS8(t, edKey)},
		"PKCS #1":            {rsaKey, pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey))},
		"EC":                 {ecKey, pemOf("EC PRIVATE KEY", ecDER)},
		"EC with parameters": {ecKey, append(pemOf("EC PARAMETERS", []byte{6, 0}), pemOf("EC PRIVATE KEY", ecDER)...)},
	} {
		t.Run(name, func(t *testing.T) {
			chain := append(certFor(t, pair.signer, time.Now()), certFor(t, rsaKey, time.Now())...)
			f := writeFiles(t, chain, pair.key)
			s := mustNew(t, Config{CertPath: f.cert, KeyPath: f.key})
			if n := len(s.Certificate().Certificate); n != 2 {
				t.Errorf("%d certificates in the chain, want 2", n)
			}
			if _, err := shake(t, s.Server(), &tls.Config{ServerName: "localhost", RootCAs: trusting(s), NextProtos: []string{"h2"}}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFileErrors(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	exchange, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	cert, plain := certFor(t, key, now), inPKCS8(t, key)
	oldEncrypted := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"}, Bytes: []byte{1}})
	for name, test := range map[string]struct {
		cert, key []byte
		want      string // CERT and KEY stand for the paths
	}{
		"encrypted PKCS #8":    {cert, pemOf("ENCRYPTED PRIVATE KEY", []byte{1}), "private key KEY: is encrypted: set tlsKeyPassword, or tlsClientKeyPassword for the key that brokers are shown, or decrypt it with openssl pkey"},
		"encrypted PKCS #1":    {cert, oldEncrypted, "private key KEY: is encrypted"},
		"key of another":       {cert, inPKCS8(t, other), "private key KEY does not belong to the first certificate of CERT"},
		"files exchanged":      {plain, cert, "certificate CERT: has no PEM block CERTIFICATE; it has PRIVATE KEY"},
		"certificate as key":   {cert, cert, "private key KEY: has no PEM block PRIVATE KEY; it has CERTIFICATE"},
		"empty":                {nil, plain, "certificate CERT: has no PEM block CERTIFICATE; it is empty"},
		"DER":                  {[]byte{0x30, 0x82, 1, 2}, plain, "it is no PEM file: convert it with openssl x509"},
		"broken certificate":   {append(slices.Clone(cert), pemOf("CERTIFICATE", []byte{1})...), plain, "certificate CERT: certificate 2 of the file is broken"},
		"broken key":           {cert, pemOf("PRIVATE KEY", []byte{1}), "private key KEY: PEM block PRIVATE KEY is broken"},
		"key that cannot sign": {cert, inPKCS8(t, exchange), "cannot sign: use RSA, ECDSA or Ed25519"},
		"expired":              {certFor(t, key, now.Add(-24*time.Hour)), plain, "certificate CERT: expired on "},
		"not yet":              {certFor(t, key, now.Add(24*time.Hour)), plain, "certificate CERT: not valid before "},
	} {
		t.Run(name, func(t *testing.T) {
			f := writeFiles(t, test.cert, test.key)
			_, err := New(Config{CertPath: f.cert, KeyPath: f.key}, time.Now)
			want := strings.NewReplacer("CERT:", f.cert+":", "of CERT", "of "+f.cert, "KEY:", f.key+":", "key KEY", "key "+f.key).Replace(test.want)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
	for _, path := range []string{"", "/nowhere/x"} {
		_, err := New(Config{CertPath: path}, time.Now)
		if err == nil || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "set tlsCertPath to a PEM file") {
			t.Errorf("certificate %q: got %v", path, err)
		}
		f := writeFiles(t, cert, plain)
		if _, err := New(Config{CertPath: f.cert, KeyPath: path}, time.Now); err == nil || !strings.Contains(err.Error(), "set tlsKeyPath to a PEM file") {
			t.Errorf("key %q: got %v", path, err)
		}
	}
}

// TestFailedReloadKeepsTheOld is what lets a half-written file be harmless.
func TestFailedReloadKeepsTheOld(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	f := writeFiles(t, certFor(t, key, time.Now()), inPKCS8(t, key))
	s := mustNew(t, Config{CertPath: f.cert, KeyPath: f.key})
	before := s.Certificate()
	if err := os.WriteFile(f.key, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(); err == nil {
		t.Error("no error")
	}
	if s.Certificate() != before {
		t.Error("the old certificate is gone")
	}
}
