package local

import (
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"rocketmq-proxy/server/local/broker"
	"rocketmq-proxy/server/local/broker/brokertest"
	"rocketmq-proxy/server/local/store"
)

var (
	crashSeed  = flag.Uint64("crash.seed", 0, "play only the workload of this seed")
	crashSeeds = flag.Uint64("crash.seeds", 5, "how many workloads are played, of 100 crashes each")
)

// TestCrash plays random workloads on the broker and the store of Local mode, on a file system
// that forgets what was not synced, or any part of it, whenever it crashes. A model of what was
// acknowledged says what must be there afterwards. Ten thousand crashes of the broker alone are
// in package broker.
func TestCrash(t *testing.T) {
	from, count := uint64(1), *crashSeeds
	switch {
	case *crashSeed != 0:
		from, count = *crashSeed, 1
	case testing.Short():
		count = 2
	}
	var all brokertest.Result
	for seed := from; seed < from+count; seed++ {
		disk := newCrashDisk(t, seed)
		r, err := brokertest.Workload{Seed: seed, Crashes: 100, Steps: 25, Disk: disk}.Play()
		disk.end()
		if err != nil {
			t.Fatalf("go test -run TestCrash -crash.seed %d: %v", seed, err)
		}
		all.Crashes, all.Operations = all.Crashes+r.Crashes, all.Operations+r.Operations
		all.Sent, all.Delivered = all.Sent+r.Sent, all.Delivered+r.Delivered
	}
	t.Logf("%d crashes, %d operations, %d sent, %d delivered", all.Crashes, all.Operations, all.Sent, all.Delivered)
}

// crashDisk is a store on a file system that crashes.
type crashDisk struct {
	testing.TB
	rng    *rand.Rand
	fs     *vfs.MemFS
	store  *store.Store
	cursor *store.Cursor
}

func newCrashDisk(tb testing.TB, seed uint64) *crashDisk {
	d := &crashDisk{TB: tb, rng: rand.New(rand.NewPCG(seed, 7)), fs: vfs.NewCrashableMem()}
	d.open()
	return d
}

func (d *crashDisk) open() {
	d.Helper()
	s, err := store.Open(store.Config{Dir: "store", FS: d.fs})
	if err != nil {
		d.Fatal(err)
	}
	d.store, d.cursor = s, s.Cursor()
}

func (d *crashDisk) end() {
	d.cursor.Close()
	if err := d.store.Close(); err != nil {
		d.Error(err)
	}
}

// Store implements brokertest.Disk.
func (d *crashDisk) Store() broker.Store { return reader{d.store, d.cursor} }

// Batch implements brokertest.Disk.
func (d *crashDisk) Batch() broker.Batch { return d.store.NewBatch() }

// Commit implements brokertest.Disk.
func (d *crashDisk) Commit(b broker.Batch) error { return d.store.Commit(b.(*store.Batch), true) }

// Crash implements brokertest.Disk: of what was not synced nothing, something or all is left.
func (d *crashDisk) Crash() error {
	left := []int{0, 1, 50, 99, 100}[d.rng.IntN(5)]
	after := d.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: left, RNG: d.rng})
	d.end()
	d.fs = after
	d.open()
	return nil
}
