package pool

import "sync/atomic"

// Level is how short of memory the process is: what it does not take any more, and what the
// levels below it do not take either.
type Level int32

// The levels.
const (
	Calm          Level = iota
	NoPolls             // nothing new that waits for long
	NoCalls             // nothing new at all on a connection
	NoConnections       // no new connections
	levelsLen
)

// Levels is the number of levels; they are 0 to Levels-1.
const Levels = int(levelsLen)

var levelNames = [levelsLen]string{"calm", "no long polls", "no calls", "no connections"}

// String is the level in a log.
func (l Level) String() string { return levelNames[l] }

// Pressure is the level now: one sets it, all who would take something new read it. A nil Pressure is
// always calm. Safe for concurrent use.
type Pressure struct {
	level       atomic.Int32
	used, limit atomic.Int64
	refused     [levelsLen]atomic.Uint64
}

// Set is the level from now on, and what it was taken from: the bytes that are used, and that may be.
func (p *Pressure) Set(l Level, used, limit int64) {
	p.level.Store(int32(l))
	p.used.Store(used)
	p.limit.Store(limit)
}

// Level is the level now.
func (p *Pressure) Level() Level {
	if p == nil {
		return Calm
	}
	return Level(p.level.Load())
}

// Refuses tells whether nothing new is taken from level l on, and counts it when that is so. It costs
// an atomic load.
func (p *Pressure) Refuses(l Level) bool {
	if p.Level() < l {
		return false
	}
	p.refused[l].Add(1)
	return true
}

// Refused is how often Refuses said so of a level.
func (p *Pressure) Refused(l Level) uint64 {
	if p == nil {
		return 0
	}
	return p.refused[l].Load()
}

// Bytes are what is used and what may be used, as they were set last; 0 when nobody has.
func (p *Pressure) Bytes() (used, limit int64) {
	if p == nil {
		return 0, 0
	}
	return p.used.Load(), p.limit.Load()
}
