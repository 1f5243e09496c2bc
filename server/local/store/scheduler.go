package store

import (
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// pauseTicksMax bounds how many CheckSpace calls a failed compaction is left alone.
const pauseTicksMax = 64

// scheduler decides when Pebble compacts. It is Pebble's own limit on concurrency with one
// addition: after a compaction failed it grants none for a while. Pebble by itself tries again
// at once, and a damaged table or a full disk would keep a core busy for nothing. It has no
// goroutine: grants are given when a compaction is asked for, when one ends, and in tick.
type scheduler struct {
	db pebble.DBForCompaction

	mu       sync.Mutex
	running  int
	granting bool
	idle     sync.Cond // of granting
	ended    bool
	pause    int // ticks until the next grant
	next     int // ticks of the next pause
}

var _ pebble.CompactionScheduler = (*scheduler)(nil)

func newScheduler() *scheduler {
	s := &scheduler{next: 1}
	s.idle.L = &s.mu
	return s
}

func (s *scheduler) Register(_ int, db pebble.DBForCompaction) { s.db = db }

func (s *scheduler) Unregister() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for s.granting {
		s.idle.Wait()
	}
}

func (s *scheduler) TrySchedule() (bool, pebble.CompactionGrantHandle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.pause > 0 || s.running >= s.db.GetAllowedWithoutPermission() {
		return false, nil
	}
	s.running++
	return true, grant{s}
}

// UpdateGetAllowedWithoutPermission is told of more allowed compactions while Pebble's locks
// are held; they are granted when a compaction ends, or with the next tick.
func (s *scheduler) UpdateGetAllowedWithoutPermission() {}

// failed begins or prolongs the pause.
func (s *scheduler) failed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pause = s.next
	s.next = min(2*s.next, pauseTicksMax)
}

// succeeded makes the next pause a short one.
func (s *scheduler) succeeded() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = 1
}

// paused says whether compactions wait because one failed.
func (s *scheduler) paused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pause > 0
}

// tick is CheckSpace's: it counts the pause down and grants what waits.
func (s *scheduler) tick() {
	s.mu.Lock()
	s.pause = max(0, s.pause-1)
	s.grantAndUnlock()
}

func (s *scheduler) grantAndUnlock() {
	defer s.mu.Unlock()
	for s.granting && !s.ended {
		s.idle.Wait()
	}
	if s.ended || s.pause > 0 {
		return
	}
	s.granting = true
	for !s.ended && s.pause == 0 && s.running < s.db.GetAllowedWithoutPermission() {
		// Pebble's locks come before ours.
		s.running++
		s.mu.Unlock()
		waiting, _ := s.db.GetWaitingCompaction()
		accepted := waiting && s.db.Schedule(grant{s})
		s.mu.Lock()
		if !accepted {
			s.running--
			break
		}
	}
	s.granting = false
	s.idle.Broadcast()
}

// grant is one running compaction.
type grant struct{ s *scheduler }

func (grant) Started()                                          {}
func (grant) MeasureCPU(pebble.CompactionGoroutineKind)         {}
func (grant) CumulativeStats(pebble.CompactionGrantHandleStats) {}

func (g grant) Done() {
	g.s.mu.Lock()
	g.s.running--
	g.s.grantAndUnlock()
}
