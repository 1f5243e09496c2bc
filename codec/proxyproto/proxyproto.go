// Package proxyproto reads the header that load balancers put in front of a connection to say who
// is behind them: the PROXY protocol of HAProxy, versions 1 and 2, as its proxy-protocol.txt has it.
// Section numbers are those of that text.
//
// The package decides nothing: whether a peer may say such a thing is for others.
package proxyproto

import (
	"errors"
	"fmt"
	"net/netip"
)

// Header is what was said before the first byte of the client.
type Header struct {
	Version int // 1 or 2
	// Source is the client and Destination is what it dialled. Not valid: nobody is named, and the
	// addresses of the socket hold. That is so for UNKNOWN of version 1, for LOCAL, and for
	// all that is not TCP over IPv4 or IPv6.
	Source, Destination netip.AddrPort
	// Local tells that the connection is the sender's own, such as a health check.
	Local bool

	// TLVs are all values of the header, in their order, as views of what was parsed. The fields below
	// are those among them that the specification knows; of a type that comes twice the last.
	TLVs      []TLV
	ALPN      []byte // the client's protocol
	Authority []byte // the host that the client asked for, such as the server name of TLS
	UniqueID  []byte // of the connection
	NetNS     []byte // the network namespace
	SSL       *SSL   // nil: the sender does not say
}

// SSL is what the sender tells of the TLS that the client spoke with it (section 2.2.6).
type SSL struct {
	Client     byte   // bits of ClientSSL and the others
	Verify     uint32 // 0: a certificate was shown, and verified
	Version    []byte // such as TLSv1.3
	CommonName []byte // of the client's certificate
	Cipher     []byte
	SigAlg     []byte // the certificate of the sender was signed with it
	KeyAlg     []byte // of that certificate
}

// The bits of SSL.Client.
const (
	ClientSSL      = 1 << iota // the client spoke TLS
	ClientCertConn             // and showed a certificate on this connection
	ClientCertSess             // or on an earlier one of the same session
)

// TLV is one value behind the addresses of version 2.
type TLV struct {
	Type  byte
	Value []byte
}

// Errors of Parse that are no fault of the header.
var (
	// ErrMore: the bytes are the beginning of a header, or may be.
	ErrMore = errors.New("proxyproto: more bytes are needed")
	// ErrNone: the bytes are the beginning of something else.
	ErrNone = errors.New("proxyproto: there is no PROXY header")
)

// MaxBytes bounds a header. One of version 1 has at most 107 bytes. One of version 2 may have 64 KiB,
// and is meant to fit into one TCP segment, the smallest of which has 536 bytes; but senders add what
// they like, such as the client's certificate, and 4 KiB has room for that.
const MaxBytes = 4 << 10

// Parse reads the header at the beginning of b, which has n bytes. The error is ErrMore, ErrNone or
// says what is wrong with the header. What comes behind the header is not looked at.
func Parse(b []byte) (h Header, n int, err error) {
	switch {
	case begins(b, signature1):
		if len(b) < len(signature1) {
			return Header{}, 0, ErrMore
		}
		h, n, err = parse1(b)
	case begins(b, signature2):
		if len(b) < len(signature2) {
			return Header{}, 0, ErrMore
		}
		h, n, err = parse2(b)
	default:
		return Header{}, 0, ErrNone
	}
	if err != nil {
		return Header{}, 0, err
	}
	return h, n, nil
}

// begins tells whether b and word agree as far as both go.
func begins(b []byte, word string) bool {
	n := min(len(b), len(word))
	return string(b[:n]) == word[:n]
}

// malformed is what is wrong with a header.
func malformed(format string, a ...any) error {
	return fmt.Errorf("malformed PROXY header: "+format, a...)
}
