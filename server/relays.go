package server

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"rocketmq-proxy/codec/proxyproto"
	"rocketmq-proxy/server/config"
	"rocketmq-proxy/server/link"
)

// relays are the load balancers that say who is behind them.
func relays(c *config.Config) []netip.Prefix {
	networks, _ := c.GRPC.TrustedRelays() // Validate let them pass
	return networks
}

// introduction reads what they say: a PROXY header, if there is one.
func introduction(first []byte) (said link.Introduction, n int, verdict link.Verdict, err error) {
	h, n, err := proxyproto.Parse(first)
	switch {
	case errors.Is(err, proxyproto.ErrMore):
		return said, 0, link.More, nil
	case errors.Is(err, proxyproto.ErrNone):
		return said, 0, link.Never, nil
	case err != nil:
		return said, 0, link.Never, err
	}
	return link.Introduction{Client: h.Source, Dialled: h.Destination, Note: noteOf(&h)}, n, link.Yes, nil
}

// isIntroduction tells whether first is a PROXY header, good or not, with its end.
func isIntroduction(first []byte) bool {
	_, _, err := proxyproto.Parse(first)
	return !errors.Is(err, proxyproto.ErrMore) && !errors.Is(err, proxyproto.ErrNone)
}

// tlvNames are how a log calls what load balancers send most.
var tlvNames = map[byte]string{0x01: "alpn", 0x02: "authority", 0x05: "uniqueId", 0x30: "netns"}

// noteOf is what a header says besides the addresses, for a log: as with the Java proxy all values that
// are printable ASCII, and of the client's certificate the name.
func noteOf(h *proxyproto.Header) string {
	var words []string
	for _, v := range h.TLVs {
		if !isPrintable(v.Value) {
			continue
		}
		name, known := tlvNames[v.Type]
		if !known {
			name = fmt.Sprintf("0x%02x", v.Type)
		}
		words = append(words, name+"="+string(v.Value))
	}
	if h.SSL != nil && isPrintable(h.SSL.CommonName) {
		words = append(words, "certificate="+string(h.SSL.CommonName))
	}
	return strings.Join(words, " ")
}

// isPrintable tells whether there is something, and all of it can be read.
func isPrintable(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return len(b) > 0
}
