package messaging

import (
	"slices"
	"time"

	"rocketmq-proxy/server/session"
)

// Figures are how one connection stands.
type Figures struct {
	CallsOpen   int
	CallsBegun  int // those that are open among them
	HeardAt     time.Time
	UnsentBytes int  // of answers that wait for the client's windows
	Leaving     bool // GOAWAY was sent
	// ClientIDs are clients that are known to be at the other end, sorted: those with a telemetry stream
	// on this connection, and the last one with a call that goes by its settings (a send does not).
	ClientIDs []string
}

// Figures must be called on the connection's turn.
func (c *Client) Figures() Figures {
	return Figures{
		CallsOpen: c.conn.Active(), CallsBegun: c.conn.Begun(), HeardAt: c.conn.HeardAt(),
		UnsentBytes: c.conn.Unsent(), Leaving: c.conn.Leaving() || c.conn.Err() != nil,
		ClientIDs: c.clientIDs(),
	}
}

func (c *Client) clientIDs() (ids []string) {
	known := []*session.Session{c.session}
	for waits := range c.waiting {
		if m, is := waits.(*telemetry); is {
			known = append(known, m.session)
		}
	}
	for _, s := range known {
		if s != nil && !s.Ended() {
			ids = append(ids, s.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
