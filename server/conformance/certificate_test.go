package conformance

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificate is what the proxies of the targets show. Only the Go and the Java client take one that
// nobody signed.
type certificate struct{ roots, chain, key string } // files

// config is the certificate in an rmq-proxy.json.
func (c certificate) config(config map[string]any) map[string]any {
	config["tlsTestModeEnable"], config["tlsCertPath"], config["tlsKeyPath"] = false, c.chain, c.key
	return config
}

// makeCertificate makes the one that they show.
func (w *world) makeCertificate(context.Context) (err error) {
	w.certificate, err = newCertificate(w.dir, keyP256)
	return err
}

func keyP256() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

func keyRSA2048() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) }

// newCertificate makes an authority, and a certificate for loopback that it signed, with keys of one
// kind, and writes them to a directory.
func newCertificate(dir string, newKey func() (crypto.Signer, error)) (c certificate, err error) {
	since, until := time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "conformance authority"}, NotBefore: since, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	authorityKey, err := newKey()
	if err != nil {
		return c, err
	}
	roots, err := x509.CreateCertificate(rand.Reader, authority, authority, authorityKey.Public(), authorityKey)
	if err != nil {
		return c, err
	}
	if authority, err = x509.ParseCertificate(roots); err != nil { // it has got the key identifier that the leaf must name
		return c, err
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: since, NotAfter: until,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	leafKey, err := newKey()
	if err != nil {
		return c, err
	}
	chain, err := x509.CreateCertificate(rand.Reader, leaf, authority, leafKey.Public(), authorityKey)
	if err != nil {
		return c, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		return c, err
	}
	c = certificate{filepath.Join(dir, "roots.pem"), filepath.Join(dir, "chain.pem"), filepath.Join(dir, "key.pem")}
	for path, block := range map[string]*pem.Block{
		c.roots: {Type: "CERTIFICATE", Bytes: roots},
		c.chain: {Type: "CERTIFICATE", Bytes: chain},
		c.key:   {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			return c, err
		}
	}
	return c, nil
}
