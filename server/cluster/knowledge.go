package cluster

import (
	"sync"
	"sync/atomic"
	"time"
)

// Memory is for how long knowledge is good, and how much of it there may be.
type Memory struct {
	Refresh time.Duration // age at which it is renewed on its next use
	Expiry  time.Duration // unused for that long, it is dropped
	Max     int           // entries
}

// knowledge is how old something learnt is, and when it was used last. What was learnt stands
// beside it.
type knowledge struct {
	loaded   time.Time
	lastUsed atomic.Int64 // Unix seconds
	renewing atomic.Bool
}

// use notes that the knowledge is wanted at now, and tells its age.
func (k *knowledge) use(now time.Time) (age time.Duration) {
	if second := now.Unix(); k.lastUsed.Load() != second {
		k.lastUsed.Store(second)
	}
	return now.Sub(k.loaded)
}

// claim tells the one who is to renew it: what comes of that is knowledge of its own.
func (k *knowledge) claim() bool { return k.renewing.CompareAndSwap(false, true) }

func (k *knowledge) used() time.Time { return time.Unix(k.lastUsed.Load(), 0) }

// flights is what is being learnt, and who waits for it: only one question is under way for a
// name, however many want the answer.
type flights[W any] struct {
	mu      sync.Mutex
	waiting map[string][]W
}

// join adds those who wait, and tells whether the question is still to be asked.
func (f *flights[W]) join(name string, waiters ...W) (first bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	others, under := f.waiting[name]
	if f.waiting == nil {
		f.waiting = make(map[string][]W)
	}
	f.waiting[name] = append(others, waiters...)
	return !under
}

// land ends the flight and returns who waited for it.
func (f *flights[W]) land(name string) []W {
	f.mu.Lock()
	defer f.mu.Unlock()
	waiters := f.waiting[name]
	delete(f.waiting, name)
	return waiters
}
