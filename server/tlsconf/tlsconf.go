// Package tlsconf makes the TLS configuration of the gRPC port: which certificate is shown, whose
// clients are let in, and what is spoken under it; and that of connections to brokers and name servers,
// see [Client].
//
// [New] either reads certificate and key from PEM files or makes a self-signed certificate in
// memory. They sit behind a [Source], so that new files can take their place while connections
// come in: see [Source.Look]. The package opens no socket and starts no goroutine.
package tlsconf

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// Config says where the certificate comes from, and what clients have to show.
type Config struct {
	// TestMode makes a fresh self-signed certificate; CertPath and KeyPath are not looked at.
	TestMode bool
	// CertPath is a PEM file with the certificate, followed by the rest of its chain.
	CertPath string
	// KeyPath is a PEM file with the private key: PKCS #8, PKCS #1 or SEC 1 (EC).
	KeyPath string
	// KeyPassword decrypts the key: PKCS #8 with PBES2 (RFC 8018), or RFC 1421.
	KeyPassword string
	// Hosts are names and IP addresses for the self-signed certificate, beside localhost, the
	// loopback addresses and the host's own name.
	Hosts []string

	// Clients says whether clients are asked for a certificate: tls.NoClientCert,
	// tls.VerifyClientCertIfGiven or tls.RequireAndVerifyClientCert.
	Clients tls.ClientAuthType
	// TrustPath is a PEM file with the certificates of those who may issue a client's.
	TrustPath string
}

// Source hands out the current certificate to each new connection. It is safe for concurrent use,
// but for Look, which one goroutine calls.
type Source struct {
	config  Config
	now     func() time.Time
	current atomic.Pointer[state]

	// of Look
	tried texts // the files as they were read last
	doubt error // why they could not be used; nil: they could, or it was told
}

// state is what one reading of the files has brought.
type state struct {
	cert   *tls.Certificate
	server *tls.Config
}

// texts are what the files hold.
type texts struct{ cert, key, trust []byte }

func (t *texts) equal(o *texts) bool {
	return bytes.Equal(t.cert, o.cert) && bytes.Equal(t.key, o.key) && bytes.Equal(t.trust, o.trust)
}

// New reads or makes the first certificate. now is the clock that validity is judged by.
func New(config Config, now func() time.Time) (*Source, error) {
	s := &Source{config: config, now: now}
	if err := s.Reload(); err != nil {
		return nil, err
	}
	return s, nil
}

// Reload reads the files again, or makes a new certificate in test mode. Connections that come
// in afterwards see it. On failure the old one stays.
func (s *Source) Reload() error {
	files, err := s.read()
	if err != nil {
		return err
	}
	s.tried, s.doubt = files, nil
	if !s.config.TestMode {
		return s.use(&files)
	}
	cert, err := s.selfSigned()
	if err != nil {
		return err
	}
	return s.show(cert, &files)
}

// Certificate is the current one. It must not be changed.
func (s *Source) Certificate() *tls.Certificate { return s.current.Load().cert }

// Server returns the configuration for accepting connections: HTTP/2 by ALPN, TLS 1.2 or 1.3,
// session tickets on, client certificates as configured. A client that offers no ALPN, or http/1.1
// alone, is let in without a protocol: its first bytes decide, and HTTP/1.1 can be told in words
// what is wrong. One that offers only others is refused.
//
// What the files say is chosen per connection, so a Reload needs no new configuration, and tickets
// of before stay good: their keys belong to this one value, which must not be cloned per connection.
func (s *Source) Server() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: protocols,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return s.current.Load().server, nil
		},
	}
}

var protocols = []string{"h2"}

// suites are those of TLS 1.2 that Mozilla's intermediate profile has and crypto/tls speaks: forward
// secrecy and AEAD only. Those of TLS 1.3 cannot be chosen.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// curves are those of the same profile, and the hybrid of X25519 that is safe from quantum computers.
var curves = []tls.CurveID{tls.X25519MLKEM768, tls.X25519, tls.CurveP256, tls.CurveP384}

// use makes what the files say the current state. A self-signed certificate stays.
func (s *Source) use(files *texts) error {
	if s.config.TestMode {
		return s.show(s.Certificate(), files)
	}
	cert, err := parsePair(s.config, files.cert, files.key)
	if err != nil {
		return err
	}
	if err := s.checkValidity(cert); err != nil {
		return err
	}
	return s.show(cert, files)
}

// show makes cert the current one, with the client authorities of the files.
func (s *Source) show(cert *tls.Certificate, files *texts) (err error) {
	server := &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: protocols, CipherSuites: suites, CurvePreferences: curves,
		Certificates: []tls.Certificate{*cert}, ClientAuth: s.config.Clients,
	}
	if s.config.Clients != tls.NoClientCert {
		if server.ClientCAs, err = parseTrust(s.config.TrustPath, files.trust); err != nil {
			return err
		}
	}
	s.current.Store(&state{cert, server})
	return nil
}

// read reads the files that the configuration names.
func (s *Source) read() (files texts, err error) {
	const orTest = ", or set tlsTestModeEnable to true for a self-signed certificate"
	if !s.config.TestMode {
		if files.cert, err = os.ReadFile(s.config.CertPath); err != nil {
			return files, fmt.Errorf("certificate: %w: set tlsCertPath to a PEM file that exists and can be read"+orTest, err)
		}
		if files.key, err = os.ReadFile(s.config.KeyPath); err != nil {
			return files, fmt.Errorf("private key: %w: set tlsKeyPath to a PEM file that exists and can be read"+orTest, err)
		}
	}
	if s.config.Clients != tls.NoClientCert {
		if files.trust, err = os.ReadFile(s.config.TrustPath); err != nil {
			return files, fmt.Errorf("client authorities: %w: set tlsServerTrustCertPath to a PEM file that exists and can be read, "+
				"or tlsServerNeedClientAuth to none", err)
		}
	}
	return files, nil
}

// checkValidity refuses a certificate that every client would refuse.
func (s *Source) checkValidity(cert *tls.Certificate) error {
	now, leaf := s.now(), cert.Leaf
	switch {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("certificate %s: expired on %s: replace it", s.config.CertPath, leaf.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("certificate %s: not valid before %s: replace it, or set the clock of this machine", s.config.CertPath, leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}

// parseTrust makes a pool of the certificates in a PEM file.
func parseTrust(path string, text []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("authorities %s: has no PEM block CERTIFICATE%s", path, instead(text))
	}
	return pool, nil
}
