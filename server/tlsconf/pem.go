package tlsconf

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/youmark/pkcs8"
)

// parsePair makes one certificate of the two files' texts. The errors say which file is wrong
// and what to do; the standard library's X509KeyPair knows neither.
func parsePair(config Config, certs, key []byte) (*tls.Certificate, error) {
	cert, err := parseChain(certs)
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", config.CertPath, err)
	}
	signer, err := parseKey(key, config.KeyPassword)
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

// Errors of keys that need a password.
var (
	errEncrypted = errors.New("is encrypted: set tlsKeyPassword, or tlsClientKeyPassword for the key that brokers are shown, or decrypt it with openssl pkey -in FILE -out FILE.plain " +
		"and keep that file readable by this process alone")
	errPassword = errors.New("is encrypted, and tlsKeyPassword, or tlsClientKeyPassword for the key that brokers are shown, does not open it")
)

func parseKey(text []byte, password string) (crypto.Signer, error) {
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errors.New("has no PEM block PRIVATE KEY" + instead(text) + ": give the key as PKCS #8, PKCS #1 or EC PEM")
		}
		key, err := parseBlock(block, password)
		switch {
		case err != nil:
			return nil, err
		case key == nil:
			continue // such as EC PARAMETERS, which openssl puts first
		}
		signer, ok := key.(crypto.Signer)
		if !ok {
			return nil, fmt.Errorf("a key of type %T cannot sign: use RSA, ECDSA or Ed25519", key)
		}
		return signer, nil
	}
}

// parseBlock is the key of a PEM block; nil when it holds none.
func parseBlock(block *pem.Block, password string) (key any, err error) {
	// PKCS #8 says by the type that it is encrypted, the older forms by a header of RFC 1421.
	pbes, older := block.Type == encryptedPKCS8, x509.IsEncryptedPEMBlock(block) //nolint:staticcheck // such files are still around
	der := block.Bytes
	switch {
	case (pbes || older) && password == "":
		return nil, errEncrypted
	case pbes:
		if key, _, err = pkcs8.ParsePrivateKey(der, []byte(password)); err != nil {
			return nil, fmt.Errorf("%w: %w", errPassword, err)
		}
		return key, nil
	case older:
		if der, err = x509.DecryptPEMBlock(block, []byte(password)); err != nil { //nolint:staticcheck // the same
			return nil, fmt.Errorf("%w: %w", errPassword, err)
		}
	}
	parse := keyParsers[block.Type]
	if parse == nil {
		return nil, nil //nolint:nilnil // no key is no error
	}
	if key, err = parse(der); err != nil {
		return nil, fmt.Errorf("PEM block %s is broken: %w", block.Type, err)
	}
	return key, nil
}

const encryptedPKCS8 = "ENCRYPTED PRIVATE KEY"

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
