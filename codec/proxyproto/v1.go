package proxyproto

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"
)

// signature1 begins a header of version 1. The blank tells it from an HTTP method of that name.
const signature1 = "PROXY "

// max1Bytes is the longest line of version 1 with its CRLF: UNKNOWN with two IPv6 addresses written in
// full (section 2.1).
const max1Bytes = 107

// parse1 reads a line such as
//
//	PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n
func parse1(b []byte) (Header, int, error) {
	end := bytes.IndexByte(b[:min(len(b), max1Bytes)], '\n')
	switch {
	case end < 0 && len(b) < max1Bytes:
		return Header{}, 0, ErrMore
	case end < 0:
		return Header{}, 0, malformed("the line of version 1 does not end within %d bytes", max1Bytes)
	case b[end-1] != '\r': // there is a byte before: the signature has no LF
		return Header{}, 0, malformed("the line of version 1 ends with LF alone, expected CRLF")
	}
	h, err := parseLine(string(b[len(signature1) : end-1]))
	return h, end + 1, err
}

func parseLine(line string) (Header, error) {
	h := Header{Version: 1}
	family, rest, _ := strings.Cut(line, " ")
	switch family {
	case "UNKNOWN":
		return h, nil // whatever follows is to be ignored
	case "TCP4", "TCP6":
	default:
		return h, malformed("the protocol is %q, expected TCP4, TCP6 or UNKNOWN", family)
	}
	fields := strings.Split(rest, " ")
	if len(fields) != 4 {
		return h, malformed("%d fields behind %s, expected 4: two addresses and two ports, with one blank between each", len(fields), family)
	}
	var err error
	if h.Source, err = parseEnd("source", family, fields[0], fields[2]); err != nil {
		return h, err
	}
	h.Destination, err = parseEnd("destination", family, fields[1], fields[3])
	return h, err
}

func parseEnd(which, family, host, port string) (netip.AddrPort, error) {
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Is4() != (family == "TCP4") || addr.Zone() != "" {
		return netip.AddrPort{}, malformed("the %s address of %s is %q", which, family, host)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || strconv.FormatUint(n, 10) != port { // no sign, no zeroes in front
		return netip.AddrPort{}, malformed("the %s port is %q, expected a number from 0 to 65535", which, port)
	}
	return netip.AddrPortFrom(addr, uint16(n)), nil
}
