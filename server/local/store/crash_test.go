package store

import (
	"flag"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

var (
	crashSeed   = flag.Uint64("crash.seed", 1, "first seed of the crash test")
	crashRounds = flag.Int("crash.rounds", 4, "rounds of the crash test")
)

// crasher takes clones of a file system, as a crash would leave it, between its operations.
type crasher struct {
	mem    *vfs.MemFS
	h      *history
	mu     sync.Mutex
	rng    *rand.Rand
	one    int // in how many operations
	clones []crashed
}

// crashed is a file system after a crash, and the commits it may hold.
type crashed struct {
	fs        *vfs.MemFS
	low, high int64
}

func (c *crasher) MaybeError(op errorfs.Op) error {
	if op.Kind.ReadOrWrite() == errorfs.OpIsRead {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rng.IntN(c.one) == 0 {
		c.crash()
	}
	return nil
}

func (c *crasher) String() string { return "crash" }

func (c *crasher) crash() {
	percent := []int{0, 1, 50, 99, 100}[c.rng.IntN(5)]
	low := c.h.acked.Load()
	fs := c.mem.CrashClone(vfs.CrashCloneCfg{
		UnsyncedDataPercent: percent,
		RNG:                 c.rng,
	})
	c.clones = append(c.clones, crashed{fs, low, c.h.begun.Load()})
}

// TestCrash takes the power away at random points of random histories. What was acknowledged is
// there after Open, what was not is there as a prefix in the order of commits or gone, no
// commit in part; and a crash while opening changes nothing of that.
func TestCrash(t *testing.T) {
	points := 0
	rounds := *crashRounds
	if testing.Short() || checked {
		rounds /= 4
	}
	for seed := *crashSeed; seed < *crashSeed+uint64(rounds); seed++ {
		rng := rand.New(rand.NewPCG(seed, 1))
		mem := vfs.NewCrashableMem()
		h := &history{rng: rng}
		c := &crasher{mem: mem, h: h, rng: rand.New(rand.NewPCG(seed, 2)), one: 20}
		s := mustOpen(t, small(errorfs.Wrap(mem, c)))
		b := s.NewBatch()
		for range 60 + rng.IntN(300) {
			if err := h.step(s, b); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		if rng.IntN(2) == 0 {
			mustClose(t, s)
			h.acked.Store(h.begun.Load()) // Close writes all
		} else {
			defer s.Close()
		}
		c.mu.Lock()
		c.crash()
		clones := c.clones
		c.mu.Unlock()

		for i := 0; i < len(clones); i++ {
			points++
			clone := clones[i]
			// Every fifth recovery crashes, too, once.
			var again *crasher
			fs := vfs.FS(clone.fs)
			if i%5 == 0 && i < 1000 {
				again = &crasher{mem: clone.fs, h: &history{}, rng: rand.New(rand.NewPCG(seed, uint64(3+i))), one: 6}
				fs = errorfs.Wrap(fs, again)
			}
			s, err := Open(small(fs))
			if err != nil {
				t.Fatalf("seed %d, crash %d of %d: %v", seed, i, len(clones), err)
			}
			if err := h.check(s, clone.low, clone.high); err != nil {
				t.Fatalf("seed %d, crash %d of %d: %v", seed, i, len(clones), err)
			}
			mustClose(t, s)
			if again != nil && len(clones) < 1000 {
				for _, second := range again.clones {
					clones = append(clones, crashed{second.fs, clone.low, clone.high})
				}
			}
		}
	}
	t.Logf("%d crash points in %d rounds from seed %d", points, rounds, *crashSeed)
}
