// Package store keeps keys and values in a directory, atomically and durably, and does not
// know what they mean. It is Pebble, tuned for one work: messages that are written once, read
// soon and deleted in ranges, beside small keys that live for seconds. One batch is one turn
// of the owner; one synced commit may carry many turns.
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
	MemTableBytes int64  // one of up to memTablesMax tables in memory; default 16 MiB
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
		c.MemTableBytes = 16 << 20
	}
	if c.Report == nil {
		c.Report = func(string, error) {}
	}
}

// Store is an open store. Its methods may be called from any goroutine; its batches and
// cursors belong to one at a time.
type Store struct {
	config Config
	fs     vfs.FS
	db     *pebble.DB
	lock   *pebble.Lock

	commits   atomic.Uint64 // finished ones, so that a cursor knows whether it is behind
	full      atomic.Bool
	freeBytes atomic.Int64
	stalls    atomic.Int64
	failed    atomic.Pointer[FailedError]

	mu     sync.Mutex
	closed bool
}

// Open opens the store in c.Dir or begins one there.
func Open(c Config) (*Store, error) {
	c.fill()
	s := &Store{config: c, fs: c.FS}
	if s.fs == nil {
		s.fs = vfs.Default
	}
	if err := s.fs.MkdirAll(c.Dir, 0o755); err != nil {
		return nil, err
	}
	lock, err := pebble.LockDirectory(c.Dir, s.fs)
	if err != nil {
		return nil, &LockedError{Dir: c.Dir, PID: readPID(s.fs, c.Dir), Err: err}
	}
	s.lock = lock
	if err := s.open(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	s.CheckSpace()
	return s, nil
}

func (s *Store) open() error {
	if err := checkFormat(s.fs, s.config.Dir); err != nil {
		return err
	}
	if err := writePID(s.fs, s.config.Dir); err != nil {
		return err
	}
	db, err := pebble.Open(s.config.Dir, s.options())
	if err != nil {
		return err
	}
	s.db = db
	return nil
}

// Close ends the store. All cursors must be closed before.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	s.closed = true
	return errors.Join(s.db.Close(), s.lock.Close())
}

// Commit applies b. With sync it returns when b, and all that was committed before it, is on
// disk. It blocks, also to let flushes and compactions catch up. An error is final: the store
// has failed then and takes no commit any more.
func (s *Store) Commit(b *Batch, sync bool) error {
	if err := s.Failed(); err != nil {
		return err
	}
	o := pebble.NoSync
	if sync {
		o = pebble.Sync
	}
	if err := s.db.Apply(b.b, o); err != nil {
		s.fail(err)
	}
	s.commits.Add(1)
	return s.Failed()
}

// Failed is why the store takes no commit any more, a *FailedError; nil while it does.
func (s *Store) Failed() error {
	if f := s.failed.Load(); f != nil {
		return f
	}
	return nil
}

func (s *Store) fail(err error) {
	f := &FailedError{Err: err}
	if s.failed.CompareAndSwap(nil, f) {
		s.report("store failed", err)
	}
}

func (s *Store) report(event string, err error) { s.config.Report(event, err) }
