package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"rocketmq-proxy/bench/hostclock"
)

const (
	dialTimeout  = 5 * time.Second
	readyTimeout = 20 * time.Second
	drainTimeout = 5 * time.Second
	writeTimeout = 30 * time.Second

	readBytesFew   = 64 << 10 // read buffer of a connection
	readBytesMany  = 4 << 10  // ... when there are many connections
	readBytesGrown = 16 << 10 // ... as soon as that is not enough
	connsMany      = 256
)

// Config describes a load.
type Config struct {
	Addr     string
	TLS      bool                       // else cleartext; any certificate will do
	Remoting bool                       // else gRPC; what New makes has to speak the same
	Conns    int                        // connections
	Streams  int                        // workers, thus requests in flight, of each connection
	Rate     float64                    // pieces of work started a second over all connections; 0 is a closed loop
	Fixed    bool                       // same request id and timeout in every request
	New      func(conn int) Scenario    // the conversation of each connection
	Client   func(conn int) (id string) // x-mq-client-id
}

func (c *Config) readBytes() int {
	if c.Conns > connsMany {
		return readBytesMany
	}
	return readBytesFew
}

func (c *Config) identity(conn int) Identity {
	id := Identity{Authority: c.Addr, Scheme: "http", Fixed: c.Fixed, ClientID: fmt.Sprintf("bench@1@%d@abc", conn)}
	if c.TLS {
		id.Scheme = "https"
	}
	if c.Client != nil {
		id.ClientID = c.Client(conn)
	}
	return id
}

// Totals counts what has happened since the load began.
type Totals struct {
	Requests []uint64 // answered OK, by kind
	Messages uint64   // moved, in the scenario's unit
	Errors   uint64   // answers that were not OK, connections lost
}

// Run is a load in progress.
type Run struct {
	cfg       Config
	kinds     []string
	base      time.Time
	baseHost  int64 // the same moment on hostclock
	conns     []*conn
	shards    []*histograms
	wg        sync.WaitGroup
	recording atomic.Bool
	stopPacer atomic.Bool
	late      *histograms // how late the pacer itself was

	errMu    sync.Mutex
	firstErr error
}

// Start connects, lets every connection set up, and begins the load.
func Start(ctx context.Context, cfg Config) (*Run, error) {
	r := &Run{cfg: cfg, base: time.Now(), baseHost: hostclock.Now(), late: newHistograms(1)}
	for i := range cfg.Conns {
		nc, err := r.dial(ctx)
		if err != nil {
			return nil, errors.Join(err, r.Stop())
		}
		c := newConn(r, nc, i)
		r.kinds = c.scenario.Kinds()
		r.conns = append(r.conns, c)
		r.wg.Go(c.serve)
	}
	if err := r.awaitReady(ctx); err != nil {
		if first := r.Stop(); first != nil {
			err = first // the reason; err may only be its consequence
		}
		return nil, err
	}
	if cfg.Rate > 0 {
		r.wg.Go(r.pace)
	}
	return r, nil
}

func (r *Run) dial(ctx context.Context) (net.Conn, error) {
	d := &net.Dialer{Timeout: dialTimeout}
	if !r.cfg.TLS {
		return d.DialContext(ctx, "tcp", r.cfg.Addr)
	}
	config := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}
	return (&tls.Dialer{NetDialer: d, Config: config}).DialContext(ctx, "tcp", r.cfg.Addr)
}

func (r *Run) awaitReady(ctx context.Context) error {
	timeout := time.After(readyTimeout)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for _, c := range r.conns {
		for ready := false; !ready; {
			select {
			case <-c.ready:
				ready = true
			case <-ctx.Done():
				return ctx.Err()
			case <-timeout:
				return errors.New("load: a connection did not become ready")
			case <-tick.C:
				if err := r.Err(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// clock is nanoseconds since the run began.
func (r *Run) clock() int64 { return int64(time.Since(r.base)) }

func (r *Run) shard(conn, kinds int) *histograms {
	if conn < shardsMax {
		r.shards = append(r.shards, newHistograms(kinds))
	}
	return r.shards[conn%shardsMax]
}

func (r *Run) noteError(err error) {
	r.errMu.Lock()
	defer r.errMu.Unlock()
	if r.firstErr == nil {
		r.firstErr = err
	}
}

// Err is the first thing that went wrong, or nil.
func (r *Run) Err() error {
	r.errMu.Lock()
	defer r.errMu.Unlock()
	return r.firstErr
}

// Record switches the recording of latencies on or off.
func (r *Run) Record(on bool) { r.recording.Store(on) }

// Totals adds up all connections.
func (r *Run) Totals() Totals {
	sum := Totals{Requests: make([]uint64, len(r.kinds))}
	for _, c := range r.conns {
		c.mu.Lock()
		for k, n := range c.totals.Requests {
			sum.Requests[k] += n
		}
		sum.Messages += c.totals.Messages
		sum.Errors += c.totals.Errors
		c.mu.Unlock()
	}
	return sum
}

// Latencies merges what was recorded, by kind, in nanoseconds.
func (r *Run) Latencies() map[string]*hdrhistogram.Histogram {
	all := map[string]*hdrhistogram.Histogram{}
	for k, name := range r.kinds {
		all[name] = newHistogram()
		for _, s := range r.shards {
			s.mu.Lock()
			all[name].Merge(s.kinds[k])
			s.mu.Unlock()
		}
	}
	return all
}

// Lateness is how late the pacer started requests, in nanoseconds: the part of
// the latencies at a fixed rate that the generator itself adds.
func (r *Run) Lateness() *hdrhistogram.Histogram {
	h := newHistogram()
	r.late.mu.Lock()
	h.Merge(r.late.kinds[0])
	r.late.mu.Unlock()
	return h
}

// Stop lets the work in progress end, closes the connections and returns the
// first error of the run.
func (r *Run) Stop() error {
	r.stopPacer.Store(true)
	for _, c := range r.conns {
		c.mu.Lock()
		c.stopped = true
		if c.active == 0 {
			c.nc.Close()
		}
		c.mu.Unlock()
	}
	drained := time.AfterFunc(drainTimeout, func() {
		for _, c := range r.conns {
			c.nc.Close()
		}
	})
	r.wg.Wait()
	drained.Stop()
	return r.Err()
}
