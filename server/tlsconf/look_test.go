package tlsconf

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// issued is a key and its certificate as PEM texts.
type issued struct{ cert, key []byte }

func issue(t *testing.T) issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return issued{certFor(t, key, time.Now()), inPKCS8(t, key)}
}

func (i issued) leaf(t *testing.T) *x509.Certificate {
	t.Helper()
	cert, err := tls.X509KeyPair(i.cert, i.key)
	if err != nil {
		t.Fatal(err)
	}
	return cert.Leaf
}

func put(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// look expects a look to change the certificate or not, and to report a text or nothing.
func look(t *testing.T, s *Source, changed bool, report string) {
	t.Helper()
	got, err := s.Look()
	if got != changed {
		t.Errorf("changed %v, want %v", got, changed)
	}
	if (err == nil) != (report == "") || err != nil && !strings.Contains(err.Error(), report) {
		t.Errorf("reported %v, want %q", err, report)
	}
}

func TestLookTakesNewFiles(t *testing.T) {
	old, next := issue(t), issue(t)
	f := writeFiles(t, old.cert, old.key)
	s := mustNew(t, Config{CertPath: f.cert, KeyPath: f.key})
	look(t, s, false, "")
	put(t, f.cert, next.cert)
	look(t, s, false, "") // half of it
	put(t, f.key, next.key)
	look(t, s, true, "")
	if !s.Certificate().Leaf.Equal(next.leaf(t)) {
		t.Error("it is still the old certificate")
	}
	look(t, s, false, "")
}

func TestLookKeepsTheLastGoodPair(t *testing.T) {
	good, other := issue(t), issue(t)
	f := writeFiles(t, good.cert, good.key)
	s := mustNew(t, Config{CertPath: f.cert, KeyPath: f.key})
	put(t, f.cert, other.cert)
	look(t, s, false, "")
	look(t, s, false, "does not belong to the first certificate") // it stays so
	look(t, s, false, "")                                         // and has been told
	if err := os.Remove(f.key); err != nil {
		t.Fatal(err)
	}
	look(t, s, false, "")
	look(t, s, false, "set tlsKeyPath to a PEM file that exists")
	look(t, s, false, "")
	if !s.Certificate().Leaf.Equal(good.leaf(t)) {
		t.Error("the last good pair is gone")
	}
	put(t, f.key, other.key)
	look(t, s, true, "")
}

// TestLookFollowsLinks that Kubernetes swaps: files are links into ..data, which is a link to a
// directory of one version.
func TestLookFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	version := func(name string, i issued) {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, name, "tls.crt"), i.cert)
		put(t, filepath.Join(dir, name, "tls.key"), i.key)
		if err := os.Symlink(name, filepath.Join(dir, "..data_tmp")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	old, next := issue(t), issue(t)
	version("..2026_1", old)
	f := files{filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")}
	for _, path := range []string{f.cert, f.key} {
		if err := os.Symlink(filepath.Join("..data", filepath.Base(path)), path); err != nil {
			t.Fatal(err)
		}
	}
	s := mustNew(t, Config{CertPath: f.cert, KeyPath: f.key})
	version("..2026_2", next)
	look(t, s, true, "")
	if !s.Certificate().Leaf.Equal(next.leaf(t)) {
		t.Error("it is still the old certificate")
	}
}

func TestLookLeavesTheSelfSignedAlone(t *testing.T) {
	s := mustNew(t, Config{TestMode: true})
	before := s.Certificate()
	look(t, s, false, "")
	if s.Certificate() != before {
		t.Error("another certificate")
	}
}

// TestClientCertificates are asked for as configured, and their issuers change with the file.
func TestClientCertificates(t *testing.T) {
	friend, stranger := issue(t), issue(t)
	trust := filepath.Join(t.TempDir(), "clients.crt")
	put(t, trust, friend.cert)
	certs := func(i issued) []tls.Certificate {
		pair, err := tls.X509KeyPair(i.cert, i.key)
		if err != nil {
			t.Fatal(err)
		}
		return []tls.Certificate{pair}
	}
	for _, kind := range []tls.ClientAuthType{tls.NoClientCert, tls.VerifyClientCertIfGiven, tls.RequireAndVerifyClientCert} {
		s := mustNew(t, Config{TestMode: true, Clients: kind, TrustPath: trust})
		try := func(who string, shown []tls.Certificate, want bool) {
			t.Helper()
			_, err := shake(t, s.Server(), &tls.Config{
				ServerName: "localhost", RootCAs: trusting(s),
				// Whatever issuers the server names: it is to judge.
				GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					if len(shown) == 0 {
						return &tls.Certificate{}, nil
					}
					return &shown[0], nil
				},
			})
			if (err == nil) != want {
				t.Errorf("%v, %s: %v", kind, who, err)
			}
		}
		try("nobody", nil, kind != tls.RequireAndVerifyClientCert)
		try("a friend", certs(friend), true)
		try("a stranger", certs(stranger), kind == tls.NoClientCert)
	}
	s := mustNew(t, Config{TestMode: true, Clients: tls.RequireAndVerifyClientCert, TrustPath: trust})
	put(t, trust, stranger.cert)
	look(t, s, true, "")
	if _, err := shake(t, s.Server(), &tls.Config{ServerName: "localhost", InsecureSkipVerify: true, Certificates: certs(stranger)}); err != nil {
		t.Errorf("the new issuer is not trusted: %v", err)
	}
	put(t, trust, nil)
	look(t, s, false, "")
	look(t, s, false, "has no PEM block CERTIFICATE; it is empty")
	if _, err := New(Config{TestMode: true, Clients: tls.RequireAndVerifyClientCert}, time.Now); err == nil || !strings.Contains(err.Error(), "set tlsServerTrustCertPath") {
		t.Errorf("without a file: %v", err)
	}
}
