package messaging

import (
	"cmp"
	"net/netip"
	"slices"

	"rocketmq-proxy/codec/apiv2"
)

// Advertise is what the clients of a network are told to dial in the place of a broker.
type Advertise struct {
	Network   netip.Prefix     // the zero Prefix: every client that no other is for
	Dialled   bool             // what the client itself dialled, if it says so; else Endpoints
	Endpoints *apiv2.Endpoints // shared by all answers, so never changed
}

// sortAdvertised puts the narrowest network first, and that of all others last: the first that fits
// is the one.
func sortAdvertised(all []Advertise) []Advertise {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Advertise) int { return cmp.Compare(b.Network.Bits(), a.Network.Bits()) })
	return all
}

// advertised finds what a client is told, by its host:port; nil where nothing is configured for it.
// It is looked for once a connection.
func (svc *Service) advertised(remote string) *Advertise {
	if len(svc.Advertised) == 0 {
		return nil
	}
	from, _ := netip.ParseAddrPort(remote) // one that is none is of no network
	addr := from.Addr().Unmap().WithZone("")
	for i := range svc.Advertised {
		if a := &svc.Advertised[i]; !a.Network.IsValid() || a.Network.Contains(addr) {
			return a
		}
	}
	return nil
}

// endpoints is what the client is told to dial instead of a broker.
func (c *Client) endpoints(asked *apiv2.Endpoints) *apiv2.Endpoints {
	switch a := c.advertised; {
	case a == nil:
		return c.service.endpointsFor(asked, c.service.EndpointPortFromRequest)
	case a.Dialled && len(asked.GetAddresses()) > 0:
		return c.service.endpointsFor(asked, true)
	default:
		return a.Endpoints
	}
}
