package tlsconf

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// parsePair makes one certificate of the two files' texts. The errors say which file is wrong
// and what to do; the standard library's X509KeyPair knows neither.
func parsePair(config Config, certs, key []byte) (*tls.Certificate, error) {
	cert, err := parseChain(certs)
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", config.CertPath, err)
	}
	signer, err := parseKey(key)
	if err != nil {
		return nil, fmt.Errorf("private key %s: %w", config.KeyPath, err)
	}
	public, ok := signer.Public().(interface{ Equal(x crypto.PublicKey) bool })
	if !ok || !public.Equal(cert.Leaf.PublicKey) {
		return nil, fmt.Errorf("private key %s does not belong to the first certificate of %s (%s): "+
			"put the server's certificate first and its issuers after it, or name the key that it was made with",
			config.KeyPath, config.CertPath, cert.Leaf.Subject)
	}
	cert.PrivateKey = signer
	return cert, nil
}

func parseChain(text []byte) (*tls.Certificate, error) {
	cert := new(tls.Certificate)
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		parsed, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d of the file is broken: %w", len(cert.Certificate)+1, err)
		}
		if cert.Leaf == nil {
			cert.Leaf = parsed
		}
		cert.Certificate = append(cert.Certificate, block.Bytes)
	}
	if cert.Leaf == nil {
		return nil, errors.New("has no PEM block CERTIFICATE" + instead(text) + ": convert it with openssl x509 -in FILE -inform DER -out FILE.pem, if it is DER")
	}
	return cert, nil
}

// errEncrypted is the answer to a key that needs a password.
var errEncrypted = errors.New("is encrypted, which is not supported yet: " +
	"decrypt it with openssl pkey -in FILE -out FILE.plain, keep that file readable by this process alone, and remove tlsKeyPassword")

func parseKey(text []byte) (crypto.Signer, error) {
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errors.New("has no PEM block PRIVATE KEY" + instead(text) + ": give the key as PKCS #8, PKCS #1 or EC PEM")
		}
		// PKCS #8 says it by the type, the older forms by a header of RFC 1421.
		if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
			return nil, errEncrypted
		}
		parse := keyParsers[block.Type]
		if parse == nil {
			continue // such as EC PARAMETERS, which openssl puts first
		}
		key, err := parse(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("PEM block %s is broken: %w", block.Type, err)
		}
		signer, ok := key.(crypto.Signer)
		if !ok {
			return nil, fmt.Errorf("a key of type %T cannot sign: use RSA, ECDSA or Ed25519", key)
		}
		return signer, nil
	}
}

// keyParsers are the forms of private keys by the type of their PEM block.
var keyParsers = map[string]func([]byte) (any, error){
	"PRIVATE KEY":     x509.ParsePKCS8PrivateKey,
	"RSA PRIVATE KEY": func(der []byte) (any, error) { return x509.ParsePKCS1PrivateKey(der) },
	"EC PRIVATE KEY":  func(der []byte) (any, error) { return x509.ParseECPrivateKey(der) },
}

// instead says what a file has where something else was looked for.
func instead(text []byte) string {
	if len(bytes.TrimSpace(text)) == 0 {
		return "; it is empty"
	}
	if block, _ := pem.Decode(text); block != nil {
		return "; it has " + block.Type
	}
	return "; it is no PEM file"
}
