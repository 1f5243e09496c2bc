package tlsconf

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

const (
	// selfSignedBefore is how long before its making a self-signed certificate is valid already:
	// the clocks of clients may be behind.
	selfSignedBefore = 24 * time.Hour
	// selfSignedAfter is how long it is valid from then. Some clients refuse more than 825 days.
	selfSignedAfter = 2 * 365 * 24 * time.Hour
)

// selfSigned makes a certificate that proves nothing and lets clients speak TLS. The clients of
// RocketMQ use TLS unless told otherwise and do not verify by default. ECDSA P-256 costs a
// server a tenth of RSA's time per handshake.
func (s *Source) selfSigned() (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("self-signed certificate: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("self-signed certificate: %w", err)
	}
	now := s.now()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "localhost", Organization: []string{"rocketmq-proxy self-signed"}},
		NotBefore:             now.Add(-selfSignedBefore),
		NotAfter:              now.Add(selfSignedAfter),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true, // so that a test can trust it as its own root
	}
	for _, host := range s.hosts() {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("self-signed certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("self-signed certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// hosts are the names and addresses of the self-signed certificate, without doubles.
func (s *Source) hosts() []string {
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	if name, err := os.Hostname(); err == nil {
		hosts = append(hosts, name)
	}
	hosts = append(hosts, s.config.Hosts...)
	seen := make(map[string]bool, len(hosts))
	kept := hosts[:0]
	for _, h := range hosts {
		if h != "" && !seen[h] {
			seen[h] = true
			kept = append(kept, h)
		}
	}
	return kept
}
