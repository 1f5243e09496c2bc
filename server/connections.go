package server

import (
	"context"
	"crypto/tls"
	"maps"
	"slices"
	"time"

	"rocketmq-proxy/server/admin"
	"rocketmq-proxy/server/messaging"
)

// connections is what the operator's port shows of clients. What belongs to a connection's turn is asked
// there, by an event that nobody waits for with a lock; what its socket knows is asked of the kernel.
type connections struct {
	server   *Server
	counters *Counters
}

var _ admin.Connections = (*connections)(nil)

// Live implements admin.Connections.
func (c *connections) Live() []uint64 {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	return slices.Collect(maps.Keys(c.server.clients))
}

// Totals implements admin.Connections.
func (c *connections) Totals() admin.Totals {
	l := &c.counters.Link
	t := admin.Totals{Accepted: l.Accepted.Load(), CallsBegun: c.counters.H2.StreamsOpened.Load()}
	for why := range l.Refused {
		t.Refused += l.Refused[why].Load()
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	t.Live = len(c.server.clients)
	t.Opening = max(0, l.Open.Load()-int64(t.Live))
	return t
}

// Look implements admin.Connections.
func (c *connections) Look(ctx context.Context, ids []uint64) []admin.Connection {
	clients := c.find(ids)
	answers := make(chan *glance, len(clients)) // room for all: a turn never waits for us
	for i, w := range clients {
		w.link.Turn().Post(&glance{of: w, at: i, answers: answers})
	}
	seen := gather(ctx, answers, len(clients))
	now := time.Now()
	all := make([]admin.Connection, len(clients))
	for i, w := range clients {
		all[i] = w.shown(seen[i], now)
	}
	return all
}

// gather returns n answers, each in its place; nil for those that did not come in time.
func gather(ctx context.Context, answers <-chan *glance, n int) []*messaging.Figures {
	seen := make([]*messaging.Figures, n)
	for range n {
		select {
		case g := <-answers:
			seen[g.at] = &g.figures
		case <-ctx.Done():
			return seen
		}
	}
	return seen
}

// find leaves out those that have ended.
func (c *connections) find(ids []uint64) (found []*witnessed) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	for _, id := range ids {
		if w := c.server.clients[id]; w != nil {
			found = append(found, w)
		}
	}
	return found
}

// glance is the event that asks a connection how it stands.
type glance struct {
	of      *witnessed
	at      int // its place in the answer
	figures messaging.Figures
	answers chan<- *glance
}

// OnTurn answers.
func (g *glance) OnTurn(time.Time) {
	g.figures = g.of.Figures()
	g.answers <- g
}

// shown is a client for the operator. figures are nil when it did not answer.
func (w *witnessed) shown(figures *messaging.Figures, now time.Time) admin.Connection {
	l := w.link
	shown := admin.Connection{
		ID: w.id, State: admin.Busy, Remote: l.RemoteAddr, Local: l.LocalAddr, Relay: l.Relay, RelaySaid: l.RelayNote,
		Since: inMillis(l.Since), AgeSeconds: now.Sub(l.Since).Round(time.Millisecond).Seconds(),
	}
	if state, secured := l.TLS(); secured {
		shown.TLS = shownTLS(&state)
		if l.Certificate != nil {
			shown.TLS.Certificate = l.Certificate.Subject.String()
		}
	}
	if t, open := l.Traffic(); open {
		shown.Socket = &admin.Socket{
			ReceivedBytes: t.ReceivedBytes, SentBytes: t.SentBytes, ResentBytes: t.ResentBytes, UnsentBytes: t.UnsentBytes,
			RoundTripMicros: t.RoundTrip.Microseconds(),
		}
	}
	if figures == nil {
		return shown
	}
	shown.State = admin.Open
	if figures.Leaving {
		shown.State = admin.Leaving
	}
	shown.Activity = &admin.Activity{
		LastHeard: inMillis(figures.HeardAt), CallsOpen: figures.CallsOpen, CallsBegun: figures.CallsBegun,
		UnsentBytes: figures.UnsentBytes, ClientIDs: shownIDs(figures.ClientIDs),
	}
	return shown
}

func shownTLS(state *tls.ConnectionState) *admin.TLS {
	return &admin.TLS{
		Version: tls.VersionName(state.Version), Cipher: tls.CipherSuiteName(state.CipherSuite), Curve: state.CurveID.String(),
		ALPN: state.NegotiatedProtocol, Resumed: state.DidResume,
	}
}

// How many clients of a connection are named, and how much of each name: they choose both.
const (
	shownIDsMax     = 8
	shownIDBytesMax = 256
)

func shownIDs(ids []string) []string {
	all := make([]string, 0, min(len(ids), shownIDsMax))
	for _, id := range ids[:cap(all)] {
		all = append(all, id[:min(len(id), shownIDBytesMax)])
	}
	return all
}

// inMillis is t as the page has it: RFC 3339 in UTC, with milliseconds.
func inMillis(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
