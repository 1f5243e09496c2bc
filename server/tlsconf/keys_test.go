package tlsconf

import (
	"crypto/ecdsa"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEncryptedKeys opens what openssl wrote: testdata has one key in the forms that `openssl
// pkcs8 -topk8` and `openssl ec` give it, with the password "secret".
func TestEncryptedKeys(t *testing.T) {
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	plain, err := parseKey(read("plain.pem"), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"pbkdf2-aes256.pem", "pbkdf2-sha1-aes128.pem", "pbkdf2-3des.pem", "scrypt-aes256.pem", "rfc1421-aes256.pem", "rfc1421-3des.pem",
	} {
		text := read(name)
		if key, err := parseKey(text, "secret"); err != nil || !plain.(*ecdsa.PrivateKey).Equal(key) {
			t.Errorf("%s: %v, %v", name, key, err)
		}
		if _, err := parseKey(text, "guess"); !errors.Is(err, errPassword) {
			t.Errorf("%s with a wrong password: %v", name, err)
		}
		if _, err := parseKey(text, ""); !errors.Is(err, errEncrypted) || !strings.Contains(err.Error(), "set tlsKeyPassword") {
			t.Errorf("%s without a password: %v", name, err)
		}
	}
	if key, err := parseKey(read("plain.pem"), "secret"); err != nil || !plain.(*ecdsa.PrivateKey).Equal(key) {
		t.Errorf("a password for a key that needs none: %v", err)
	}
}
