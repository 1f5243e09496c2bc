package local

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/local/broker"
	"rocketmq-proxy/server/local/store"
)

// commit is work for the committer: a batch to write, or a store to open anew.
type commit struct {
	batch  *store.Batch
	sync   bool
	reopen bool
}

// opened is a store and the broker that was made of it.
type opened struct {
	store  *store.Store
	broker *broker.Broker
	cursor *store.Cursor // the broker's
}

// commitLoop is the committer: it does what blocks, one thing at a time.
func (l *Local) commitLoop() {
	defer close(l.committer)
	for c := range l.commits {
		if c.reopen {
			fresh, err := l.reopen(l.store)
			l.turn.Post(event(func(now time.Time) { l.reopened(fresh, err, now) }))
			continue
		}
		err := l.store.Commit(c.batch, c.sync)
		l.turn.Post(&committed{local: l, commit: c, err: err})
	}
}

// seal hands the open batch to the committer, if that has nothing to do.
func (l *Local) seal(now time.Time) {
	if l.busy {
		return
	}
	sync := l.config.Sync
	if !sync && (l.closing != nil || now.Sub(l.lastSync) >= l.config.FlushInterval) {
		sync = true
	}
	if l.open.Empty() && (!sync || !l.unsynced) {
		l.goHome(l.waiting, backend.Fault{})
		l.waiting = l.waiting[:0]
		return
	}
	l.broker.Seal()
	l.busy = true
	l.commits <- commit{batch: l.open, sync: sync}
	l.open, l.spare = l.spare, nil
	l.waiting, l.sealed = l.sealed[:0], l.waiting
	if sync {
		l.lastSync, l.unsynced = now, false
	} else {
		l.unsynced = true
	}
	l.broker.Begin(l.open)
}

// committed is the event of a batch that is on disk, or is not.
type committed struct {
	local *Local
	commit
	err error
}

// OnTurn lets everybody know who waited for the batch.
func (c *committed) OnTurn(now time.Time) {
	l := c.local
	l.busy = false
	if c.err != nil {
		l.fail(c.err, now)
		return
	}
	c.batch.Reset()
	l.spare = c.batch
	l.goHome(l.sealed, backend.Fault{})
	l.sealed = l.sealed[:0]
	l.broker.Committed(l.now)
}

// goHome ends exchanges; a fault that one has already stays.
func (l *Local) goHome(all []*backend.Exchange, f backend.Fault) {
	for i, x := range all {
		if x.Fault.OK() {
			x.Fault = f
		}
		x.Reply(l.turn)
		all[i] = nil
	}
}

// fail takes nothing any more: what was not committed is refused.
func (l *Local) fail(err error, now time.Time) {
	l.failed = err
	l.report("the store takes nothing any more: nothing is acknowledged from here on", err)
	l.broker.CancelAll()
	l.sendHome()
	l.goHome(l.sealed, l.fault())
	l.goHome(l.waiting, l.fault())
	l.sealed, l.waiting = l.sealed[:0], l.waiting[:0]
	l.cursor.Close()
	l.broker, l.cursor, l.open, l.spare = nil, nil, nil, nil
	if full(err) {
		l.retryAt = now.Add(reopenEvery)
	}
}

// fault is what operations end with while nothing is taken.
func (l *Local) fault() backend.Fault {
	switch {
	case errors.Is(l.failed, errClosed):
		return backend.Fault{Kind: backend.Internal, Text: errClosed.Error()}
	case full(l.failed):
		return diskFull
	}
	return backend.Fault{Kind: backend.Internal, Text: fmt.Sprintf("the store has failed and takes nothing until the proxy is started again: %v", l.failed)}
}

var diskFull = backend.Fault{Kind: backend.DiskFull, Text: "the disk is full: nothing is stored until there is room again"}

func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, store.ErrFull)
}

// reopenEvery is how often a store that failed for want of space is tried again.
const reopenEvery = time.Second

func (l *Local) retry() {
	l.busy = true
	l.commits <- commit{reopen: true}
}

// reopen makes a store and a broker of what is on disk, after it has closed old.
func (l *Local) reopen(old *store.Store) (opened, error) {
	if old != nil {
		_ = old.Close() // it has failed: that is why we are here
	}
	s, err := store.Open(l.config.Store)
	if err != nil {
		return opened{}, err
	}
	cursor := s.Cursor()
	b, err := broker.Open(reader{s, cursor}, l.config.Broker)
	if err != nil {
		cursor.Close()
		return opened{}, errors.Join(err, s.Close())
	}
	return opened{s, b, cursor}, nil
}

// reader shows the broker a store, and the one cursor that it reads with.
type reader struct {
	*store.Store
	cursor *store.Cursor
}

// Cursor implements broker.Store.
func (r reader) Cursor() broker.Cursor { return r.cursor }

func (l *Local) reopened(fresh opened, err error, now time.Time) {
	l.busy = false
	if err != nil {
		l.store = nil
		l.report("the store cannot be opened again yet", err)
		l.retryAt = now.Add(reopenEvery)
		return
	}
	l.failed, l.retryAt = nil, time.Time{}
	l.use(fresh)
	l.report("the store is open again", nil)
}

// use serves a store that was opened.
func (l *Local) use(fresh opened) {
	l.store, l.broker, l.cursor = fresh.store, fresh.broker, fresh.cursor
	l.open, l.spare = l.store.NewBatch(), l.store.NewBatch()
	l.broker.Begin(l.open)
	l.publishAll()
}
