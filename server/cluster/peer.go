package cluster

import (
	"net"
	"net/netip"
	"strings"
	"sync"
)

// peer is the lanes to one address. Requests of one kind share a connection, so that many
// leave in one flush; kinds are apart, so that the body of a long poll never sits in front of
// a send.
//
//	lane       carries
//	send       sends
//	pop        pops and pulls: long polls, and answers with bodies
//	ack        acks, invisible times
//	metadata   routes, topic and group settings, offsets, dead letters, recalls
//	client     heartbeats of producers, lite subscriptions, and what brokers ask of clients, on this lane only
type peer struct {
	addr   string
	lanes  [laneKinds]*lane
	health health // as sends find it
	ended  sync.Once
}

type laneKind int

const (
	sendLane laneKind = iota
	popLane
	ackLane
	metadataLane
	clientLane
	laneKinds
)

func newPeer(c *Cluster, addr string) *peer {
	p := &peer{addr: addr}
	for kind := range p.lanes {
		p.lanes[kind] = newLane(c, p, laneKind(kind))
	}
	return p
}

func (p *peer) lane(kind laneKind) *lane { return p.lanes[kind] }

// end closes every lane, now and for ever.
func (p *peer) end(cause error) {
	p.ended.Do(func() {
		for _, l := range p.lanes {
			l.turn.Post(&ending{lane: l, cause: cause})
		}
	})
}

// dialable is addr with brackets around an IPv6 host. A broker whose brokerIP1 is one registers
// without, and so do people write name servers; the port is behind the last colon.
func dialable(addr string) string {
	if at := strings.LastIndexByte(addr, ':'); at > 0 {
		if ip, err := netip.ParseAddr(addr[:at]); err == nil && ip.Is6() {
			return net.JoinHostPort(addr[:at], addr[at+1:])
		}
	}
	return addr
}

func dialables(addrs []string) []string {
	all := make([]string, len(addrs))
	for i, addr := range addrs {
		all[i] = dialable(addr)
	}
	return all
}
