// Package steady is for tests of what a walk of the code costs once it has been gone often: which
// allocations it makes, and how long it takes. Nothing but tests imports it.
package steady

import (
	"runtime/debug"
	"testing"
)

// AllocateNothing fails for each walk that allocates.
func AllocateNothing(t *testing.T, walks map[string]func()) {
	t.Helper()
	for name, walk := range walks {
		if n := testing.AllocsPerRun(100, walk); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// Benchmark has a benchmark for each walk, with its allocations.
func Benchmark(b *testing.B, walks map[string]func()) {
	for name, walk := range walks {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				walk()
			}
		})
	}
}

// KeepPools has nothing taken from a sync.Pool until the test ends: a collection empties them. Under
// [Race] they lose things anyhow, so the test is skipped.
func KeepPools(t *testing.T) {
	t.Helper()
	if Race {
		t.Skip("sync.Pool drops at random under the race detector")
	}
	before := debug.SetGCPercent(-1)
	t.Cleanup(func() { debug.SetGCPercent(before) })
}
