package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"rocketmq-proxy/server/backend"
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
