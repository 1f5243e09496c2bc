package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"rocketmq-proxy/bench/load"
	"rocketmq-proxy/bench/peer"
	"rocketmq-proxy/bench/report"
)

// supplyStreams is the requests in flight on a connection while a store is filled.
const supplyStreams = 64

// coldPerSecond is a first guess how many messages a peer receives and acknowledges a second.
// Later windows are supplied by what was measured. One that runs dry is an error.
var coldPerSecond = map[string]float64{peer.Local: 100_000, peer.JavaLocal: 6_000}

// station is a running peer with a store of its own.
type station struct {
	*peer.Process
	dir       string
	workload  Workload
	fixed     bool
	loads     int     // so far
	stored    uint64  // messages in it that nobody has acknowledged
	done      uint64  // messages of the workload
	perSecond float64 // in its best window
}

// RunLocal measures one workload on the peers that keep messages themselves, each with an empty
// store: first each alone, from its first request on; then, when they are warm, in alternating
// rounds. One that this machine cannot run is left out, which is said.
func (s *Suite) RunLocal(ctx context.Context, w Workload) (cold, warm *report.Case, err error) {
	cold, warm = newCase(w, w.Name()+"/cold", nil), newCase(w, w.Name(), nil)
	var stations []*station
	defer func() {
		for _, t := range stations {
			t.Stop()
			err = errors.Join(err, os.RemoveAll(t.dir)) // gigabytes: not left to the end of the suite
		}
	}()
	for _, name := range s.Options.peers(true) {
		dir, err := s.storeDir(name)
		if err != nil {
			return nil, nil, err
		}
		p, err := s.binaries.StartLocal(name, dir)
		if _, unavailable := errors.AsType[*peer.UnavailableError](err); unavailable {
			fmt.Printf("bench: %v: it is left out\n", err)
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		t := &station{Process: p, dir: dir, workload: w, fixed: s.Options.Fixed, perSecond: coldPerSecond[name]}
		stations = append(stations, t)
		if err := t.round(ctx, cold, 0, s.Options.Cold); err != nil {
			return nil, nil, err
		}
		if err := t.warm(ctx, s.Options.Window); err != nil {
			return nil, nil, err
		}
	}
	for range s.Options.Rounds {
		for _, t := range stations {
			if err := t.round(ctx, warm, s.Options.warmUp(), s.Options.Window); err != nil {
				return nil, nil, err
			}
		}
	}
	s.Cases = append(s.Cases, cold, warm)
	return cold, warm, nil
}

// storeDir makes a directory for a peer's store, on a disk.
func (s *Suite) storeDir(name string) (string, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(s.dir, &fs); err != nil {
		return "", err
	}
	if fs.Type == unix.TMPFS_MAGIC {
		return "", fmt.Errorf("%s is in memory: what is written there is on no disk; set TMPDIR to a directory on one", s.dir)
	}
	return os.MkdirTemp(s.dir, filepath.Base(name)+"-")
}

// round measures one window for a case.
func (t *station) round(ctx context.Context, c *report.Case, warmUp, length time.Duration) error {
	r, err := t.window(ctx, warmUp, length)
	if err != nil {
		return fmt.Errorf("%s on %s: %w", c.Name, t.Name, err)
	}
	if !slices.Contains(c.Peers, t.Name) {
		c.Peers = append(c.Peers, t.Name)
	}
	c.Rounds[t.Name] = append(c.Rounds[t.Name], r)
	return nil
}

// warm works until what a message costs has settled.
func (t *station) warm(ctx context.Context, length time.Duration) error {
	return warmed(t.Name, t.workload.Scenario, max(warmMessages, t.done)-t.done, func() (report.Round, error) { return t.window(ctx, 0, length) })
}

// window supplies what the workload takes out of the store, and measures.
func (t *station) window(ctx context.Context, warmUp, length time.Duration) (report.Round, error) {
	w := t.workload
	takes := w.Scenario == "receive_ack"
	batches := uint64(w.Conns * w.Streams * w.Params.Batch) // all that can be out at once
	if takes {
		wanted := uint64(2*t.perSecond*(warmUp+length).Seconds()) + 2*batches
		if err := t.supply(ctx, wanted); err != nil {
			return report.Round{}, err
		}
	}
	r, total, err := drive(ctx, t.load(w), t.Process, warmUp, length, true)
	if err != nil {
		return r, err
	}
	t.perSecond = max(t.perSecond, r.PerSecond)
	t.done += total.Messages
	if !takes {
		t.stored += total.Messages
		return r, nil
	}
	if t.stored -= min(total.Messages, t.stored); t.stored < batches {
		return r, fmt.Errorf("the store ran dry: %.0f messages a second were received and acknowledged", r.PerSecond)
	}
	return r, nil
}

// supply stores messages until there are as many as wanted.
func (t *station) supply(ctx context.Context, wanted uint64) error {
	if t.stored >= wanted {
		return nil
	}
	w := t.workload
	w.Scenario, w.Streams = "send", supplyStreams
	run, err := load.Start(ctx, t.load(w))
	if err != nil {
		return fmt.Errorf("%w\n%s", err, t.Tail())
	}
	for run.Totals().Messages < wanted-t.stored && run.Err() == nil && t.Alive() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	err = errors.Join(run.Stop(), t.Alive())
	t.stored += run.Totals().Messages
	return err
}

// load aims a workload at this peer.
func (t *station) load(w Workload) load.Config {
	w.Params.Broker = t.Addrs["broker"]
	w.Params.AllowEmpty = true // a broker may find a queue taken; whether it ran dry is counted
	c := loadConfig(w, t.Name, t.Process, t.fixed)
	// Java forgets a client's settings some time after its last stream, also when it is back by then.
	t.loads++
	load := t.loads
	c.Client = func(conn int) string { return fmt.Sprintf("bench@%d@%d@%s", load, conn, t.Name) }
	return c
}
