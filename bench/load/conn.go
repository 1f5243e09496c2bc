package load

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// conn is one HTTP/2 connection. Its goroutine reads; a fixed rate's pacer
// also starts requests. Everything below mu is guarded by it.
type conn struct {
	run *Run
	nc  net.Conn
	in  []byte

	mu       sync.Mutex
	scenario Scenario
	head     *requestHead
	heads    *headDecoder
	out      []byte
	request  Request // scratch
	hear     func(s *stream, m []byte)

	streams    map[uint32]*stream
	free       []*stream
	nextID     uint32
	window     int64 // what the server lets us send on the connection
	initial    int64 // ... on a new stream
	frameBytes int   // longest frame the server takes
	streamsMax uint32
	starved    []*stream // unsent bytes, no window; first come, first served
	unacked    int

	block      []byte // header block in pieces
	blockOf    uint32
	blockFlags byte

	idle    []int // workers without work, at a fixed rate
	due     fifo  // requests without worker, by the time they were due
	active  int   // workers at work
	renewAt int64 // when the write deadline is moved on
	ready   chan struct{}
	isReady bool
	stopped bool // start no more work
	totals  Totals
	times   *histograms
}

var (
	errGoAway   = errors.New("load: the server sent GOAWAY")
	errProtocol = errors.New("load: malformed HTTP/2 from the server")
	errStopped  = errors.New("load: stopped")
)

func newConn(run *Run, nc net.Conn, index int) *conn {
	c := &conn{run: run, nc: nc, scenario: run.cfg.New(index), heads: newHeadDecoder(),
		in: make([]byte, 0, run.cfg.readBytes()), streams: map[uint32]*stream{}, nextID: 1,
		window: windowDefault, initial: windowDefault, frameBytes: frameBytesMin,
		streamsMax: 1<<31 - 1, ready: make(chan struct{})}
	c.head = newRequestHead(run.cfg.identity(index))
	c.hear = c.message
	c.totals.Requests = make([]uint64, len(c.scenario.Kinds()))
	c.times = run.shard(index, len(c.scenario.Kinds()))
	return c
}

// serve runs the connection until it ends.
func (c *conn) serve() {
	c.mu.Lock()
	c.out = appendHello(c.out)
	c.request.Body = c.request.Body[:0]
	if c.scenario.Setup(&c.request) {
		c.begin(SetupWorker, c.run.clock())
	} else {
		c.becomeReady()
	}
	err := c.flush()
	c.mu.Unlock()
	for err == nil {
		err = c.turn()
	}
	c.ended(err)
}

// ended closes the connection; an end that nobody asked for is an error.
func (c *conn) ended(err error) {
	c.nc.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped {
		c.totals.Errors++
		c.run.noteError(fmt.Errorf("load: connection lost: %w", err))
	}
}

// turn is one read and everything that follows from it.
func (c *conn) turn() error {
	if len(c.in) == cap(c.in) {
		bigger := make([]byte, len(c.in), max(2*cap(c.in), frameBytesMin))
		copy(bigger, c.in)
		c.in = bigger
	}
	n, err := c.nc.Read(c.in[len(c.in):cap(c.in)])
	if err != nil {
		return err
	}
	now := c.run.clock()
	c.in = c.in[:len(c.in)+n]
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.feed(now); err != nil {
		return err
	}
	if c.stopped && c.active == 0 {
		return errStopped
	}
	return c.flush()
}

func (c *conn) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	if now := c.run.clock(); now >= c.renewAt { // not for each write: a timer costs
		c.renewAt = now + int64(writeTimeout/2)
		if err := c.nc.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return err
		}
	}
	_, err := c.nc.Write(c.out)
	c.out = c.out[:0]
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("load: the server did not read for %v", writeTimeout)
	}
	return err
}

// feed walks the whole frames and keeps the rest.
func (c *conn) feed(now int64) error {
	at := 0
	for len(c.in)-at >= frameHeadBytes {
		h := c.in[at:]
		n := int(h[0])<<16 | int(h[1])<<8 | int(h[2])
		if n > frameBytesMin {
			return errProtocol // we never allowed more
		}
		if len(h) < frameHeadBytes+n {
			break
		}
		id := binary.BigEndian.Uint32(h[5:]) &^ (1 << 31)
		if err := c.frame(h[3], h[4], id, h[frameHeadBytes:frameHeadBytes+n], now); err != nil {
			return err
		}
		at += frameHeadBytes + n
	}
	c.in = c.in[:copy(c.in, c.in[at:])]
	return nil
}

func (c *conn) frame(kind, flags byte, id uint32, payload []byte, now int64) error {
	switch kind {
	case frameData:
		return c.data(flags, id, payload, now)
	case frameHeaders:
		payload, ok := unpad(flags, payload, true)
		if !ok {
			return errProtocol
		}
		c.block, c.blockOf, c.blockFlags = c.block[:0], id, flags
		return c.headers(flags, payload, now)
	case frameContinuation:
		if id != c.blockOf {
			return errProtocol
		}
		return c.headers(flags, payload, now)
	case frameRST:
		if s := c.streams[id]; s != nil && len(payload) == 4 {
			c.end(s, fmt.Errorf("load: RST_STREAM %d", binary.BigEndian.Uint32(payload)), now)
		}
	case frameSettings:
		return c.settings(flags, payload)
	case framePing:
		if flags&flagAck == 0 {
			c.out = append(appendFrameHead(c.out, len(payload), framePing, flagAck, 0), payload...)
		}
	case frameGoAway:
		if len(payload) < 8 {
			return errProtocol
		}
		return fmt.Errorf("%w, code %d: %s", errGoAway, binary.BigEndian.Uint32(payload[4:]), payload[8:])
	case frameWindowUpdate:
		return c.windowUpdate(id, payload)
	}
	return nil
}
