package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// failing fails writes from the nth on (all of them, as a disk that is full or gone), or only
// the nth one.
type failing struct {
	kind  func(errorfs.Op) bool
	err   error
	only  bool
	count atomic.Int64
	nth   int64
	off   atomic.Bool
	hit   atomic.Bool
	// after counts operations that reached the disk behind the first failure.
	after atomic.Int64
}

func (f *failing) String() string { return "failing" }

func (f *failing) MaybeError(op errorfs.Op) error {
	if f.off.Load() || !f.kind(op) {
		return nil
	}
	n := f.count.Add(1)
	if n < f.nth || f.only && n > f.nth {
		if n > f.nth {
			f.after.Add(1)
		}
		return nil
	}
	if f.hit.Swap(true) {
		f.after.Add(1)
	}
	return f.err
}

func isWrite(op errorfs.Op) bool {
	switch op.Kind {
	case errorfs.OpCreate, errorfs.OpReuseForWrite, errorfs.OpRename, errorfs.OpLink,
		errorfs.OpFileWrite, errorfs.OpFileWriteAt, errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
		return true
	}
	return false
}

// within ends the test when do fails it or hangs.
func within(t *testing.T, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); do() }()
	select {
	case <-done:
		if t.Failed() { // do has ended its own goroutine only
			t.FailNow()
		}
	case <-time.After(20 * time.Second):
		panic(what + " hangs") // with all stacks
	}
}

// TestFault fails the nth write, sync, create, rename or reuse, for every n until a run has no
// failure. The store either opens or says why not; it acknowledges nothing after a failure, goes
// on reading, closes, and once the disk is well again has all that it acknowledged.
func TestFault(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EIO, syscall.ENOSPC} {
		for _, only := range []bool{true, false} {
			t.Run(fmt.Sprintf("%v once %v", errno, only), func(t *testing.T) {
				step := int64(1)
				if testing.Short() || checked {
					step = 7
				}
				for nth := int64(1); ; nth += step {
					if !faultRun(t, errno, only, nth) {
						t.Logf("%d places failed", nth-1)
						return
					}
				}
			})
		}
	}
}

func faultRun(t *testing.T, errno syscall.Errno, only bool, nth int64) (hit bool) {
	mem := vfs.NewMem()
	f := &failing{kind: isWrite, err: errno, only: only, nth: nth}
	h := &history{rng: rand.New(rand.NewPCG(7, uint64(nth)))}
	var r reports
	config := small(errorfs.Wrap(mem, f))
	config.Report = r.add
	within(t, fmt.Sprint("run ", nth), func() {
		s, err := Open(config)
		if err != nil {
			if !errors.Is(err, errno) {
				t.Fatalf("nth %d: open: %v", nth, err)
			}
			return
		}
		b := s.NewBatch()
		for range 150 {
			if err = h.step(s, b); err != nil {
				break
			}
		}
		if err != nil {
			if err != s.Failed() || !errors.Is(err, errno) {
				t.Fatalf("nth %d: commit: %v, failed: %v", nth, err, s.Failed())
			}
			acked := h.acked.Load()
			for range 3 {
				if h.step(s, b) != err {
					t.Fatalf("nth %d: a commit after the failure did not answer with it", nth)
				}
			}
			s.CheckSpace()
			s.Usage() // there may be no figures, but nobody waits for them for ever
			// Reads go on, with all that was acknowledged and what was not.
			if err := h.check(s, acked, h.begun.Load()); err != nil {
				t.Fatalf("nth %d: read after failure: %v", nth, err)
			}
		}
		failed := s.Failed()
		if err := s.Close(); err != nil && !errors.Is(err, errno) {
			t.Fatalf("nth %d: close: %v", nth, err)
		} else if failed != nil && err == nil {
			t.Fatalf("nth %d: close hides the failure", nth)
		}
		// Not before: what failed may have been a flush beside the commits, which tells of it itself.
		if failed != nil && !strings.Contains(fmt.Sprint(r.all()), errno.Error()) {
			t.Fatalf("nth %d: not reported: %q", nth, r.all())
		}
	})
	hit = f.hit.Load()

	f.off.Store(true)
	s, err := Open(small(mem))
	if err != nil {
		t.Fatalf("nth %d: open again: %v\n%s", nth, err, strings.Join(r.all(), "\n"))
	}
	if err := h.check(s, h.acked.Load(), h.begun.Load()); err != nil {
		t.Fatalf("nth %d: open again: %v", nth, err)
	}
	b := s.NewBatch()
	put(b, countKey, "1")
	mustCommit(t, s, b, true)
	mustClose(t, s)
	return hit
}
