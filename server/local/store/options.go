package store

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// memTablesMax is how many tables in memory there may be: one that is filled, the others
// waiting for their flush.
const memTablesMax = 4

func (s *Store) options() *pebble.Options {
	o := &pebble.Options{
		FS:                          s.fs,
		Lock:                        s.lock,
		CacheSize:                   s.config.CacheBytes,
		MemTableSize:                uint64(s.config.MemTableBytes),
		MemTableStopWritesThreshold: memTablesMax,
		FormatMajorVersion:          pebble.FormatValueSeparation,
		Logger:                      logger{s},
	}
	o.Experimental.ReadSamplingMultiplier = -1
	return o
}

// logger turns Pebble's last words into a failed store: Pebble ends the process in Fatalf, and
// a broker must not go without a word.
type logger struct{ s *Store }

func (logger) Infof(string, ...any)  {}
func (logger) Errorf(string, ...any) {}
func (l logger) Fatalf(format string, args ...any) {
	l.s.fail(fmt.Errorf(format, args...))
}
