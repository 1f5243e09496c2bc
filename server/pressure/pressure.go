// Package pressure holds the memory that the process uses against GOMEMLIMIT, from time to time, and
// keeps a [pool.Pressure] that all who would take something new read. Who sets no GOMEMLIMIT has no pressure.
//
// The limit is one that the collector works for, not one that Go keeps: what is live may exceed it. So the
// proxy takes less before: from 80 % of it no new long polls, from 90 % no new calls, from 95 % no new
// connections. Each ends five points lower.
//
// Garbage is no pressure: with a limit, Go lets it grow up to that. So before a Watch says that there is pressure,
// it has the collector run, as far as that costs little.
package pressure

import (
	"time"

	"rocketmq-proxy/pool"
)

// Every is how often to look. In such a time a fast client fills some MiB.
const Every = 100 * time.Millisecond

// entry is the per cent of the limit from which a level is; leaving is how many less end it.
var entry = [pool.Levels]int64{pool.NoPolls: 80, pool.NoCalls: 90, pool.NoConnections: 95}

const leaving = 5

// How often the collector is made to run, at most: when what was allocated since it ran is so many per cent of
// the limit, or so much time is over; and never for more than a twentieth of the time.
const (
	freshPercent = 5
	collectEvery = time.Second
	collectShare = 20
)

// Change is a change of the level.
type Change struct {
	From, To    pool.Level
	Used, Limit int64 // bytes
}

// Watch is who sets a level. It belongs to one goroutine.
type Watch struct {
	level   *pool.Pressure
	limit   int64
	sample  func() Sample
	collect func() time.Duration
	changed func(Change)

	collectedAt time.Time
	restUntil   time.Time // no collection before it
}

// New returns a Watch that sets level and tells changed of each change. The limit, in bytes, must be
// more than 0; [Sampler] and [Collect] are the other two.
func New(level *pool.Pressure, limit int64, sample func() Sample, collect func() time.Duration, changed func(Change)) *Watch {
	return &Watch{level: level, limit: limit, sample: sample, collect: collect, changed: changed}
}

// Look takes a sample and sets the level. It may have the collector run, and then takes as long.
func (w *Watch) Look(now time.Time) {
	s := w.sample()
	if w.next(s.Used) > pool.Calm && w.mayCollect(s, now) {
		took := w.collect()
		w.collectedAt = now.Add(took)
		w.restUntil = w.collectedAt.Add(collectShare * took)
		s = w.sample()
	}
	from, to := w.level.Level(), w.next(s.Used)
	w.level.Set(to, s.Used, w.limit)
	if from != to {
		w.changed(Change{From: from, To: to, Used: s.Used, Limit: w.limit})
	}
}

func (w *Watch) mayCollect(s Sample, now time.Time) bool {
	if now.Before(w.restUntil) {
		return false
	}
	return s.Fresh >= w.percent(freshPercent) || now.Sub(w.collectedAt) >= collectEvery
}

// next is the level with so many bytes used, after the one that is.
func (w *Watch) next(used int64) (next pool.Level) {
	now := w.level.Level()
	for l := pool.NoPolls; l < pool.Level(pool.Levels); l++ {
		from := entry[l]
		if l <= now {
			from -= leaving
		}
		if used >= w.percent(from) {
			next = l
		}
	}
	return next
}

func (w *Watch) percent(n int64) int64 { return w.limit / 100 * n }
