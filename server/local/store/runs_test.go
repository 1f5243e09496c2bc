package store

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestTablesEndWhereRunsEnd(t *testing.T) {
	var r runs
	key := func(queue byte, offset uint64) []byte {
		return binary.BigEndian.AppendUint64([]byte{'m', 0, queue}, offset)
	}
	ends := func(start []byte) string { return fmt.Sprintf("%q", r.end(start)) }

	if got := ends(key(1, 0)); got != `"n"` {
		t.Errorf("with no run, a table of %q ends at %s, want where the kind ends", key(1, 0), got)
	}
	for range runBlocksMin {
		r.wrote(key(1, 1), key(1, 30))
		r.wrote(key(2, 1), key(2, 30))
		r.wrote(key(5, 1), key(5, 30))
		r.wrote(key(6, 1), key(7, 30)) // no run: the block goes from one to another
		r.wrote([]byte("short"), []byte("short"))
	}
	for range runBlocksMin - 1 {
		r.wrote(key(8, 1), key(8, 30))
	}
	r.flushed()
	for _, c := range []struct {
		start []byte
		end   string
	}{
		{key(0, 9), `"m\x00\x01"`},
		{key(1, 9), `"m\x00\x02"`},
		{key(2, 9), `"m\x00\x03"`},
		{[]byte("m\x00\x02"), `"m\x00\x03"`},
		{key(3, 9), `"m\x00\x05"`}, // the runs that are not worth a table share one
		{key(5, 9), `"m\x00\x06"`},
		{key(7, 9), `"n"`},
		{key(8, 9), `"n"`},
		{[]byte("a"), `"b"`},
		{[]byte{0xff, 1}, `""`},
		{nil, `""`},
	} {
		if got := ends(c.start); got != c.end {
			t.Errorf("a table that begins with %q ends at %s, want %s", c.start, got, c.end)
		}
	}
	r.flushed()
	if got := ends(key(1, 9)); got != `"n"` {
		t.Errorf("after a flush without it, a run still ends a table at %s", got)
	}
}

func TestRunsAreCountedToABound(t *testing.T) {
	var r runs
	for i := range uint64(runsMax + 100) {
		k := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, i), 0)
		r.wrote(k, k)
	}
	if len(r.blocks) != runsMax {
		t.Errorf("%d runs are counted, want %d", len(r.blocks), runsMax)
	}
}

// What is only ever appended is never merged: the tables of one queue lie side by side.
func TestAppendsAreNotCompacted(t *testing.T) {
	s := mustOpen(t, Config{Dir: "store", FS: vfs.NewMem(), MemTableBytes: 8 << 20})
	defer s.Close()
	b := s.NewBatch()
	var l load
	for l.n < 300_000 {
		for range 1000 {
			l.put(b, 256)
		}
		mustCommit(t, s, b, false)
	}
	m := s.db.Metrics()
	if m.Flush.Count < 5 {
		t.Fatalf("%d flushes: too few to say anything", m.Flush.Count)
	}
	// The first flush knows of no runs yet, and what overlaps it is merged with it.
	var read uint64
	for _, level := range m.Levels {
		read += level.TableBytesRead
	}
	written := m.Levels[0].TableBytesFlushed
	if read > written/2 {
		t.Errorf("compactions have read %d bytes of %d flushed ones", read, written)
	}
	if !slices.ContainsFunc(*s.runs.bounds.Load(), func(k []byte) bool { return k[0] == 'm' }) {
		t.Error("no queue has tables of its own")
	}
}
