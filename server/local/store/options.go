package store

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// FilesMax is how many files the store has open: descriptors are shared with the clients' connections.
const FilesMax = 256

const (
	// memTablesMax is how many tables there may be in memory: one that is filled, the others
	// waiting for their flush. A commit that would need one more waits.
	memTablesMax = 3
	// levelZeroDepthMax is how many unsorted layers a read may have to look through before
	// commits wait for a compaction.
	levelZeroDepthMax = 24
	// never is a limit of Pebble's that Commit keeps itself, see stall.
	never = 1 << 20
	// tableBlockBytes is the size of a block in a table.
	tableBlockBytes = 8 << 10
	// diskSlow is how long one write or sync may take before an operator hears of it.
	diskSlow = 2 * time.Second
	// backgroundPause is slept when work of Pebble's own failed, which it repeats at once.
	backgroundPause = 20 * time.Millisecond
)

// options is how Pebble is tuned.
func (s *Store) options() *pebble.Options {
	o := &pebble.Options{
		FS:   s.guard,
		Lock: s.lock,
		// The newest format but value separation: logs with sync marks, columnar blocks.
		FormatMajorVersion: pebble.FormatTableFormatV6,
		Comparer:           comparer(),
		Logger:             logger{s},
		EventListener:      s.events(),

		// Blocks are read once or twice, soon after they were written, in order; what is read
		// most is still in memory. The cache is for the indexes and for consumers that lag.
		// Pebble takes the tables in memory out of the same budget.
		CacheSize: s.config.CacheBytes + memTablesMax*s.config.MemTableBytes,
		// A table in memory lasts one or two seconds at full load: small keys that are put and
		// deleted within it never reach a table below the first layer, and waiting consumers
		// read from memory. 16, 24 and 32 MiB cost 6.8, 5.8 and 5.5 µs of CPU a message (256
		// bytes, eight queues, two million at full speed, compactions included), but memory
		// memTablesMax times.
		MemTableSize: uint64(s.config.MemTableBytes),
		// Pebble waits for flushes and compactions in a way that cannot be interrupted. Commit
		// waits itself, before it enters Pebble, and gives up when the store fails.
		MemTableStopWritesThreshold: never,
		L0StopWritesThreshold:       never,
		// A compaction into the base level rewrites most of it, since every flush holds the
		// ends of all queues: the more flushes it takes, the better, but a read merges them.
		// Against 2 flushes and 64 MiB, 4 and 128 save a quarter of the CPU; 8 save little more.
		L0CompactionThreshold: 4,
		LBaseMaxBytes:         128 << 20,
		// Two cores, shared with everything else: one compaction, a second one when it gets late.
		CompactionConcurrencyRange: func() (int, int) { return 1, max(1, runtime.GOMAXPROCS(0)) },

		MaxOpenFiles: FilesMax,
		// Tables are synced as they are written, so that their last sync does not hold up the
		// log's.
		BytesPerSync: 512 << 10,
		// Commits that do not sync are on disk at the latest this many bytes later.
		WALBytesPerSync: 1 << 20,
		// The list of tables begins anew before reading it costs anything at start.
		MaxManifestFileSize: 4 << 20,
		// Space that retention gave free is wanted back soon, not with the next flush by chance.
		FlushDelayDeleteRange: 5 * time.Second,

		BlockPropertyCollectors: []func() pebble.BlockPropertyCollector{
			func() pebble.BlockPropertyCollector { return &spanCollector{runs: &s.runs} },
		},
	}
	// Files of a few seconds of load: retention drops whole ones without reading them.
	for i := range o.TargetFileSizes {
		o.TargetFileSizes[i] = min(int64(4<<20)<<i, 32<<20)
	}
	for i := range o.Levels {
		l := &o.Levels[i]
		// Values are read in runs of 32 of some hundred bytes. Larger blocks would compress no
		// better, and Pebble searches a damaged one for the bit that flipped, in a time that grows
		// with the square of its size: 32 KiB keep a core busy for a second, at every read.
		l.BlockSize = tableBlockBytes
		l.IndexBlockSize = tableBlockBytes
		// For Get, which looks for small keys that mostly are in an upper level or nowhere. The
		// last level's filters would not be read.
		if i < len(o.Levels)-1 {
			l.FilterPolicy = bloom.FilterPolicy(10)
		} else {
			l.FilterPolicy = pebble.NoFilterPolicy
		}
	}
	// Half of the disk space of a text for a tenth of the CPU; none saves that tenth and doubles
	// what is written.
	o.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionFastest })
	// A scan or a pop must not start compactions: what it read is deleted soon.
	o.Experimental.ReadSamplingMultiplier = -1
	o.Experimental.CompactionScheduler = s.scheduler
	o.Experimental.L0CompactionConcurrency = 8
	o.Experimental.SpanPolicyFunc = func(start []byte) (policy pebble.SpanPolicy, end []byte, err error) {
		return policy, s.runs.end(start), nil
	}
	// Pebble 2.1 can keep big values in files of their own, so that compactions sort keys only.
	// It is not used: a damaged file of that kind makes Pebble panic (findOrCreateBlob in its
	// file_cache.go), in compactions too, where nothing can stop it.
	return o
}

// comparer is Pebble's own order, by its own name, but with whole keys in the indexes: a key that
// follows the last one of a damaged block then leads to the next block, and not to the
// damaged one again.
func comparer() *pebble.Comparer {
	c := *pebble.DefaultComparer
	c.Separator = func(dst, a, _ []byte) []byte { return append(dst, a...) }
	c.Successor = func(dst, a []byte) []byte { return append(dst, a...) }
	return &c
}

// events keeps what Pebble tells: the few things that an operator wants to know are reported,
// and those that a waiting commit waits for wake it.
func (s *Store) events() *pebble.EventListener {
	l := &pebble.EventListener{
		BackgroundError: func(err error) {
			s.reportOften("background work failed", err)
			// Some of Pebble's own work is repeated at once when it failed. Its locks may be
			// held here, so the pause is short; compactions have a longer one, see scheduler.
			time.Sleep(backgroundPause)
		},
		DataCorruption: func(i pebble.DataCorruptionInfo) {
			s.reportOften("damaged: "+i.Path, i.Details)
		},
		CompactionEnd: func(i pebble.CompactionInfo) {
			switch {
			case i.Err == nil:
				s.scheduler.succeeded()
				s.outOfSpace.Store(false)
			case errors.Is(i.Err, pebble.ErrCancelledCompaction):
			default:
				s.scheduler.failed()
				if isNoSpace(i.Err) {
					s.outOfSpace.Store(true)
				}
			}
			s.pressure.changed(false)
		},
		FlushEnd: func(pebble.FlushInfo) {
			s.runs.flushed()
			s.pressure.changed(false)
		},
		WALCreated: func(pebble.WALCreateInfo) { s.pressure.changed(true) },
		DiskSlow:   func(i pebble.DiskSlowInfo) { s.report(i.String(), nil) },
		TableDeleted: func(i pebble.TableDeleteInfo) {
			if i.Err != nil {
				s.reportOften("cannot remove "+i.Path, i.Err)
			}
		},
		WALDeleted: func(i pebble.WALDeleteInfo) {
			if i.Err != nil {
				s.reportOften("cannot remove "+i.Path, i.Err)
			}
		},
	}
	return l
}

// withHealth makes the disk tell when it is slow. It has a goroutine that ends with close.
func (s *Store) withHealth(fs vfs.FS) (vfs.FS, func() error) {
	fs, closer := vfs.WithDiskHealthChecks(fs, diskSlow, nil, func(i vfs.DiskSlowInfo) {
		s.report("disk is slow: "+i.String(), nil)
	})
	return fs, closer.Close
}

// logger turns Pebble's last words into a failed store: Pebble expects Fatalf to end the
// process, and a broker must not go without a word.
type logger struct{ s *Store }

func (logger) Infof(string, ...any)  {}
func (logger) Errorf(string, ...any) {}
func (l logger) Fatalf(format string, args ...any) {
	l.s.guard.freeze(fmt.Errorf(format, args...))
}
