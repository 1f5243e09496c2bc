package h2

import (
	"time"

	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/codec/hpack"
	"rocketmq-proxy/pool"
)

// Conn is the server's side of one HTTP/2 connection.
type Conn struct {
	cfg *Config
	svc Service
	now time.Time // of the last Feed or Tick; it may lag behind, never run ahead
	err error     // why the connection failed; final

	// what arrives
	in           pool.Chain   // bytes not yet understood: at most a part of one frame
	gathered     *pool.Buffer // a payload that straddled views, while it is looked at
	prefaceSeen  bool
	settingsSeen bool // the client's first SETTINGS
	settingsAck  bool // the client acknowledged ours
	pinged       bool // a keepalive PING is out, since pingedAt
	quiet        bool // no HEADERS or DATA sent since the last PING
	overfull     bool // some stream must be reset for WaitingBytesMax
	goAway       goAwayPhase
	aged         bool // it has been asked to end for its age
	decoder      hpack.Decoder
	block        *headerBlock // nil: none is open
	recvWindow   int          // bytes of DATA the client may still send
	recvOwed     int          // bytes received and not yet credited
	partial      int          // bytes of incomplete messages, all streams
	charged      int          // of them, taken from Config.Requests
	favoured     Key          // whose window grows although partial is high
	withheld     int          // streams whose window does not
	message      pool.Chain   // the message being delivered
	inflation    *inflation   // the compressed message on its way; nil: there is none

	// what leaves
	out        pool.Chain // encoded frames
	control    int        // control frames in out
	sendWindow int        // bytes of DATA we may still send
	peerWindow int        // the client's SETTINGS_INITIAL_WINDOW_SIZE
	peerFrame  int        // the client's SETTINGS_MAX_FRAME_SIZE
	ready      readyList  // streams with messages and a window
	waiting    int        // bytes of messages queued on streams

	// the calls
	streams slab
	lastID  uint32 // the highest stream the client opened
	closed  closedStreams
	opened  uint64 // calls since the last Drain, not yet counted

	openedAt time.Time // the last of them

	// time and abuse
	due          time.Time // when Tick is wanted
	ageDue       time.Time // for the graceful end, then for the end of its grace; zero: never
	prefaceDue   time.Time // for the preface, then for the acknowledgment; once warned, for the final GOAWAY
	idleSince    time.Time // zero: not idle, or not yet noticed by Tick
	heardAt      time.Time // last bytes
	pingedAt     time.Time
	buckets      *[Violations]bucket // nil: full
	windowTokens int                 // WINDOW_UPDATE frames still allowed
}

// New returns the connection of a client that has just connected. Our SETTINGS are ready to
// be drained.
func New(cfg *Config, svc Service, now time.Time) *Conn {
	cfg.prepare(now)
	c := &Conn{
		cfg: cfg, svc: svc, now: now, heardAt: now,
		recvWindow: cfg.limits.ConnWindowBytes,
		sendWindow: frame.WindowInitial,
		peerWindow: frame.WindowInitial,
		peerFrame:  frame.PayloadBytesMin,

		windowTokens: cfg.limits.WindowUpdatesMax,
	}
	c.decoder.Init(cfg.names, hpack.Limits{
		ListBytesMax:   cfg.limits.HeaderListBytesMax,
		ListFieldsMax:  cfg.limits.HeaderFieldsMax,
		StringBytesMax: cfg.limits.headerStringBytesMax(),
	})
	c.offerSettings()
	c.prefaceDue = c.after(cfg.limits.PrefaceTimeout)
	c.wake(c.prefaceDue)
	if age := cfg.limits.AgeMax; age >= 0 {
		c.ageDue = c.after(cfg.jittered(age))
		c.wake(c.ageDue)
	}
	return c
}

// Feed takes bytes from the client. Any error is a [ConnError], after which Drain gives the
// GOAWAY and the link closes.
func (c *Conn) Feed(now time.Time, in *pool.Chain) error {
	c.now, c.heardAt, c.pinged = now, now, false
	if c.err != nil {
		in.Release()
		return c.err
	}
	c.in.AppendChain(in)
	if err := c.consume(); err != nil {
		c.fail(err)
		return c.err
	}
	c.tidy()
	return nil
}

// consume works off every whole frame.
func (c *Conn) consume() error {
	if !c.prefaceSeen {
		if whole, err := c.preface(); !whole {
			return err
		}
	}
	for c.in.Len() >= frame.HeadBytes {
		var scratch [frame.HeadBytes]byte
		h := frame.ParseHead(c.in.Front(frame.HeadBytes, scratch[:]))
		// Before the payload is here: a frame that may not come is not waited for.
		if err := c.admit(h); err != nil {
			return err
		}
		if c.in.Len() < frame.HeadBytes+h.Length {
			return nil
		}
		c.in.Discard(frame.HeadBytes)
		if err := c.frame(h); err != nil {
			if err = c.resetFor(err); err != nil {
				return err
			}
		}
		if err := c.backlog(); err != nil {
			return err
		}
	}
	return nil
}

// preface checks the client's preface as far as it is here.
func (c *Conn) preface() (whole bool, err error) {
	var scratch [len(frame.Preface)]byte
	n := min(c.in.Len(), len(frame.Preface))
	if string(c.in.Front(n, scratch[:])) != frame.Preface[:n] {
		return false, protocolError("this is not an HTTP/2 preface")
	}
	if n < len(frame.Preface) {
		return false, nil
	}
	c.in.Discard(n)
	c.prefaceSeen = true
	return true, nil
}

// admit checks what a head alone can be wrong with.
func (c *Conn) admit(h frame.Head) error {
	if h.Length > frame.PayloadBytesMin {
		return ConnError{Code: frame.FrameSizeError, Reason: "frame exceeds SETTINGS_MAX_FRAME_SIZE"}
	}
	if !c.settingsSeen && (h.Kind != frame.KindSettings || h.Flags.Has(frame.FlagAck)) {
		return protocolError("the first frame is not SETTINGS") // section 3.4
	}
	return c.block.admit(h)
}

// frame handles one frame whose payload is at the front of in.
func (c *Conn) frame(h frame.Head) error {
	if h.Kind == frame.KindData {
		return c.data(h)
	}
	payload := c.borrow(h.Length)
	err := c.payload(h, payload)
	c.in.Discard(h.Length)
	if c.gathered != nil {
		c.gathered.Release()
		c.gathered = nil
	}
	return err
}

func (c *Conn) payload(h frame.Head, payload []byte) error {
	switch h.Kind {
	case frame.KindHeaders:
		return c.headers(h, payload)
	case frame.KindContinuation:
		return c.continuation(h, payload)
	case frame.KindWindowUpdate:
		return c.windowUpdate(h, payload)
	case frame.KindReset:
		return c.reset(h, payload)
	case frame.KindPing:
		return c.ping(h, payload)
	case frame.KindSettings:
		return c.settings(h, payload)
	case frame.KindPriority:
		return c.priority(h, payload)
	case frame.KindGoAway:
		return c.goAwayReceived(h, payload)
	case frame.KindPushPromise:
		return protocolError("a client must not push") // section 8.4
	}
	return c.spend(UnknownFlood) // section 5.5: ignored
}

// borrow is the first n bytes of in as one slice, until the frame is done with.
func (c *Conn) borrow(n int) []byte {
	if n == 0 {
		return nil
	}
	if first := c.in.Views()[0]; first.Len() >= n {
		return first.Bytes()[:n]
	}
	c.gathered = pool.Get(n)
	return c.in.Front(n, c.gathered.Bytes())
}

// backlog bounds what a client can make us queue within one Feed.
func (c *Conn) backlog() error {
	if c.control > c.cfg.limits.ControlFramesMax {
		return c.exceeded(ControlBacklog, "ControlFramesMax: too many unsent control frames")
	}
	if c.out.Len() > c.cfg.limits.OutboxBytesMax {
		return c.exceeded(OutboxBacklog, "OutboxBytesMax: too much unsent output")
	}
	return nil
}

// pieceViewsMax is how many views an incomplete frame may hold. One that comes byte by byte
// would otherwise pin a block for every byte.
const pieceViewsMax = 16

// tidy copies an incomplete frame that came in many pieces into one block.
func (c *Conn) tidy() {
	if len(c.in.Views()) <= pieceViewsMax {
		return
	}
	block := pool.Get(c.in.Len())
	n := len(c.in.AppendTo(block.Bytes()[:0]))
	c.in.Release()
	c.in.Append(pool.ViewOf(block, 0, n))
}

// fail ends the connection: GOAWAY is queued and every call hears of it.
func (c *Conn) fail(err error) {
	if c.err != nil {
		return
	}
	e, ok := err.(ConnError)
	if !ok {
		e = ConnError{Code: frame.InternalError, Reason: err.Error()}
	}
	c.err = e
	c.cfg.Counters.ConnErrors.Add(1)
	c.sendGoAway(c.lastID, e.Code, e.Reason)
	c.in.Release()
	c.endBlock()
	c.cancelAll(e)
}

// Err is why the connection failed, or nil.
func (c *Conn) Err() error { return c.err }

// Close ends everything that is still open: the link is gone. Nothing can be drained
// afterwards.
func (c *Conn) Close(cause error) {
	if cause == nil {
		cause = ErrClosed
	}
	if c.err == nil {
		c.err = cause
	}
	c.cancelAll(cause)
	c.in.Release()
	c.endBlock()
	c.out.Release()
	c.publish()
}

// publish counts the calls of a batch at once: the counter is shared by all connections.
func (c *Conn) publish() {
	if c.opened > 0 {
		c.cfg.Counters.StreamsOpened.Add(c.opened)
		c.opened = 0
	}
}

// Done tells that the connection has ended and everything was drained: the link may close.
func (c *Conn) Done() bool {
	ended := c.err != nil || (c.goAway == goAwayFinal && c.streams.active == 0)
	return ended && c.out.Len() == 0
}

// Active is the number of open calls.
func (c *Conn) Active() int { return c.streams.active }

// Begun is the number of calls that the client has begun, those that were refused for StreamsMax
// or at the end of the connection not among them.
func (c *Conn) Begun() int { return int(c.streams.gen) }

// HeardAt is when the client's last bytes were fed.
func (c *Conn) HeardAt() time.Time { return c.heardAt }

// Unsent is the number of bytes of output: encoded frames, and messages that wait for a
// window.
func (c *Conn) Unsent() int { return c.out.Len() + c.waiting }

// Stream is the open call with this key, or nil when it is gone.
func (c *Conn) Stream(key Key) *Stream { return c.streams.get(key) }
