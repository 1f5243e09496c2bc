// Package store keeps keys and values in a directory, atomically and durably, and does not
// know what they mean. It is Pebble, tuned for one work: messages that are written once, read
// soon and deleted in ranges, beside small keys that live for seconds. The embedded broker's
// turn writes what it changed as one batch; commits with a sync carry many turns, and replies
// are posted after the sync they depend on.
//
// It has no goroutine but Pebble's and, on a real disk, the one that notices when it is slow.
// It reads no clock: the owner calls CheckSpace every second or so, and that is its time.
//
// # What a commit promises
//
// A batch is there as a whole or not at all. When Commit with sync returns nil, the batch and all
// that were committed before it survive a crash of the process or of the machine. What was
// committed without sync survives as a prefix, in the order of commits.
//
// # When the disk fails
//
// The first write, sync, create or rename that fails is the last one that is tried: the disk is
// frozen as a crash would have left it (see guard), Report is told, and Commit and Failed
// answer with the same *FailedError from then on. Reads go on, and also see what was committed but
// never acknowledged. Close and Open bring back everything that was acknowledged, at once or
// when there is space again. Two things are not final: a file that cannot be removed is
// reported, and a compaction that has no space is tried again later; while too much waits for it,
// Commit answers ErrFull, having written nothing. An owner that refuses large writes while Full
// says so keeps FreeBytesMin for the small ones and for compactions, and sees neither.
//
// # When the disk lies
//
// Everything on disk has checksums. Open reads the logs and the list of tables before Pebble
// does, and changes nothing before it has:
//
//   - A log that ends in a torn record is cut there, as a crash leaves it, and Report is told.
//   - A log or a list of tables that is damaged before records which were on disk is a
//     *DamagedError with the file and the byte; so is a list that is shorter than the log knows
//     it was. Nothing is cut. (Pebble alone would cut either in silence, and delete the
//     tables that only the lost part of the list names.)
//   - A table that is missing or has the wrong length, a marker, the format or Pebble's options
//     that are missing or make no sense are a *DamagedError.
//   - A damaged block in a table is found when it is read. Get, and a Cursor's Err, then answer
//     with an *UnreadableError that names the keys of that block, or of the whole table when its
//     index is gone. All other keys are served; Cursor.SkipDamage goes on behind the lost ones.
//     Compactions of the table fail and are tried ever more rarely; nothing of it is dropped.
//
// Not to be noticed are a flipped bit in the very last record of the log of a process that was
// killed, and a log that somebody cut short: both look like a torn tail. Close leaves no log
// that matters.
package store

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Config is where a store lies and what it may use.
type Config struct {
	Dir           string // created when missing
	FS            vfs.FS // nil: the disk
	FreeBytesMin  int64  // with less free disk space, Full is true; default 256 MiB
	CacheBytes    int64  // of blocks read from disk; default 32 MiB
	MemTableBytes int64  // one of up to memTablesMax tables in memory; default 24 MiB
	// Report is told what an operator wants to know, from any goroutine. It must not block and
	// not call the store. err is nil when all is well.
	Report func(event string, err error)
}

func (c *Config) fill() {
	if c.FreeBytesMin == 0 {
		c.FreeBytesMin = 256 << 20
	}
	if c.CacheBytes == 0 {
		c.CacheBytes = 32 << 20
	}
	if c.MemTableBytes == 0 {
		c.MemTableBytes = 24 << 20
	}
	if c.Report == nil {
		c.Report = func(string, error) {}
	}
}

// Store is an open store. Its methods may be called from any goroutine; its batches and
// cursors belong to one at a time.
type Store struct {
	config    Config
	fs        vfs.FS
	guard     *guard
	scheduler *scheduler
	runs      runs
	db        *pebble.DB
	lock      *pebble.Lock
	health    func() error // ends what watches the disk

	pressure   pressure
	commits    atomic.Uint64 // finished ones, so that a cursor knows whether it is behind
	synced     atomic.Uint64 // all entries with lower sequence numbers are on disk
	full       atomic.Bool
	outOfSpace atomic.Bool // a compaction had no space, and none has succeeded since
	freeBytes  atomic.Int64
	stalls     atomic.Int64

	asking sync.WaitGroup // for figures, see metrics
	mu     sync.Mutex
	closed bool
	told   map[string]int // CheckSpace calls until an event is reported again
}

// Open opens the store in c.Dir or begins one there. Of a store that is not as it should be,
// nothing is changed: the error is a *LockedError, a *NewerError or a *DamagedError.
func Open(c Config) (*Store, error) {
	c.fill()
	s := &Store{config: c, scheduler: newScheduler(), told: map[string]int{}, health: func() error { return nil }}
	s.pressure.init()
	if s.fs = c.FS; s.fs == nil {
		s.fs, s.health = s.withHealth(private{vfs.Default})
	}
	s.guard = newGuard(s.fs, c.Dir, func(err error) {
		s.report("store failed, it is not written any more", err)
		s.pressure.changed(false)
	})
	if err := s.open(); err != nil {
		return nil, errors.Join(damageOf(err), s.health())
	}
	s.guard.start()
	s.CheckSpace()
	return s, nil
}

func (s *Store) open() (err error) {
	dir := s.config.Dir
	if err := s.fs.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	s.lock, err = pebble.LockDirectory(dir, s.fs)
	if err != nil {
		return lockError(dir, s.fs.PathJoin(dir, lockFile), err)
	}
	defer func() {
		if err != nil {
			_ = s.lock.Close()
		}
	}()
	if err := checkFormat(s.fs, dir); err != nil {
		return err
	}
	damaged, err := checkLogs(s.fs, dir, s.report)
	if err != nil {
		return err
	}
	s.guard.logs = func(name string) error { return damaged[name] }
	if s.db, err = pebble.Open(dir, s.options()); err != nil {
		return err
	}
	if err := s.Failed(); err != nil {
		s.guard.end()
		_ = s.db.Close()
		return err
	}
	return nil
}

// Close ends the store. All cursors must be closed before. What is in memory is written to
// tables first, so that the next Open has no log to read. The error of a store that had failed
// is its failure.
func (s *Store) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return ErrClosed
	}
	var err error
	s.guard.end()
	s.asking.Wait()
	if s.Failed() == nil {
		err = s.db.Flush()
		// The log that is left says how long the list of tables is now.
		b := s.NewBatch()
		err = errors.Join(err, s.apply(b, true))
	}
	err = errors.Join(err, s.db.Close())
	if failed := s.Failed(); failed != nil {
		err = failed // what Pebble says after that is its consequence
	}
	return errors.Join(err, s.lock.Close(), s.health())
}

// Commit applies b. With sync it returns when b, and all that was committed before it, is on
// disk; without, when the system has it, so that a fall of the process alone loses nothing. It
// blocks, also to let flushes and compactions catch up. Until b is Reset it may not be committed
// again, unless the error was ErrFull.
//
// Any other error is final: the store has failed then and takes no commit any more. What b
// wrote may be visible to reads until the store is closed; whether it is there after the next
// Open is open, as after a crash.
func (s *Store) Commit(b *Batch, sync bool) error {
	if err := s.Failed(); err != nil {
		return err
	}
	if b.Empty() && !sync {
		return nil
	}
	if err := s.await(); err != nil {
		return err
	}
	return s.apply(b, sync)
}

func (s *Store) apply(b *Batch, sync bool) error {
	m := mark{synced: s.synced.Load()}
	if list := s.guard.manifest.Load(); list != nil {
		m.manifest = *list
	}
	b.mark(m)
	var err error
	if sync {
		err = s.db.Apply(b.b, pebble.Sync)
	} else {
		err = s.applyLazily(b.b)
	}
	if err != nil {
		s.guard.freeze(err)
	}
	s.commits.Add(1)
	// Asked after Pebble: when a write was absorbed, the failure is known by now.
	if err := s.Failed(); err != nil {
		return err
	}
	if sync {
		raise(&s.synced, b.end())
	}
	return nil
}

// raise sets v to n unless it is more already.
func raise(v *atomic.Uint64, n uint64) {
	for {
		old := v.Load()
		if old >= n || v.CompareAndSwap(old, n) {
			return
		}
	}
}

// Failed is why the store takes no commit any more, a *FailedError; nil while it does.
func (s *Store) Failed() error {
	if f := s.guard.failed.Load(); f != nil {
		return f
	}
	return nil
}

func (s *Store) report(event string, err error) { s.config.Report(event, err) }

// reportEveryTicks is how many CheckSpace calls an event that repeats is not reported again.
const reportEveryTicks = 60

// reportOften reports what may come again and again.
func (s *Store) reportOften(event string, err error) {
	s.mu.Lock()
	_, again := s.told[event]
	if !again && len(s.told) < 64 {
		s.told[event] = reportEveryTicks
	}
	s.mu.Unlock()
	if !again {
		s.report(event, err)
	}
}

// forget counts down what was reported.
func (s *Store) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for event := range s.told {
		if s.told[event]--; s.told[event] <= 0 {
			delete(s.told, event)
		}
	}
}
