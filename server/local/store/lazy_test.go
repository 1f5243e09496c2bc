package store

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func numbered(i int) string { return fmt.Sprintf("%05d", i) }

// A commit that does not sync survives the process: the system has it.
func TestLazyCommitSurvivesTheProcess(t *testing.T) {
	mem := vfs.NewCrashableMem()
	s := mustOpen(t, small(mem))
	b := s.NewBatch()
	for i := range 50 {
		b.Reset()
		put(b, numbered(i), numbered(i))
		mustCommit(t, s, b, false)
		left := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))})
		after := mustOpen(t, small(left))
		if n := count(t, after); n != i+1 {
			t.Fatalf("%d of %d commits are left when the process falls", n, i+1)
		}
		mustClose(t, after)
	}
	mustClose(t, s)
}

// When the machine falls, what was not synced may be gone, in any places; the store opens all
// the same, with all that was synced.
func TestLazyCommitsMayBeLostWithTheMachine(t *testing.T) {
	for seed := range uint64(200) {
		mem := vfs.NewCrashableMem()
		s := mustOpen(t, small(mem))
		random := rand.New(rand.NewPCG(seed, 0))
		b := s.NewBatch()
		synced := 0
		for i := range 200 {
			b.Reset()
			put(b, numbered(i), numbered(i)+strings.Repeat("v", random.IntN(2000)))
			sync := random.IntN(40) == 0
			mustCommit(t, s, b, sync)
			if sync {
				synced = i + 1
			}
		}
		left := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(100), RNG: random})
		mustClose(t, s)
		after := mustOpen(t, small(left))
		if n := count(t, after); n < synced {
			t.Errorf("seed %d: %d commits are left, %d were synced", seed, n, synced)
		}
		mustClose(t, after)
	}
}
