// Package tlsconf makes the TLS configuration of the gRPC port: which certificate is shown,
// and what is spoken under it.
//
// [New] either reads certificate and key from PEM files or makes a self-signed certificate in
// memory. The certificate sits behind a [Source], so that new files can take its place while
// connections come in. The package opens no socket, starts no goroutine and watches no file.
package tlsconf

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// Config says where the certificate comes from.
type Config struct {
	// TestMode makes a fresh self-signed certificate; the files are not looked at.
	TestMode bool
	// CertPath is a PEM file with the certificate, followed by the rest of its chain.
	CertPath string
	// KeyPath is a PEM file with the private key: PKCS #8, PKCS #1 or SEC 1 (EC).
	KeyPath string
	// KeyPassword is for encrypted keys, which are refused: the standard library cannot open them.
	KeyPassword string
	// Hosts are names and IP addresses for the self-signed certificate, beside localhost, the
	// loopback addresses and the host's own name.
	Hosts []string
}

// Source hands out the current certificate to each new connection. It is safe for concurrent use.
type Source struct {
	config  Config
	now     func() time.Time
	current atomic.Pointer[tls.Certificate]
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
	load := s.readFiles
	if s.config.TestMode {
		load = s.selfSigned
	}
	cert, err := load()
	if err != nil {
		return err
	}
	s.current.Store(cert)
	return nil
}

// Certificate is the current one. It must not be changed.
func (s *Source) Certificate() *tls.Certificate { return s.current.Load() }

// Server returns the configuration for accepting connections: HTTP/2 by ALPN, TLS 1.2 or 1.3,
// session tickets on, no client certificate asked for, as the Java proxy has it. A client that
// offers no ALPN, or http/1.1 alone, is let in without a protocol: its first bytes decide, and
// HTTP/1.1 can be told in words what is wrong. One that offers only others is refused.
//
// The certificate is chosen per connection, so a Reload needs no new configuration, and tickets
// of before stay good: their keys belong to this one value, which must not be cloned per connection.
func (s *Source) Server() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return s.current.Load(), nil
		},
	}
}

// readFiles reads certificate and key as the configuration names them.
func (s *Source) readFiles() (*tls.Certificate, error) {
	const orTest = ", or set tlsTestModeEnable to true for a self-signed certificate"
	certs, err := os.ReadFile(s.config.CertPath)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w: set tlsCertPath to a PEM file that exists and can be read"+orTest, err)
	}
	key, err := os.ReadFile(s.config.KeyPath)
	if err != nil {
		return nil, fmt.Errorf("private key: %w: set tlsKeyPath to a PEM file that exists and can be read"+orTest, err)
	}
	cert, err := parsePair(s.config, certs, key)
	if err != nil {
		return nil, err
	}
	return cert, s.checkValidity(cert)
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
