package remoting

import (
	"errors"
	"sync/atomic"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/pool"
)

// Config is what a connection needs to know. It may be shared.
type Config struct {
	Addr     string // of the peer, for the text of errors
	Limits   Limits
	Counters *Counters // nil: counted for nobody

	// OnRequest hears of a request of the peer (39, 40 and others; specification 2.16, 2.17).
	// Both arguments are borrowed; what it leaves in body is released. It may answer one
	// that is not oneway, now or later, by Respond. When it is nil such requests are counted
	// and dropped, as the reference does.
	OnRequest func(head *command.Head, body *pool.Chain)

	// goAway takes a call that was answered by GO_AWAY; the lane's.
	goAway func(*Call)
}

// errClosed is the cause of a connection that was closed without one.
var errClosed = errors.New("remoting: connection closed")

// Conn is one connection towards a server.
//
//	Call ──► table + out ──Drain──► peer ──Feed──► in ──► answer ──► Done
//	                                                └──► request ──► OnRequest
//
// It is open until Feed returns an error or Close is called; calls made afterwards fail at
// once. After Feed's error the owner closes the link and calls Close.
type Conn struct {
	cfg      Config
	counters *Counters

	// towards the peer
	calls   opaques
	out     pool.Chain // frames not yet drained
	written uint64     // bytes ever put into out
	drained uint64     // bytes ever taken from it; calls at or beyond it are surely unsent

	// from the peer
	in      pool.Chain // bytes that are not a whole frame yet
	need    int        // bytes of in that are worth looking at
	head    command.Head
	scratch []byte // a head that straddles blocks is gathered here
	reply   Reply

	// time
	due      time.Time // no deadline is before it; zero: no deadline
	lastCall time.Time
	lastRead time.Time
	owed     time.Time // since when the peer owes answers and was silent; zero: it is not

	err     error // why the connection ended
	heard   bool  // the peer said something
	feeding bool
	closed  bool

	timeouts int // calls that ended by their deadline, those that lapse aside

	// counted, not yet published
	callsNew, onewaysNew, answersNew, unclaimedNew int64
	livePublished                                  int
}

// NewConn returns an open connection.
func NewConn(cfg *Config, now time.Time) *Conn {
	c := &Conn{cfg: *cfg, counters: cfg.Counters, need: command.PrefixBytes, lastCall: now, lastRead: now}
	c.cfg.Limits = cfg.Limits.filled()
	if c.counters == nil {
		c.counters = new(Counters)
	}
	c.reply.Head = &c.head
	return c
}

// Feed takes in: bytes from the peer, cut anywhere. A *ConnError ends the connection.
func (c *Conn) Feed(now time.Time, in *pool.Chain) error {
	c.counters.BytesIn.Add(int64(in.Len()))
	if c.err != nil {
		in.Discard(in.Len())
		return c.err
	}
	c.heard = c.heard || in.Len() > 0
	c.in.AppendChain(in)
	c.lastRead, c.owed = now, time.Time{}
	c.feeding = true
	for c.err == nil && c.in.Len() >= c.need {
		if err := c.frame(); err != nil {
			c.err = err
			c.counters.FramesBad.Add(1)
		}
	}
	c.feeding = false
	if c.closed {
		c.in.Release()
	} else if c.calls.live > 0 {
		c.owed = now
	}
	c.publish()
	return c.err
}

// Drain gives out: moves what is for the peer to the back of out.
func (c *Conn) Drain(out *pool.Chain) {
	if n := c.out.Len(); n > 0 {
		out.AppendChain(&c.out)
		c.drained += uint64(n)
		c.counters.BytesOut.Add(int64(n))
	}
	c.publish()
}

// sweepGrain is the least time between two looks at all deadlines, and so how late a timeout
// may be noticed.
const sweepGrain = 5 * time.Millisecond

// Tick ends the calls whose deadline has passed. It costs nothing before Due.
func (c *Conn) Tick(now time.Time) {
	if c.due.IsZero() || now.Before(c.due) {
		return
	}
	var late, lapsed callList
	var next time.Time
	c.due = time.Time{}
	c.calls.drop(&late, func(call *Call) bool {
		if !call.Deadline.After(now) {
			return true
		}
		next = earlier(next, call.Deadline)
		return false
	})
	if !next.IsZero() {
		c.due = earlier(c.due, later(next, now.Add(sweepGrain)))
	}
	if c.calls.live == 0 && c.out.Len() == 0 {
		c.out.Trim()
	}
	late.split(&lapsed, func(call *Call) bool { return call.Lapses })
	c.timeouts += late.n
	c.failAll(late, Timeout, nil)
	c.failAll(lapsed, Lapsed, nil)
	c.publish()
}

// Due is when Tick has something to do; zero for never. It may be early, never late.
func (c *Conn) Due() time.Time { return c.due }

// Close ends the connection: the link is gone. Every call in flight is Done with
// ConnectionLost, whose cause is the first there was.
func (c *Conn) Close(cause error) {
	if c.closed {
		return
	}
	c.closed = true
	if c.err == nil {
		c.err = cause
	}
	if c.err == nil {
		c.err = errClosed
	}
	var lost callList
	c.calls.drop(&lost, func(*Call) bool { return true })
	c.due = time.Time{}
	c.out.Release()
	if !c.feeding {
		c.in.Release()
	}
	c.failAll(lost, ConnectionLost, c.err)
	c.publish()
}

// failAll ends calls that were just unfiled.
func (c *Conn) failAll(list callList, kind CallErrorKind, cause error) {
	switch kind {
	case Timeout:
		c.counters.Timeouts.Add(int64(list.n))
	case Lapsed:
		c.counters.Lapses.Add(int64(list.n))
	default:
		c.counters.Lost.Add(int64(list.n))
	}
	for call := list.pop(); call != nil; call = list.pop() {
		call.fail(kind, c.cfg.Addr, call.offset < c.drained, cause)
	}
}

// Err is why the connection ended; nil while it is open.
func (c *Conn) Err() error { return c.err }

// Inflight is the number of calls that wait for an answer.
func (c *Conn) Inflight() int { return c.calls.live }

// Unsent is the number of bytes that wait for Drain.
func (c *Conn) Unsent() int { return c.out.Len() }

// IdleSince is when the last call was made or the last byte came, whichever was later. It
// means something while Inflight is 0.
func (c *Conn) IdleSince() time.Time { return later(c.lastCall, c.lastRead) }

// Silence is for how long the peer has owed an answer without sending anything; 0 when it
// owes none. A call that timed out still is owed: only bytes end a silence.
func (c *Conn) Silence(now time.Time) time.Duration {
	if c.owed.IsZero() {
		return 0
	}
	return now.Sub(c.owed)
}

// publish adds what was counted since the last time, so that a batch costs as much as a call.
func (c *Conn) publish() {
	addNew(&c.counters.Calls, &c.callsNew)
	addNew(&c.counters.Oneways, &c.onewaysNew)
	addNew(&c.counters.Answers, &c.answersNew)
	addNew(&c.counters.Unclaimed, &c.unclaimedNew)
	if c.livePublished != c.calls.live {
		c.counters.Inflight.Add(int64(c.calls.live - c.livePublished))
		c.livePublished = c.calls.live
	}
}

func addNew(total *atomic.Int64, fresh *int64) {
	if *fresh != 0 {
		total.Add(*fresh)
		*fresh = 0
	}
}

// earlier is the earlier of two times, of which a may be zero for none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
