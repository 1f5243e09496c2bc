package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// ClientConfig says whom the proxy believes when it connects to brokers and name servers, and what it
// shows them.
type ClientConfig struct {
	// AuthServer has the certificate of the other side verified; without it any will do, as RocketMQ's
	// clients have it, and the connection is secret but may be with anybody.
	AuthServer bool
	// TrustPath is a PEM file with the certificates of those who may issue a server's. Empty: the system's.
	TrustPath string
	// CertPath and KeyPath are PEM files with what is shown to who asks. Empty: nothing.
	CertPath, KeyPath string
	// KeyPassword decrypts the key.
	KeyPassword string
}

// clientSessions is how many servers are remembered whose sessions can be resumed.
const clientSessions = 256

// Client returns the configuration for connecting as RocketMQ's clients do: TLS 1.2 or 1.3, no ALPN and,
// because brokers register under addresses that change, no check of the server's name.
func Client(c ClientConfig) (*tls.Config, error) {
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, CipherSuites: suites, CurvePreferences: curves,
		ClientSessionCache: tls.NewLRUClientSessionCache(clientSessions),
		// What it would check is the name too; the rest is for VerifyConnection.
		InsecureSkipVerify: true, //nolint:gosec // see above
	}
	if c.AuthServer {
		roots, err := trusted(c.TrustPath)
		if err != nil {
			return nil, err
		}
		config.VerifyConnection = func(state tls.ConnectionState) error { return verify(state.PeerCertificates, roots) }
	}
	if c.CertPath != "" {
		cert, err := c.own()
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{*cert}
	}
	return config, nil
}

// trusted reads who may issue certificates; nil is the system's.
func trusted(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // nil means something
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("authorities of brokers: %w: set tlsClientTrustCertPath to a PEM file that exists and can be read", err)
	}
	return parseTrust(path, text)
}

// verify checks the chain that a server has shown, but for its name.
func verify(shown []*x509.Certificate, roots *x509.CertPool) error {
	others := x509.NewCertPool()
	for _, cert := range shown[1:] { // crypto/tls accepts no empty chain
		others.AddCert(cert)
	}
	_, err := shown[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: others})
	return err
}

func (c *ClientConfig) own() (*tls.Certificate, error) {
	cert, err := os.ReadFile(c.CertPath)
	if err != nil {
		return nil, fmt.Errorf("certificate for brokers: %w: set tlsClientCertPath to a PEM file that exists and can be read", err)
	}
	key, err := os.ReadFile(c.KeyPath)
	if err != nil {
		return nil, fmt.Errorf("private key for brokers: %w: set tlsClientKeyPath to a PEM file that exists and can be read", err)
	}
	return parsePair(Config{CertPath: c.CertPath, KeyPath: c.KeyPath, KeyPassword: c.KeyPassword}, cert, key)
}
