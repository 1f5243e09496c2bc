package proxyproto

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"
)

// signature2 begins a header of version 2: no line of text, no TLS record and no HTTP/2 preface does.
const signature2 = "\r\n\r\n\x00\r\nQUIT\n"

// The parts of a header of version 2 (section 2.2):
//
//	signature | version, command | family, transport | length of the rest | addresses | TLVs
//	       12                  1                   1                    2
const (
	commandAt = 12
	familyAt  = 13
	lengthAt  = 14
	fixed     = 16
)

// The commands.
const (
	commandLocal = 0
	commandProxy = 1
)

// The address families, with the bytes that both addresses and ports of each have.
const (
	familyUnspec = 0
	familyInet   = 1
	familyInet6  = 2
	familyUnix   = 3

	inetBytes  = 2*4 + 2*2
	inet6Bytes = 2*16 + 2*2
	unixBytes  = 2 * 108
)

// The transports.
const (
	transportStream = 1
	transportDgram  = 2
)

func parse2(b []byte) (Header, int, error) {
	if len(b) > commandAt {
		if version := b[commandAt] >> 4; version != 2 {
			return Header{}, 0, malformed("the version behind the signature is %d, expected 2", version)
		}
		if command := b[commandAt] & 0xf; command > commandProxy {
			return Header{}, 0, malformed("the command is %d, expected 0, LOCAL, or 1, PROXY", command)
		}
	}
	if len(b) < fixed {
		return Header{}, 0, ErrMore
	}
	n := fixed + int(binary.BigEndian.Uint16(b[lengthAt:]))
	if n > MaxBytes {
		return Header{}, 0, malformed("it has %d bytes, expected %d at most", n, MaxBytes)
	}
	if len(b) < n {
		return Header{}, 0, ErrMore
	}
	h := Header{Version: 2}
	if b[commandAt]&0xf == commandLocal {
		h.Local = true // the rest is to be discarded, whatever it is
		return h, n, nil
	}
	err := h.parseBlock(b[:n])
	return h, n, err
}

// parseBlock reads the addresses and the TLVs of whole, a header of the command PROXY.
func (h *Header) parseBlock(whole []byte) error {
	family, transport, rest := whole[familyAt]>>4, whole[familyAt]&0xf, whole[fixed:]
	if family > familyUnix || transport > transportDgram {
		return malformed("the address family is %d and the transport is %d, expected 3 and 2 at most", family, transport)
	}
	size := [...]int{familyInet: inetBytes, familyInet6: inet6Bytes, familyUnix: unixBytes}[family]
	if len(rest) < size {
		return malformed("there are %d bytes of addresses, expected %d of this family", len(rest), size)
	}
	addresses, rest := rest[:size], rest[size:]
	switch {
	case family == familyUnspec:
		return nil // what follows is not said to be TLVs
	case transport != transportStream: // a TCP connection that carries something else: its own addresses hold
	case family == familyInet:
		h.Source, h.Destination = ends(addresses, 4)
	case family == familyInet6:
		h.Source, h.Destination = ends(addresses, 16)
	}
	return h.parseTLVs(whole, rest)
}

// ends reads two addresses of size bytes and their ports.
func ends(b []byte, size int) (source, destination netip.AddrPort) {
	from, _ := netip.AddrFromSlice(b[:size])
	to, _ := netip.AddrFromSlice(b[size : 2*size])
	ports := b[2*size:]
	return netip.AddrPortFrom(from, binary.BigEndian.Uint16(ports)), netip.AddrPortFrom(to, binary.BigEndian.Uint16(ports[2:]))
}

// The types of TLVs (sections 2.2.1 to 2.2.7).
const (
	typeALPN      = 0x01
	typeAuthority = 0x02
	typeCRC32C    = 0x03
	typeUniqueID  = 0x05
	typeSSL       = 0x20
	typeNetNS     = 0x30

	subtypeSSLVersion = 0x21
	subtypeSSLCN      = 0x22
	subtypeSSLCipher  = 0x23
	subtypeSSLSigAlg  = 0x24
	subtypeSSLKeyAlg  = 0x25
)

const (
	uniqueIDMax = 128
	tlvHead     = 3
)

// parseTLVs reads rest, the end of whole.
func (h *Header) parseTLVs(whole, rest []byte) error {
	for len(rest) > 0 {
		v, after, err := nextTLV(rest)
		if err != nil {
			return err
		}
		if err := h.take(v, whole, len(whole)-len(after)-len(v.Value)); err != nil {
			return err
		}
		h.TLVs = append(h.TLVs, v)
		rest = after
	}
	return nil
}

func nextTLV(b []byte) (v TLV, rest []byte, err error) {
	if len(b) < tlvHead {
		return TLV{}, nil, malformed("%d bytes behind the last TLV", len(b))
	}
	end := tlvHead + int(binary.BigEndian.Uint16(b[1:]))
	if end > len(b) {
		return TLV{}, nil, malformed("TLV 0x%02x goes %d bytes beyond its end", b[0], end-len(b))
	}
	return TLV{b[0], b[tlvHead:end:end]}, b[end:], nil
}

// take keeps v, whose value is at a place of whole, where the specification knows its type.
func (h *Header) take(v TLV, whole []byte, at int) error {
	switch v.Type {
	case typeALPN:
		h.ALPN = v.Value
	case typeAuthority:
		h.Authority = v.Value
	case typeUniqueID:
		if len(v.Value) > uniqueIDMax {
			return malformed("the unique id has %d bytes, expected %d at most", len(v.Value), uniqueIDMax)
		}
		h.UniqueID = v.Value
	case typeNetNS:
		h.NetNS = v.Value
	case typeSSL:
		return h.takeSSL(v.Value)
	case typeCRC32C:
		return checkSum(v.Value, whole, at)
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checkSum holds the CRC32C at a place of whole against whole with zeroes in that place.
func checkSum(sum, whole []byte, at int) error {
	if len(sum) != crc32.Size {
		return malformed("the CRC32C has %d bytes, expected %d", len(sum), crc32.Size)
	}
	want := crc32.Update(0, castagnoli, whole[:at])
	want = crc32.Update(want, castagnoli, make([]byte, crc32.Size))
	want = crc32.Update(want, castagnoli, whole[at+crc32.Size:])
	if got := binary.BigEndian.Uint32(sum); got != want {
		return malformed("its CRC32C is %08x, but its bytes have %08x", got, want)
	}
	return nil
}

// sslHead is what comes before the TLVs inside of a TLV of SSL: a byte of bits, and the result of
// the verification.
const sslHead = 5

func (h *Header) takeSSL(b []byte) error {
	if len(b) < sslHead {
		return malformed("the SSL TLV has %d bytes, expected %d at least", len(b), sslHead)
	}
	ssl := &SSL{Client: b[0], Verify: binary.BigEndian.Uint32(b[1:])}
	for rest := b[sslHead:]; len(rest) > 0; {
		v, after, err := nextTLV(rest)
		if err != nil {
			return err
		}
		ssl.take(v)
		rest = after
	}
	h.SSL = ssl
	return nil
}

func (s *SSL) take(v TLV) {
	switch v.Type {
	case subtypeSSLVersion:
		s.Version = v.Value
	case subtypeSSLCN:
		s.CommonName = v.Value
	case subtypeSSLCipher:
		s.Cipher = v.Value
	case subtypeSSLSigAlg:
		s.SigAlg = v.Value
	case subtypeSSLKeyAlg:
		s.KeyAlg = v.Value
	}
}
