package config

import (
	"net/netip"
	"slices"
	"strings"
)

// TrustedRelays reads the key proxyProtocolTrusted: networks, as 10.0.0.0/8, and single addresses,
// separated by commas. Blanks are dropped. An empty key trusts nobody. The faults are of all those
// that cannot be read.
func (g GRPC) TrustedRelays() (networks []netip.Prefix, faults []error) {
	for text := range strings.SplitSeq(g.ProxyProtocolTrusted, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		network, err := parseNetwork(text)
		if err != nil {
			faults = append(faults, err)
		} else if network = asIPv4(network); !slices.Contains(networks, network) {
			networks = append(networks, network)
		}
	}
	return networks, faults
}

// asIPv4 is the IPv4 network that is written as one of IPv6: the peers in it are IPv4. It has
// 96 bits or more, as with fewer it would not be masked.
func asIPv4(network netip.Prefix) netip.Prefix {
	if addr := network.Addr(); addr.Is4In6() {
		return netip.PrefixFrom(addr.Unmap(), network.Bits()-96)
	}
	return network
}
