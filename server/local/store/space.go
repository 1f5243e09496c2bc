package store

// Full says that the disk has less free space than FreeBytesMin. Larger writes are to be
// refused then; what is left is for small ones, which end what is in flight. It is cheap, and
// as old as the last CheckSpace.
func (s *Store) Full() bool { return s.full.Load() }

// CheckSpace looks how much space the disk has, and lets compactions that failed try again. The
// owner calls it every second or so.
func (s *Store) CheckSpace() {
	s.scheduler.tick()
	s.pressure.changed(false)
	s.forget()
	usage, err := s.fs.GetDiskUsage(s.config.Dir)
	if err != nil {
		return // a file system that does not tell is never full
	}
	s.freeBytes.Store(int64(min(usage.AvailBytes, 1<<62)))
	full := int64(usage.AvailBytes) < s.config.FreeBytesMin
	if s.full.Swap(full) != full {
		if full {
			s.report("disk is nearly full: large writes are refused", nil)
		} else {
			s.report("disk has space again", nil)
		}
	}
}

// Usage is what an operator wants to know of a store.
type Usage struct {
	DiskBytes      int64 // tables, logs and lists on disk, obsolete ones included
	FreeBytes      int64 // of the disk, as of the last CheckSpace; 0 when unknown
	MemTableBytes  int64
	CacheBytes     int64
	Tables         int64
	TablesPinned   int64 // obsolete, still held by a cursor
	LevelZeroDepth int64 // tables a read must look into above the sorted levels
	DebtBytes      int64 // estimated bytes that compactions have yet to rewrite
	Compactions    int64 // since Open
	Flushes        int64 // since Open
	WrittenBytes   int64 // to tables, since Open: write amplification is this by LogBytes
	LogBytes       int64 // to logs, since Open
	Stalls         int64 // how often a Commit had to wait for flushes or compactions
}

// Usage collects figures, none of a store that has failed. It costs some tens of microseconds.
func (s *Store) Usage() Usage {
	m := s.metrics()
	if m == nil {
		return Usage{FreeBytes: s.freeBytes.Load()}
	}
	total := m.Total()
	return Usage{
		DiskBytes:      int64(m.DiskSpaceUsage()),
		FreeBytes:      s.freeBytes.Load(),
		MemTableBytes:  int64(m.MemTable.Size),
		CacheBytes:     m.BlockCache.Size,
		Tables:         total.TablesCount,
		TablesPinned:   m.Table.ZombieCount,
		LevelZeroDepth: int64(m.Levels[0].Sublevels),
		DebtBytes:      int64(m.Compact.EstimatedDebt),
		Compactions:    m.Compact.Count,
		Flushes:        m.Flush.Count,
		WrittenBytes:   int64(total.TableBytesFlushed + total.TableBytesCompacted),
		LogBytes:       int64(m.WAL.BytesWritten),
		Stalls:         s.stalls.Load(),
	}
}

// RangeBytes estimates the disk space of the keys in [from, to). What is only in memory and
// the log is not counted.
func (s *Store) RangeBytes(from, to []byte) uint64 {
	n, err := s.db.EstimateDiskUsage(from, to)
	if err != nil {
		return 0
	}
	return n
}
