package conformance

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
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

// makeCertificate makes an authority, and a certificate for loopback that it signed.
func (w *world) makeCertificate(context.Context) error {
	since, until := time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "conformance authority"}, NotBefore: since, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	roots, err := x509.CreateCertificate(rand.Reader, authority, authority, authorityKey.Public(), authorityKey)
	if err != nil {
		return err
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: since, NotAfter: until,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	chain, err := x509.CreateCertificate(rand.Reader, leaf, authority, leafKey.Public(), authorityKey)
	if err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		return err
	}
	w.certificate = certificate{filepath.Join(w.dir, "roots.pem"), filepath.Join(w.dir, "chain.pem"), filepath.Join(w.dir, "key.pem")}
	for path, block := range map[string]*pem.Block{
		w.certificate.roots: {Type: "CERTIFICATE", Bytes: roots},
		w.certificate.chain: {Type: "CERTIFICATE", Bytes: chain},
		w.certificate.key:   {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	return nil
}
