package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

func TestStore(t *testing.T) {
	mem := vfs.NewMem()
	s := mustOpen(t, small(mem))
	b := s.NewBatch()
	if !b.Empty() || b.Bytes() != 0 {
		t.Fatalf("a new batch has %d bytes", b.Bytes())
	}
	for i := range 10 {
		put(b, fmt.Sprintf("k%d", i), fmt.Sprintf("v%d", i))
	}
	if b.Empty() || b.Bytes() < 10*4 {
		t.Fatalf("ten entries have %d bytes", b.Bytes())
	}
	mustCommit(t, s, b, true)
	if !b.Empty() || b.Bytes() != 0 {
		t.Fatalf("after Reset there are %d bytes", b.Bytes())
	}
	b.Delete([]byte("k1"))
	b.DeleteOnce([]byte("k2"))
	b.DeleteRange([]byte("k4"), []byte("k6"))
	put(b, "k5", "new")
	mustCommit(t, s, b, false)

	look := func(s *Store) {
		t.Helper()
		state, err := read(s)
		if want := "map[k0:v0 k3:v3 k5:new k6:v6 k7:v7 k8:v8 k9:v9]"; fmt.Sprint(state) != want || err != nil {
			t.Fatalf("%v, %v, want %v", state, err, want)
		}
		if v, ok, err := s.Get([]byte("is "), []byte("k5")); string(v) != "is new" || !ok || err != nil {
			t.Fatalf("get: %q %v %v", v, ok, err)
		}
		if v, ok, err := s.Get([]byte("is "), []byte("k4")); string(v) != "is " || ok || err != nil {
			t.Fatalf("get of nothing: %q %v %v", v, ok, err)
		}
		if k, ok, err := s.Last([]byte("is "), []byte("k0"), []byte("k5")); string(k) != "is k3" || !ok || err != nil {
			t.Fatalf("last: %q %v %v", k, ok, err)
		}
		if k, ok, err := s.Last(nil, []byte("k1"), []byte("k3")); len(k) != 0 || ok || err != nil {
			t.Fatalf("last of nothing: %q %v %v", k, ok, err)
		}
	}
	look(s)
	mustClose(t, s)
	if err := s.Close(); err != ErrClosed {
		t.Fatalf("closed twice: %v", err)
	}
	s = mustOpen(t, small(mem))
	look(s)
	if u := s.Usage(); u.DiskBytes == 0 || u.Tables == 0 {
		t.Fatalf("%+v", u)
	}
	if n := s.RangeBytes([]byte{0}, []byte{0xff}); n == 0 {
		t.Fatal("no bytes in the whole range")
	}
	mustClose(t, s)
}

// TestBatchMemory shows that a batch keeps its memory, to a bound, and that small ones cost none.
func TestBatchMemory(t *testing.T) {
	s := mustOpen(t, Config{Dir: dir, FS: vfs.NewMem()})
	defer s.Close()
	b := s.NewBatch()
	fill := func() {
		for i := range 64 {
			key, value := b.Put(messageKeyBytes, 256)
			messageKey(key, 1, 1, uint64(i))
			copy(value, noise)
		}
	}
	fill()
	b.Reset()
	if n := testing.AllocsPerRun(100, func() { fill(); b.Reset() }); n > 0 {
		t.Errorf("a batch of known size allocates %v times", n)
	}
	b.Put(1, 3*batchRetainBytesMax)
	b.Reset()
	if n := cap(b.b.Repr()); n > batchRetainBytesMax {
		t.Errorf("after a large batch %d bytes are kept", n)
	}
	// A batch too large for a table in memory is written all the same.
	key, value := b.Put(1, 30<<20)
	copy(key, "k")
	copy(value, "big")
	mustCommit(t, s, b, true)
	if v, _, _ := s.Get(nil, []byte("k")); len(v) != 30<<20 || string(v[:3]) != "big" {
		t.Errorf("%d bytes came back", len(v))
	}
}

// TestCommitEmpty shows that an empty batch is a barrier with sync and nothing without.
func TestCommitEmpty(t *testing.T) {
	mem := vfs.NewCrashableMem()
	s := mustOpen(t, small(mem))
	b := s.NewBatch()
	put(b, "k", "v")
	mustCommit(t, s, b, false)
	mustCommit(t, s, b, false)
	mustCommit(t, s, b, true)
	crashed := mustOpen(t, small(mem.CrashClone(vfs.CrashCloneCfg{})))
	if _, ok, err := crashed.Get(nil, []byte("k")); !ok || err != nil {
		t.Fatal(ok, err)
	}
	mustClose(t, crashed)
	mustClose(t, s)
}

// TestCommitTogether commits from many goroutines.
func TestCommitTogether(t *testing.T) {
	mem := vfs.NewCrashableMem()
	s := mustOpen(t, small(mem))
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			b := s.NewBatch()
			for i := range 100 {
				put(b, fmt.Sprintf("%d/%03d", g, i), strings.Repeat("x", 500))
				if err := s.Commit(b, i%10 == 9); err != nil {
					t.Error(err)
				}
				b.Reset()
			}
		})
	}
	wg.Wait()
	crashed := mustOpen(t, small(mem.CrashClone(vfs.CrashCloneCfg{})))
	if state, err := read(crashed); len(state) != 800 || err != nil {
		t.Errorf("%d of 800 are there, %v", len(state), err)
	}
	mustClose(t, crashed)
	mustClose(t, s)
}

func TestLocked(t *testing.T) {
	d := t.TempDir()
	for _, config := range []Config{small(vfs.NewMem()), {Dir: d}} {
		s := mustOpen(t, config)
		_, err := Open(config)
		var locked *LockedError
		if !errors.As(err, &locked) || locked.Dir != config.Dir {
			t.Fatalf("second: %v", err)
		}
		if config.FS == nil && locked.PID != os.Getpid() {
			t.Errorf("it is ours, not that of process %d", locked.PID)
		}
		mustClose(t, s)
		mustClose(t, mustOpen(t, config))
	}
}

// TestLockedProcess has the store open in another process: that one is named, and not one that
// had it before and was killed.
func TestLockedProcess(t *testing.T) {
	const name, kill = "STORE_LOCKED_BY_PARENT", "STORE_TO_BE_KILLED"
	child := func(name, d string) *exec.Cmd {
		cmd := exec.Command(os.Args[0], "-test.run=^TestLockedProcess$")
		cmd.Env = append(os.Environ(), name+"="+d)
		return cmd
	}
	if d := os.Getenv(name); d != "" {
		_, err := Open(Config{Dir: d})
		var locked *LockedError
		if !errors.As(err, &locked) || locked.PID != os.Getppid() {
			t.Fatalf("want locked by %d: %v", os.Getppid(), err)
		}
		return
	}
	if d := os.Getenv(kill); d != "" {
		mustOpen(t, Config{Dir: d})
		if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		select {}
	}
	d := t.TempDir()
	killed := child(kill, d)
	if err := killed.Run(); err == nil || killed.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatal(err)
	}
	s := mustOpen(t, Config{Dir: d})
	if out, err := child(name, d).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	mustClose(t, s)
}

// TestNotOurs: what cannot be opened at all is not said to be in use.
func TestNotOurs(t *testing.T) {
	d := t.TempDir()
	if err := os.Mkdir(filepath.Join(d, lockFile), 0o700); err != nil { // root may open any file
		t.Fatal(err)
	}
	_, err := Open(Config{Dir: d})
	var locked *LockedError
	if !errors.Is(err, syscall.EISDIR) || errors.As(err, &locked) {
		t.Errorf("%v", err)
	}
}

// TestPrivate: nobody else reads messages, whatever the umask.
func TestPrivate(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	d := filepath.Join(t.TempDir(), "above", "store")
	s := mustOpen(t, Config{Dir: d, MemTableBytes: 64 << 10})
	b := s.NewBatch()
	for range 300 { // enough for tables and another log
		put(b, "k", strings.Repeat("x", 3000))
		mustCommit(t, s, b, true)
	}
	modes := func() {
		t.Helper()
		err := filepath.WalkDir(d, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil // obsolete by now
			}
			if err == nil && info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s has mode %v", path, info.Mode())
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	modes()
	mustClose(t, s)
	s = mustOpen(t, Config{Dir: d})
	modes()
	mustClose(t, s)
}

func TestNewer(t *testing.T) {
	mem := vfs.NewCrashableMem()
	mustClose(t, mustOpen(t, small(mem)))
	rewrite(t, mem, formatFile, fmt.Appendf(nil, "%s%d\n", formatWords, formatKnown+1))
	before := mem.String()
	_, err := Open(small(mem))
	var newer *NewerError
	if !errors.As(err, &newer) || newer.Found != formatKnown+1 || newer.Known != formatKnown {
		t.Fatalf("%v", err)
	}
	if after := mem.String(); after != before {
		t.Errorf("it was changed:\n%s\n%s", before, after)
	}
	for _, text := range []string{"", "x", formatWords, formatWords + "0\n", formatWords + "-3\n", formatWords + "1x\n"} {
		rewrite(t, mem, formatFile, []byte(text))
		_, err := Open(small(mem))
		var damaged *DamagedError
		if !errors.As(err, &damaged) || damaged.File != formatFile {
			t.Errorf("format %q: %v", text, err)
		}
	}
}

// spaceFS is a file system with a free space of the test's choice.
type spaceFS struct {
	vfs.FS
	free     atomic.Uint64
	compacts atomic.Bool // compactions have space
}

func (fs *spaceFS) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: fs.free.Load(), TotalBytes: 1 << 40, UsedBytes: 1 << 30}, nil
}

func (fs *spaceFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if kindOf(name, category) == kindCompaction && !fs.compacts.Load() {
		return nil, syscall.ENOSPC
	}
	return fs.FS.Create(name, category)
}

func TestFull(t *testing.T) {
	fs := &spaceFS{FS: vfs.NewMem()}
	fs.compacts.Store(true)
	fs.free.Store(1000)
	var r reports
	config := small(fs)
	config.FreeBytesMin, config.Report = 1000, r.add
	s := mustOpen(t, config)
	for _, step := range []struct {
		free uint64
		full bool
	}{{1000, false}, {999, true}, {0, true}, {1001, false}} {
		fs.free.Store(step.free)
		s.CheckSpace()
		if s.Full() != step.full || s.Usage().FreeBytes != int64(step.free) {
			t.Errorf("with %d bytes free: full %v", step.free, s.Full())
		}
		b := s.NewBatch()
		put(b, "k", "small writes go on")
		mustCommit(t, s, b, true)
	}
	if got := r.all(); len(got) != 2 {
		t.Errorf("reports: %q", got)
	}
	mustClose(t, s)
}

// TestNoSpaceToCompact has a disk on which flushes find space and compactions do not. The store
// goes on, then refuses commits without failing, and recovers by itself.
func TestNoSpaceToCompact(t *testing.T) {
	fs := &spaceFS{FS: vfs.NewMem()}
	fs.free.Store(1 << 40)
	s := mustOpen(t, small(fs))
	b := s.NewBatch()
	n := 0
	var err error
	for ; n < 20000; n++ {
		put(b, fmt.Sprintf("%05d", n*7919%20000), strings.Repeat("x", 1000))
		if err = s.Commit(b, false); err != nil {
			break
		}
		b.Reset()
	}
	if !errors.Is(err, ErrFull) || s.Failed() != nil {
		t.Fatalf("after %d commits: %v, failed: %v", n, err, s.Failed())
	}
	fs.compacts.Store(true)
	for range 2 * pauseTicksMax {
		s.CheckSpace()
		if err = s.Commit(b, true); err == nil {
			n++
			break
		}
	}
	if err != nil {
		t.Fatalf("with space again: %v", err)
	}
	if state, err := read(s); len(state) != n || err != nil {
		t.Fatalf("%d of %d are there, %v", len(state), n, err)
	}
	mustClose(t, s)
}

// TestDamagedCompaction writes on over damaged tables. Compactions of them fail, and neither
// stop the store nor keep it busy.
func TestDamagedCompaction(t *testing.T) {
	mem := running(t, 600, 900)
	for _, name := range files(t, mem, ".sst") {
		table := content(t, mem, name)
		if len(table) == 0 {
			continue // it was being written
		}
		rewrite(t, mem, name, flipped(table, len(table)/3, 0x10))
	}
	var r reports
	config := small(mem)
	config.Report = r.add
	s := mustOpen(t, config)
	b := s.NewBatch()
	// A commit that waits for a compaction which is about to fail goes on at the next tick.
	commit := func() {
		done := make(chan struct{})
		go func() {
			defer close(done)
			if err := s.Commit(b, false); err != nil {
				t.Error(err)
			}
		}()
		for {
			select {
			case <-done:
				b.Reset()
				return
			case <-time.After(100 * time.Millisecond):
				s.CheckSpace()
			}
		}
	}
	for i := range 4000 {
		put(b, fmt.Sprintf("%05d", i*7919%600), strings.Repeat("y", 900))
		commit()
		if i%50 == 0 {
			s.CheckSpace()
		}
	}
	mustCommit(t, s, b, true)
	for i := range 600 {
		v, ok, err := s.Get(nil, fmt.Appendf(nil, "%05d", i))
		if !ok || err != nil || !bytes.Equal(v, bytes.Repeat([]byte{'y'}, 900)) {
			t.Fatalf("key %d: %v %v", i, ok, err)
		}
	}
	got := r.all()
	if !strings.Contains(fmt.Sprint(got), ".sst") || len(got) > 60 {
		t.Errorf("%d reports: %.500q", len(got), got)
	}
	mustClose(t, s)
}

// TestFailedWhileWaiting fails the disk while a commit waits for a flush.
func TestFailedWhileWaiting(t *testing.T) {
	mem := vfs.NewMem()
	var hold atomic.Bool
	release := make(chan struct{})
	f := errorfs.InjectorFunc(func(op errorfs.Op) error {
		if hold.Load() && op.Kind == errorfs.OpFileWrite && strings.HasSuffix(op.Path, ".sst") {
			<-release
			return syscall.EIO
		}
		return nil
	})
	s := mustOpen(t, small(errorfs.Wrap(mem, f)))
	b := s.NewBatch()
	hold.Store(true)
	go func() {
		for s.stalls.Load() == 0 {
		}
		close(release)
	}()
	within(t, "commit", func() {
		for {
			put(b, "k", strings.Repeat("x", 3000))
			if err := s.Commit(b, false); err != nil {
				if !errors.Is(err, syscall.EIO) {
					t.Errorf("%v", err)
				}
				return
			}
			b.Reset()
		}
	})
	within(t, "close", func() { _ = s.Close() })
	mustClose(t, mustOpen(t, small(mem)))
}
