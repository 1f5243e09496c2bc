package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// copyOf is a copy of a file system nobody writes to.
func copyOf(mem *vfs.MemFS) *vfs.MemFS {
	return mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))})
}

func files(t *testing.T, fs vfs.FS, part string) (names []string) {
	t.Helper()
	all, err := fs.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		if strings.Contains(name, part) {
			names = append(names, name)
		}
	}
	return names
}

func content(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(fs.PathJoin(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func rewrite(t *testing.T, fs vfs.FS, name string, b []byte) {
	t.Helper()
	f, err := fs.Create(fs.PathJoin(dir, name), vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(bytes.Clone(b)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func flipped(b []byte, at int, mask byte) []byte {
	b = bytes.Clone(b)
	b[at] ^= mask
	return b
}

// running is a store in use: n synced commits of one key and value each, some of them in tables
// by now and the rest in the log. It is closed when the test ends; its files are what a killed
// process leaves.
func running(t *testing.T, n, valueBytes int) *vfs.MemFS {
	t.Helper()
	mem := vfs.NewCrashableMem()
	s := mustOpen(t, small(mem))
	b := s.NewBatch()
	for i := range n {
		put(b, fmt.Sprintf("%05d", i), fmt.Sprintf("%05d%s", i, bytes.Repeat([]byte{'x'}, valueBytes)))
		mustCommit(t, s, b, true)
	}
	t.Cleanup(func() { mustClose(t, s) })
	return copyOf(mem)
}

// count says how many of n commits a store holds; they must be the first ones.
func count(t *testing.T, s *Store) int {
	t.Helper()
	n := 0
	err := s.Scan([]byte{0}, []byte{0xff}, func(k, v []byte) bool {
		if want := fmt.Sprintf("%05d", n); string(k) != want || !strings.HasPrefix(string(v), want) {
			t.Fatalf("key %d is %q with %.10q", n, k, v)
		}
		n++
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestDamagedLog flips bits all over a log of synced commits. Open refuses, naming the log and
// the place, or everything but the last record is there: that one alone looks like a torn tail.
func TestDamagedLog(t *testing.T) {
	for _, valueBytes := range []int{30, 900, 20000} { // many in a block, some, and records over blocks
		n := min(60, 60000/valueBytes)
		mem := running(t, n, valueBytes)
		if len(files(t, mem, ".sst")) > 0 {
			t.Fatal("all is meant to be in the log")
		}
		names := files(t, mem, ".log")
		name := names[len(names)-1]
		log := content(t, mem, name)
		rng := newRand(t, uint64(valueBytes))
		refused, tails := 0, 0
		const flips = 80
		for range flips {
			at := rng.IntN(len(log))
			fs := copyOf(mem)
			rewrite(t, fs, name, flipped(log, at, 1<<rng.IntN(8)))
			s, err := Open(small(fs))
			if damaged, ok := errors.AsType[*DamagedError](err); ok {
				refused++
				if damaged.File != name || damaged.Offset < 0 || damaged.Offset > int64(at) {
					t.Fatalf("flip at %d: %v", at, err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("flip at %d: %v", at, err)
			}
			if got := count(t, s); got < n-1 {
				t.Fatalf("flip at %d of %d: %d of %d commits left, and Open was silent", at, len(log), got, n)
			} else if got < n {
				tails++
			}
			mustClose(t, s)
		}
		t.Logf("values of %d bytes: %d refused, %d cut at the last record", valueBytes, refused, tails)
		if refused+tails < flips*9/10 {
			t.Fatalf("only %d of %d flips were seen", refused+tails, flips)
		}
	}
}

// TestTornLog cuts a log at every length. Open cuts the torn record, and reports it.
func TestTornLog(t *testing.T) {
	const n = 12
	mem := running(t, n, 30)
	name := files(t, mem, ".log")[0]
	log := content(t, mem, name)
	last := -1
	for at := range len(log) + 1 {
		fs := copyOf(mem)
		rewrite(t, fs, name, log[:at])
		s := mustOpen(t, small(fs))
		got := count(t, s)
		if got < last {
			t.Fatalf("cut at %d: %d commits, but %d when it was shorter", at, got, last)
		}
		last = got
		mustClose(t, s)
	}
	if last != n {
		t.Fatalf("%d of %d commits in the whole log", last, n)
	}
}

// TestDamagedTail flips every bit class of the last two records, as they were synced. The last
// may be lost, the one before it is missed.
func TestDamagedTail(t *testing.T) {
	const n = 5
	mem := running(t, n, 30)
	name := files(t, mem, ".log")[0]
	log := content(t, mem, name)
	for at := len(log) / 2; at < len(log); at++ {
		for _, mask := range []byte{1, 0x80, 0xff} {
			fs := copyOf(mem)
			rewrite(t, fs, name, flipped(log, at, mask))
			s, err := Open(small(fs))
			if _, ok := errors.AsType[*DamagedError](err); ok {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := count(t, s); got < n-1 {
				t.Fatalf("flip at %d of %d: %d of %d commits left", at, len(log), got, n)
			}
			mustClose(t, s)
		}
	}
}

// TestDamagedList flips bits of the list of tables, and cuts it, at every place. Pebble would
// believe what is before the damage, and delete every table it then does not know. Open refuses,
// or all is there.
func TestDamagedList(t *testing.T) {
	const n = 300
	mem := running(t, n, 900)
	closed := copyOf(mem)
	mustClose(t, mustOpen(t, small(closed)))
	for what, mem := range map[string]*vfs.MemFS{"killed": mem, "closed": closed} {
		_, name, _ := strings.Cut(files(t, mem, "marker.manifest.")[0], "MANIFEST")
		name = "MANIFEST" + name
		list := content(t, mem, name)
		step := max(1, len(list)/400)
		refused := 0
		try := func(at int, list []byte) {
			fs := copyOf(mem)
			rewrite(t, fs, name, list)
			before := len(files(t, fs, ".sst"))
			s, err := Open(small(fs))
			if err != nil {
				refused++
				var damaged *DamagedError
				if !errors.As(err, &damaged) || damaged.File != name {
					t.Fatalf("%s: damage at %d of %d: %v", what, at, len(list), err)
				}
				if after := len(files(t, fs, ".sst")); after != before {
					t.Fatalf("%s: damage at %d: refused, but %d tables of %d are left", what, at, after, before)
				}
				return
			}
			if got := count(t, s); got != n {
				t.Fatalf("%s: damage at %d of %d: %d of %d commits left, and Open was silent", what, at, len(list), got, n)
			}
			mustClose(t, s)
		}
		for at := 0; at < len(list); at += step {
			try(at, flipped(list, at, 1<<(at%8)))
			try(at, list[:at])
		}
		t.Logf("%s: %d bytes, %d damages refused", what, len(list), refused)
	}
}

// TestDamagedTable flips a byte at many places of each table. Open refuses, or the store opens
// and serves every key but those it names as lost, and never a wrong value.
func TestDamagedTable(t *testing.T) {
	const n = 3000
	mem := vfs.NewCrashableMem()
	config := small(mem)
	config.MemTableBytes = 8 << 20
	s := mustOpen(t, config)
	b := s.NewBatch()
	rng := newRand(t, 1)
	values := make([]string, n)
	for i := range n {
		noise := make([]byte, 150)
		for j := range noise {
			noise[j] = byte(rng.Uint32())
		}
		values[i] = fmt.Sprintf("%05d%s", i, noise)
		put(b, fmt.Sprintf("%05d", i), values[i])
	}
	mustCommit(t, s, b, true)
	mustClose(t, s)

	refused, skipped, served := 0, 0, 0
	for _, name := range files(t, mem, ".sst") {
		table := content(t, mem, name)
		for at := 0; at < len(table); at += 1 + len(table)/25 {
			fs := copyOf(mem)
			rewrite(t, fs, name, flipped(table, at, 0x10))
			config.FS = fs
			s, err := Open(config)
			if err != nil {
				var damaged *DamagedError
				if !errors.As(err, &damaged) || damaged.File != name {
					t.Fatalf("%s, flip at %d: %v", name, at, err)
				}
				refused++
				continue
			}
			c := s.Cursor()
			next, lost := 0, 0
			ok := c.Seek([]byte{0}, []byte{0xff})
			for {
				for ; ok; ok = c.Next() {
					if string(c.Key()) != fmt.Sprintf("%05d", next) || string(c.Value()) != values[next] {
						t.Fatalf("%s, flip at %d: key %q at place %d", name, at, c.Key(), next)
					}
					next++
				}
				if c.Err() == nil {
					break
				}
				var gone *UnreadableError
				if !errors.As(c.Err(), &gone) {
					t.Fatalf("%s, flip at %d: %v", name, at, c.Err())
				}
				if errors.As(c.Err(), &gone); string(gone.From) > fmt.Sprintf("%05d", next) {
					t.Fatalf("%s, flip at %d: stopped before %d: %v", name, at, next, c.Err())
				}
				for next < n && fmt.Sprintf("%05d", next) <= string(gone.To) {
					lost++
					next++
				}
				v, found, err := s.Get(nil, gone.To)
				if err == nil && (!found || string(v) != values[next-1]) {
					t.Fatalf("%s, flip at %d: key %q has another value", name, at, gone.To)
				}
				// What is lost to the cursor may be there for Get, but not with another value.
				ok = c.SkipDamage()
			}
			c.Close()
			if next != n {
				t.Fatalf("%s of %d bytes, flip at %d: %d of %d keys, and no error", name, len(table), at, next, n)
			}
			if lost > 0 {
				skipped++
			} else {
				served++
			}
			if lost > 100 && at < len(table)*9/10 {
				t.Fatalf("%s of %d bytes, flip at %d: %d keys lost", name, len(table), at, lost)
			}
			// Writing goes on.
			b := s.NewBatch()
			put(b, "00000", values[0])
			mustCommit(t, s, b, true)
			_ = s.Close()
		}
		fs := copyOf(mem)
		rewrite(t, fs, name, table[:len(table)/2])
		config.FS = fs
		_, err := Open(config)
		var damaged *DamagedError
		if !errors.As(err, &damaged) || damaged.File != name {
			t.Fatalf("%s cut in half: %v", name, err)
		}
		if err := fs.Remove(fs.PathJoin(dir, name)); err != nil {
			t.Fatal(err)
		}
		if _, err = Open(config); !errors.As(err, &damaged) || damaged.File != name {
			t.Fatalf("%s removed: %v", name, err)
		}
	}
	t.Logf("%d flips refused, %d served with gaps, %d served whole", refused, skipped, served)
}

// TestDamagedRest damages what is neither log, list nor table.
func TestDamagedRest(t *testing.T) {
	const n = 300
	mem := running(t, n, 900)
	for _, name := range append(files(t, mem, "marker."), formatFile) {
		fs := copyOf(mem)
		if err := fs.Remove(fs.PathJoin(dir, name)); err != nil {
			t.Fatal(err)
		}
		tables := len(files(t, fs, ".sst"))
		s, err := Open(small(fs))
		if err == nil {
			t.Errorf("without %s: opened with %d of %d commits", name, count(t, s), n)
			mustClose(t, s)
			continue
		}
		if _, ok := errors.AsType[*DamagedError](err); !ok {
			t.Errorf("without %s: %v", name, err)
		}
		if len(files(t, fs, ".sst")) != tables {
			t.Errorf("without %s: tables are gone", name)
		}
	}
	for _, name := range files(t, mem, "OPTIONS-") {
		whole := content(t, mem, name)
		for at := range whole {
			if len(whole) > 100 && at%97 != 0 {
				continue
			}
			fs := copyOf(mem)
			rewrite(t, fs, name, flipped(whole, at, 0x04))
			s, err := Open(small(fs))
			if err != nil {
				if _, ok := errors.AsType[*DamagedError](err); !ok {
					t.Errorf("%s, flip at %d: %v", name, at, err)
				}
				continue
			}
			if got := count(t, s); got != n {
				t.Errorf("%s, flip at %d: %d of %d commits", name, at, got, n)
			}
			mustClose(t, s)
		}
	}
}
