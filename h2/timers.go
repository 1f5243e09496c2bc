package h2

import (
	"time"

	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/codec/grpc"
)

// after is the instant d from now, or never (zero) when d is negative.
func (c *Conn) after(d time.Duration) time.Time {
	if d < 0 {
		return time.Time{}
	}
	return c.now.Add(d)
}

// wake asks for a Tick at t or before; zero is never.
func (c *Conn) wake(t time.Time) {
	if !t.IsZero() && (c.due.IsZero() || t.Before(c.due)) {
		c.due = t
	}
}

// Due is when Tick is next wanted; zero is never. It may be early: what it was for may have
// happened meanwhile.
func (c *Conn) Due() time.Time { return c.due }

// Tick tells the time. It costs a comparison when nothing is due, and may be called at the
// start of every turn.
func (c *Conn) Tick(now time.Time) {
	c.now = now
	if c.due.IsZero() || now.Before(c.due) {
		return
	}
	c.due = time.Time{}
	if c.err != nil {
		return
	}
	c.tickStreams()
	if err := c.tickConn(); err != nil {
		c.fail(err)
	}
}

// passed tells whether t has come; if not, it asks to be woken then.
func (c *Conn) passed(t time.Time) bool {
	if t.IsZero() {
		return false
	}
	if !c.now.Before(t) {
		return true
	}
	c.wake(t)
	return false
}

// tickConn looks after what the connection as a whole waits for.
func (c *Conn) tickConn() error {
	switch {
	case !c.prefaceSeen || !c.settingsSeen:
		if c.passed(c.prefaceDue) {
			return c.late(frame.ProtocolError, "PrefaceTimeout: no preface")
		}
	case c.goAway == goAwayWarned:
		if c.passed(c.prefaceDue) {
			c.leave()
		}
	case c.goAway == goAwayNone && !c.settingsAck:
		if c.passed(c.prefaceDue) {
			return c.late(frame.SettingsTimeout, "PrefaceTimeout: SETTINGS not acknowledged")
		}
	}
	if c.block != nil && c.passed(c.block.due) {
		return c.late(frame.EnhanceYourCalm, "HeaderBlockTimeout: the header block does not end")
	}
	c.tickSlots()
	c.tickIdle()
	if err := c.tickAge(); err != nil {
		return err
	}
	return c.tickKeepalive()
}

func (c *Conn) late(code frame.ErrCode, reason string) error {
	c.cfg.count(Timeouts)
	return ConnError{Code: code, Reason: reason}
}

// slotsKeptFor is how long after its last call a connection keeps the memory that the next would use.
const slotsKeptFor = 10 * time.Second

func (c *Conn) tickSlots() {
	if c.passed(c.openedAt.Add(slotsKeptFor)) {
		c.streams.trim()
		c.out.Trim()
	}
}

// becomeIdle: no call is open. Since when is for the next Tick to say, because the last
// answer may have been given long after the last Feed.
func (c *Conn) becomeIdle() {
	c.idleSince = time.Time{}
	c.wake(c.after(c.cfg.limits.IdleTimeout))
}

// tickIdle sends a connection away that has had no call for long.
func (c *Conn) tickIdle() {
	limit := c.cfg.limits.IdleTimeout
	if limit < 0 || c.streams.active > 0 || !c.settingsSeen {
		return
	}
	if c.idleSince.IsZero() {
		c.idleSince = c.now
	}
	if c.passed(c.idleSince.Add(limit)) && c.goAway != goAwayFinal {
		c.cfg.Counters.ConnsIdle.Add(1)
		c.leave()
	}
}

// tickAge asks a connection to end that is old, and ends one that does not in the time given.
func (c *Conn) tickAge() error {
	switch {
	case !c.settingsSeen || !c.passed(c.ageDue):
		return nil
	case c.aged && c.streams.active == 0: // it has ended, and all but the link knows
		return nil
	case c.aged:
		return ConnError{Code: frame.NoError, Reason: "AgeGrace: the calls of an old connection do not end"}
	}
	c.aged = true
	c.ageDue = c.after(c.cfg.limits.AgeGrace)
	c.wake(c.ageDue)
	c.Shutdown(c.now)
	return nil
}

// keepaliveGrain is how late it may be noticed that a client is silent. Thousands of connections
// then look at the same instants, which wakes the process once and not once for each.
const keepaliveGrain = time.Second

// together is t, or the next of the instants that all connections share.
func (c *Conn) together(t time.Time) time.Time {
	if past := t.Sub(c.cfg.begun) % keepaliveGrain; past > 0 {
		return t.Add(keepaliveGrain - past)
	}
	return t
}

// silentAt is when the client will have been silent for KeepaliveInterval.
func (c *Conn) silentAt() time.Time { return c.heardAt.Add(c.cfg.limits.KeepaliveInterval) }

// expectWords has the keepalive looked at once the client is silent.
func (c *Conn) expectWords() {
	if c.cfg.limits.KeepaliveInterval >= 0 {
		c.wake(c.together(c.silentAt()))
	}
}

// tickKeepalive asks a silent client whether it is still there.
func (c *Conn) tickKeepalive() error {
	l := &c.cfg.limits
	if l.KeepaliveInterval < 0 || c.streams.active == 0 {
		return nil
	}
	if c.now.Before(c.silentAt()) {
		c.expectWords()
		return nil
	}
	switch {
	case !c.pinged:
		c.pinged = true
		c.pingedAt = c.now
		c.sendPing(pingKeepalive, 0)
	case c.out.Len() > 0: // the link waits for a slow peer, and knows best for how long
		c.pingedAt = c.now
	case c.now.Sub(c.pingedAt) > 2*l.KeepaliveTimeout: // we have slept ourselves, and the answer may wait to be read
		c.pingedAt = c.now
	}
	if l.KeepaliveTimeout >= 0 && c.passed(c.pingedAt.Add(l.KeepaliveTimeout)) {
		return c.late(frame.NoError, "KeepaliveTimeout: the client is silent")
	}
	return nil
}

// tickStreams looks at every call. There is no queue of deadlines: most calls end long
// before theirs, and finding that out here, once in a while, costs less than filing each.
func (c *Conn) tickStreams() {
	for s := range c.streams.all() {
		s.tick()
	}
}

func (s *Stream) tick() {
	c := s.conn
	if c.passed(s.deadline) {
		s.reject(grpc.DeadlineExceeded, "the deadline of the call has passed")
		return
	}
	limits := &c.cfg.limits
	if !s.clientStreams && !s.halfClosed && limits.RequestTimeout >= 0 &&
		c.passed(s.heardAt.Add(limits.RequestTimeout)) {
		c.cfg.count(SlowRequests)
		s.reject(grpc.DeadlineExceeded, "RequestTimeout: the request does not end")
		return
	}
	if s.queue.Len() == 0 || limits.StallTimeout < 0 {
		return
	}
	if s.stalledAt.IsZero() {
		s.stalledAt = c.now
	}
	if c.passed(s.stalledAt.Add(limits.StallTimeout)) {
		c.cfg.count(StalledStreams)
		c.sendReset(s.id, frame.Cancel)
		s.cancel(StreamError{Stream: s.id, Code: frame.Cancel, Reason: "StallTimeout: the client does not open its windows"}, resetByUs)
	}
}
