package link

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"
)

// Introduction is what a relay, such as a load balancer, says of the client behind it before it
// passes on the client's first byte.
type Introduction struct {
	// Client is the client's address, and Dialled the one that it dialled. Not valid: the relay
	// speaks for itself, or does not know; those of the socket hold.
	Client, Dialled netip.AddrPort
	// Note is what else it says, for a log.
	Note string
}

// Ends are the two ends of a connection, and when it began.
type Ends struct {
	Since time.Time // an accepted one was accepted
	// LocalAddr and RemoteAddr are host:port, IPv6 hosts in brackets: those of the socket, or of the
	// client behind a relay and what it dialled.
	LocalAddr, RemoteAddr string
	// Relay is the peer of the socket where that is not the client; else it is empty.
	Relay string
	// RelayNote is what else the relay said.
	RelayNote string
}

// ErrIntroduction is among the errors of Front.Failed when a relay that is trusted says something that
// cannot be read, or stops within it.
var ErrIntroduction = errors.New("introduction of a client by a trusted relay")

// introduced reads what a relay says of its client, if conn is of one and if it says something. What
// was read behind that is first; nothing may have been.
func (ln *Listener) introduced(conn *net.TCPConn) (ends Ends, first []byte, err error) {
	ends = Ends{LocalAddr: conn.LocalAddr().String(), RemoteAddr: conn.RemoteAddr().String()}
	if !ln.trusts(conn.RemoteAddr()) {
		return ends, nil, nil
	}
	for {
		if first, err = readMore(conn, first); err != nil {
			return ends, nil, cutShort(first, err)
		}
		said, n, verdict, err := ln.front.Introduction(first)
		switch {
		case err != nil:
			return ends, nil, fmt.Errorf("%w: %w", ErrIntroduction, err)
		case verdict == Yes:
			return ends.behind(said), first[n:], nil
		case verdict == Never:
			return ends, first, nil
		}
	}
}

// cutShort is why a relay that has said so much says no more.
func cutShort(first []byte, why error) error {
	if len(first) == 0 {
		return errors.Join(errNoFirstBytes, why)
	}
	return fmt.Errorf("%w: it ends after %d bytes: %w", ErrIntroduction, len(first), why)
}

// trusts tells whether a peer is a relay of ours.
func (ln *Listener) trusts(peer net.Addr) bool {
	if len(ln.front.Relays) == 0 {
		return false
	}
	addr := hostOf(peer.String()) // one that is none is in no network
	return slices.ContainsFunc(ln.front.Relays, func(network netip.Prefix) bool { return network.Contains(addr) })
}

// behind are the ends of the client behind a relay, whose own ends e are.
func (e Ends) behind(said Introduction) Ends {
	e.RelayNote = said.Note
	if said.Client.IsValid() {
		e.Relay, e.RemoteAddr = e.RemoteAddr, unmapped(said.Client)
	}
	if said.Dialled.IsValid() {
		e.LocalAddr = unmapped(said.Dialled)
	}
	return e
}

// hostOf is the address in host:port, IPv4 where it is written as IPv6, and without a zone. It is not
// valid where there is none.
func hostOf(peer string) netip.Addr {
	from, _ := netip.ParseAddrPort(peer)
	return from.Addr().Unmap().WithZone("")
}

// unmapped is host:port; an IPv4 address that was written as IPv6 is IPv4.
func unmapped(a netip.AddrPort) string {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()).String()
}

// readMore appends what one read finds.
func readMore(conn net.Conn, to []byte) ([]byte, error) {
	to = slices.Grow(to, firstBytesMax)
	n, err := conn.Read(to[len(to):cap(to)])
	return to[:len(to)+n], err
}
