package store

import (
	"errors"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// ErrFull says that a commit would have to wait for compactions that have no space. Nothing
// was written, and the store has not failed: the same batch can be committed when the disk has
// space again.
var ErrFull = errors.New("store: no space for compactions, and too much waits for one")

// pressure holds commits back while flushes or compactions are behind. Pebble does the same,
// but cannot be interrupted and so would never come back from a disk that failed.
type pressure struct {
	mu     sync.Mutex
	news   sync.Cond
	events uint64 // something began or ended
	seen   uint64 // the events when over was found out
	grown  bool   // a table in memory was filled since then
	over   bool   // Pebble's figures are over a limit
}

func (p *pressure) init() { p.news.L, p.grown = &p.mu, true }

// changed wakes who waits. It is called from Pebble's events and asks Pebble nothing, because
// its locks may be held.
func (p *pressure) changed(grown bool) {
	p.mu.Lock()
	p.events++
	p.grown = p.grown || grown
	p.mu.Unlock()
	p.news.Broadcast()
}

// await returns when a commit may go on.
func (s *Store) await() error {
	p := &s.pressure
	p.mu.Lock()
	defer p.mu.Unlock()
	waited := false
	for s.Failed() == nil {
		// Pebble is not asked at every event: its figures wait for the list of tables to be
		// synced, and only one kind of event can put them over a limit.
		if events := p.events; p.grown || p.over && events != p.seen {
			p.grown = false
			p.mu.Unlock()
			m := s.metrics()
			p.mu.Lock()
			if m == nil {
				break // the disk froze, and the store has failed
			}
			if events >= p.seen { // nobody has asked later
				p.seen, p.over = events, s.overLimit(m)
				p.news.Broadcast()
			}
			if p.over && m.Levels[0].Sublevels > levelZeroDepthMax && s.outOfSpace.Load() && s.scheduler.paused() {
				return ErrFull
			}
			continue
		}
		if !p.over {
			return nil
		}
		if !waited {
			waited = true
			s.stalls.Add(1)
			s.reportOften("commits wait for flushes and compactions", nil)
		}
		p.news.Wait()
	}
	return s.Failed()
}

// metrics are Pebble's figures, nil when the disk froze before they came: Pebble holds a lock that
// they need while it waits for the disk.
func (s *Store) metrics() *pebble.Metrics {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.asking.Add(1)
	s.mu.Unlock()
	figures := make(chan *pebble.Metrics, 1)
	go func() {
		defer s.asking.Done()
		figures <- s.db.Metrics()
	}()
	select {
	case m := <-figures:
		return m
	case <-s.guard.frozen:
		return nil
	}
}

// overLimit says whether commits have to wait. They do only while there is something to wait
// for: a table that cannot be compacted, because it is damaged, must not stop the store.
func (s *Store) overLimit(m *pebble.Metrics) bool {
	if int64(m.MemTable.Size) >= memTablesMax*s.config.MemTableBytes && m.MemTable.Count > 1 {
		return true
	}
	return m.Levels[0].Sublevels > levelZeroDepthMax && (m.Compact.NumInProgress > 0 || s.outOfSpace.Load())
}
