package h2

import (
	"time"

	"rocketmq-proxy/codec/frame"
)

// goAwayPhase is how far a graceful end has come (section 6.8):
//
//	goAwayNone ──Shutdown──► goAwayWarned ──PING acknowledged, or a second──► goAwayFinal
//	     └───────────────────────── idle for too long ──────────────────────────▲
//
// Warned, the client knows, but streams that were on their way are still served. Final, it
// knows which streams will be served, and newer ones are refused.
type goAwayPhase uint8

const (
	goAwayNone goAwayPhase = iota
	goAwayWarned
	goAwayFinal
)

// leaveTimeout is how long the client may take to acknowledge the PING behind a warning.
const leaveTimeout = time.Second

// Shutdown begins a graceful end: no new calls, the open ones go on. See Done. AgeMax does the same.
func (c *Conn) Shutdown(now time.Time) {
	if c.err != nil || c.goAway != goAwayNone {
		return
	}
	c.now = now
	c.goAway = goAwayWarned
	c.sendGoAway(frame.StreamMax, frame.NoError, "")
	c.sendPing(pingShutdown, 0)
	c.prefaceDue = c.after(leaveTimeout)
	c.wake(c.prefaceDue)
}

// Leaving tells that the end has begun, by Shutdown, by age or for want of calls: calls that would
// go on for long should end now.
func (c *Conn) Leaving() bool { return c.goAway != goAwayNone }

// leave tells the client which stream was the last.
func (c *Conn) leave() {
	if c.err != nil || c.goAway == goAwayFinal {
		return
	}
	c.goAway = goAwayFinal
	c.sendGoAway(c.lastID, frame.NoError, "")
}

func (c *Conn) sendGoAway(last uint32, code frame.ErrCode, reason string) {
	b := c.out.Reserve(frame.HeadBytes + 8 + len(reason))
	c.out.Commit(frame.AppendGoAway(b, last, code, reason))
}

// goAwayReceived: the client will open no more streams. Those it has go on, and then it
// closes; there is nothing to do.
func (c *Conn) goAwayReceived(h frame.Head, payload []byte) error {
	if h.Stream != 0 {
		return protocolError("GOAWAY on a stream")
	}
	if _, err := frame.ParseGoAway(payload); err != nil {
		return layoutError(err)
	}
	return c.spend(UnknownFlood)
}
