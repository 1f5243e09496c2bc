package local

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/local/store"
	"rocketmq-proxy/server/turn"
)

// disk is a disk that can be told to be full, or to fail to sync.
type disk struct {
	vfs.FS
	free    atomic.Int64 // bytes
	noSpace atomic.Bool  // every write fails for want of space
	noSync  atomic.Bool  // every sync fails
}

func newDisk() *disk {
	d := &disk{}
	d.free.Store(1 << 40)
	d.FS = errorfs.Wrap(vfs.NewMem(), d)
	return d
}

func (d *disk) String() string { return "disk" }

// MaybeError implements errorfs.Injector.
func (d *disk) MaybeError(op errorfs.Op) error {
	switch op.Kind {
	case errorfs.OpFileWrite, errorfs.OpCreate, errorfs.OpReuseForWrite:
		if d.noSpace.Load() {
			return syscall.ENOSPC
		}
	case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
		if d.noSync.Load() {
			return syscall.EIO
		}
	}
	return nil
}

// GetDiskUsage implements vfs.FS.
func (d *disk) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: uint64(d.free.Load()), TotalBytes: 1 << 41, UsedBytes: 1 << 40}, nil
}

// TestDiskNearlyFull: sends are refused, receives and acknowledgements go on, and when there
// is room again so do sends.
func TestDiskNearlyFull(t *testing.T) {
	d := newDisk()
	w := newWorld(t, d)
	w.sends("orders", "a", "")
	d.free.Store(1 << 20)
	w.hears("nearly full")
	if op := w.send("orders", "b", ""); op.Fault.Kind != backend.DiskFull {
		t.Error("a send on a full disk:", op.Fault)
	}
	all := w.pop("orders", "readers")
	w.wants(all, "a/0")
	if f := w.ack("orders", "readers", all[0]); !f.OK() {
		t.Error("an acknowledgement on a full disk:", f)
	}
	d.free.Store(1 << 40)
	w.hears("space again")
	w.sends("orders", "c", "")
	w.wants(w.pop("orders", "readers"), "c/0")
}

// TestDiskFull: when a write finds no room nothing is acknowledged; when there is room again
// what was acknowledged is there, without a restart.
func TestDiskFull(t *testing.T) {
	d := newDisk()
	w := newWorld(t, d)
	w.sends("orders", "a", "")
	d.noSpace.Store(true)
	if op := w.send("orders", "b", ""); op.Fault.Kind != backend.DiskFull {
		t.Error("a send on a full disk:", op.Fault)
	}
	if op := w.send("orders", "c", ""); op.Fault.Kind != backend.DiskFull {
		t.Error("and the next:", op.Fault)
	}
	d.noSpace.Store(false)
	w.hears("open again")
	w.sends("orders", "d", "")
	got := bodies(w.pop("orders", "readers"))
	if !strings.Contains(got, "a/0") || !strings.Contains(got, "d/0") || strings.Contains(got, "c/0") {
		t.Errorf("got %q", got) // b may be there: nobody was told
	}
}

// TestFailedSync: it is never tried again as if nothing had happened.
func TestFailedSync(t *testing.T) {
	d := newDisk()
	w := newWorld(t, d)
	w.sends("orders", "a", "")
	d.noSync.Store(true)
	if op := w.send("orders", "b", ""); op.Fault.Kind != backend.Internal {
		t.Error(op.Fault)
	}
	w.hears("nothing is acknowledged from here on")
	d.noSync.Store(false)
	op := w.send("orders", "c", "")
	if op.Fault.Kind != backend.Internal || !strings.Contains(op.Fault.Text, "until the proxy is started again") {
		t.Error("a send after a failed sync:", op.Fault)
	}
	pop := &backend.Pop{Topic: w.topic("orders"), Group: []byte("readers"), MessagesMax: 1}
	w.do(func(x backend.Exchange) { pop.Exchange = x; w.Pop(pop, time.Now()) })
	if pop.Fault.OK() {
		t.Error("a pop from a broker that is ahead of its disk")
	}
	w.broken = true
	w.restart()
	w.wants(w.pop("orders", "readers", func(op *backend.Pop) { op.MessagesMax = 1 }), "a/0")
}

// TestDamage flips a bit in a table: the messages of one block are lost, which is said, and all
// others are served.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, nil, func(c *Config) { c.Store.Dir, c.Store.MemTableBytes = dir, 256<<10 })
	const count = 2000
	for i := range count {
		w.sends("orders", fmt.Sprintf("%04d%0300d", i, i), "")
	}
	w.close()
	flipBit(t, dir)
	w.open()
	got := map[string]bool{}
	for {
		all := w.pop("orders", "readers")
		if len(all) == 0 {
			break
		}
		for _, g := range all {
			got[g.body[:4]] = true
		}
	}
	if len(got) >= count || len(got) < count*9/10 {
		t.Errorf("%d of %d messages are served", len(got), count)
	}
	w.hears("cannot be read")
}

// TestDamageAnywhere flips bits in every table of a small store. It opens, unless the list of what
// is in a table is gone; what is lost is reported, every other message is served, and what is stored
// then is there after the next start too.
func TestDamageAnywhere(t *testing.T) {
	const topics, each = 6, 60
	flips := 10 // of a table
	if testing.Short() {
		flips = 3
	}
	whole := vfs.NewMem()
	w := newWorld(t, whole)
	for i := range topics {
		for n := range each {
			w.sends(fmt.Sprintf("topic%d", i), fmt.Sprintf("%03d%0300d", n, i*n), "")
		}
		w.pop(fmt.Sprintf("topic%d", i), fmt.Sprintf("group%d", i%2))
	}
	w.close()
	names, err := whole.List("store")
	if err != nil {
		t.Fatal(err)
	}
	refused, opened, gaps := 0, 0, 0
	for _, name := range names {
		if !strings.HasSuffix(name, ".sst") {
			continue
		}
		size := len(read(t, whole, name))
		for at := size / (2 * flips); at < size; at += 1 + size/flips {
			fs := vfs.NewMem()
			if _, err := vfs.Clone(whole, fs, "store", "store"); err != nil {
				t.Fatal(err)
			}
			table := read(t, fs, name)
			table[at] ^= 0x10
			write(t, fs, name, table)
			damaged, err := served(t, fs)
			if err != nil {
				var refusal *store.DamagedError
				var unreadable *store.UnreadableError
				if !errors.As(err, &refusal) && !errors.As(err, &unreadable) {
					t.Fatalf("%s, flip at %d of %d: %v", name, at, size, err)
				}
				refused++
				continue
			}
			opened++
			missing := 0
			for i := range topics {
				missing += each - damaged.messages[fmt.Sprintf("topic%d", i)]
			}
			if missing > 0 {
				gaps++
			}
			if missing > 0 && len(damaged.reports) == 0 {
				t.Errorf("%s, flip at %d of %d: %d messages are missing, and nothing was said", name, at, size, missing)
			}
		}
	}
	t.Logf("%d flips: %d opened whole, %d with gaps, %d refused", refused+opened, opened-gaps, gaps, refused)
	if gaps == 0 || refused > opened/2 {
		t.Error("that is not what the test is about")
	}
}

// service is what a store gave.
type service struct {
	messages map[string]int // by topic
	reports  []string
}

// served opens a store, takes what is there, and looks whether what is sent then stays.
func served(t *testing.T, fs vfs.FS) (s service, err error) {
	s.messages = map[string]int{}
	config := newWorldConfig(fs)
	var mu sync.Mutex
	config.Report = func(event string, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			s.reports = append(s.reports, fmt.Sprint(event, ": ", err))
		}
	}
	l, err := New(config)
	if err != nil {
		return s, err
	}
	w := &world{TB: t, fs: fs, config: config, home: turn.New(idle{}), Local: l}
	defer w.close()
	listed, err := w.Catalog().Topics()
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range listed {
		for {
			all := w.pop(topic.Name, "probe", func(op *backend.Pop) { op.MessagesMax = 1000 })
			if len(all) == 0 {
				break
			}
			s.messages[topic.Name] += len(all)
		}
	}
	w.topic("new")
	w.sends("new", "a", "")
	w.restart()
	w.wants(w.pop("new", "another"), "a/0")
	return s, nil
}

func read(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open("store/" + name)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, fs vfs.FS, name string, b []byte) {
	t.Helper()
	f, err := fs.Create("store/"+name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// flipBit damages the middle of the largest table.
func flipBit(t *testing.T, dir string) {
	t.Helper()
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatal("no tables", err)
	}
	var largest string
	var size int64
	for _, name := range tables {
		if info, err := os.Stat(name); err == nil && info.Size() > size {
			largest, size = name, info.Size()
		}
	}
	f, err := os.OpenFile(largest, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	if _, err = f.ReadAt(b, size/2); err == nil {
		b[0] ^= 0x10
		_, err = f.WriteAt(b, size/2)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestManyAtOnce: everybody gets an answer, and exactly what was acknowledged is there.
func TestManyAtOnce(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	w.topic("orders")
	const senders, each = 8, 50
	done := make(chan int)
	for s := range senders {
		go func() {
			n := 0
			for i := range each {
				if op := w.send("orders", fmt.Sprintf("%d-%d", s, i), ""); op.Fault.OK() {
					n++
				}
			}
			done <- n
		}()
	}
	sent := 0
	for range senders {
		sent += <-done
	}
	got := map[string]bool{}
	for len(got) < sent {
		all := w.pop("orders", "readers")
		if len(all) == 0 {
			break
		}
		for _, g := range all {
			if got[g.body] {
				t.Errorf("%s came twice", g.body)
			}
			got[g.body] = true
		}
	}
	if sent != senders*each || len(got) != sent {
		t.Errorf("%d sent, %d received", sent, len(got))
	}
}
