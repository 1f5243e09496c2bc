package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Advertise is what the clients of a network are told to dial.
type Advertise struct {
	Network netip.Prefix // of the clients; the zero Prefix is every network that has none of its own
	Dialled bool         // what the client itself dialled, with its port
	Addrs   []string     // else these, host:port each, IPv6 hosts in brackets
}

// advertiseDialled is the word for what the client itself dialled.
const advertiseDialled = "dialled"

// Advertised reads the key advertise:
//
//	advertise = rule *( ";" rule )
//	rule      = [ network "=" ] ( "dialled" | host:port *( "," host:port ) )
//	network   = an IP address, or one with "/" and the bits that count
//
// Blanks are dropped. A rule without a network is for all others. Clients take several addresses
// only when all are IPv4, or all IPv6, and only one name. An empty key is no rule.
func (p Proxy) Advertised() (rules []Advertise, err error) {
	for text := range strings.SplitSeq(p.Advertise, ";") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		var rule Advertise
		if network, told, has := strings.Cut(text, "="); has {
			if rule.Network, err = parseNetwork(strings.TrimSpace(network)); err != nil {
				return nil, err
			}
			text = strings.TrimSpace(told)
		}
		if err := rule.read(text); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(rules, func(r Advertise) bool { return r.Network == rule.Network }) {
			return nil, fmt.Errorf("says two things to %s", rule.clients())
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

func (r *Advertise) read(told string) error {
	if strings.EqualFold(told, advertiseDialled) {
		r.Dialled = true
		return nil
	}
	for addr := range strings.SplitSeq(told, ",") {
		addr = strings.TrimSpace(addr)
		if err := checkHostPort(addr, 1); err != nil {
			return fmt.Errorf("has %q for %s, which %w; an example is 10.0.0.0/8=10.1.2.3:8081; proxy.example.com:443", addr, r.clients(), err)
		}
		r.Addrs = append(r.Addrs, addr)
	}
	kind := hostKind(r.Addrs[0])
	for _, addr := range r.Addrs[1:] {
		if kind == "a name" || hostKind(addr) != kind {
			return fmt.Errorf("has %s and %s for %s: clients take one name, or several addresses of one kind, IPv4 or IPv6", r.Addrs[0], addr, r.clients())
		}
	}
	return nil
}

// clients are those whom the rule is for.
func (r *Advertise) clients() string {
	if r.Network.IsValid() {
		return "clients of " + r.Network.String()
	}
	return "all other clients"
}

func parseNetwork(text string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(text)
	if addr, bad := netip.ParseAddr(text); bad == nil {
		prefix, err = addr.Prefix(addr.BitLen())
	}
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("has the network %q; expected one as 10.0.0.0/8 or fd00::/8", text)
	}
	if prefix.Masked() != prefix {
		return netip.Prefix{}, fmt.Errorf("has the network %q; did you mean %v?", text, prefix.Masked())
	}
	return prefix, nil
}

// hostKind is what the host of a host:port is.
func hostKind(addr string) string {
	host, _, _ := net.SplitHostPort(addr)
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return "a name"
	case ip.Is4():
		return "IPv4"
	}
	return "IPv6"
}
