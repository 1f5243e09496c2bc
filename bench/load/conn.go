package load

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// conn is one connection with its workers, whatever it speaks. Its goroutine reads; a fixed rate's
// pacer also starts requests. Everything below mu is guarded by it.
type conn struct {
	run *Run
	nc  net.Conn
	in  []byte

	mu       sync.Mutex
	scenario Scenario
	stamped  Stamped // the same scenario, or nil
	protocol protocol
	out      []byte
	request  Request // scratch

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

// protocol is what a connection speaks. It is used under the connection's lock, writes to its out, and
// tells it of answers by heard and end.
type protocol interface {
	// hello is what a client says before its first request.
	hello()
	// send writes the connection's request, which is that of q.
	send(q call)
	// frame takes the frame that b begins with and returns its length, or 0 while it is not whole.
	frame(b []byte, now int64) (int, error)
}

// call is one request in flight.
type call struct {
	worker  int
	kind    int
	begun   int64 // when it was due, on the run's clock in nanoseconds
	failure error // the first thing wrong with the answer
}

var errStopped = errors.New("load: stopped")

func newConn(run *Run, nc net.Conn, index int) *conn {
	c := &conn{run: run, nc: nc, scenario: run.cfg.New(index), in: make([]byte, 0, run.cfg.readBytes()), ready: make(chan struct{})}
	c.stamped, _ = c.scenario.(Stamped)
	if run.cfg.Remoting {
		c.protocol = newRemoting(c)
	} else {
		c.protocol = newHTTP2(c, run.cfg.identity(index))
	}
	c.totals.Requests = make([]uint64, len(c.scenario.Kinds()))
	c.times = run.shard(index, len(c.scenario.Kinds()))
	return c
}

// serve runs the connection until it ends.
func (c *conn) serve() {
	c.mu.Lock()
	c.protocol.hello()
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
		bigger := make([]byte, len(c.in), max(2*cap(c.in), readBytesGrown))
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
	for {
		n, err := c.protocol.frame(c.in[at:], now)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		at += n
	}
	c.in = c.in[:copy(c.in, c.in[at:])]
	return nil
}
