package pressure

import (
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"rocketmq-proxy/pool"
)

// world is a Watch of a memory of 1000 bytes.
type world struct {
	*Watch
	level    pool.Pressure
	now      time.Time
	memory   Sample
	garbage  int64 // of memory.Used, until the collector runs
	took     time.Duration
	collects int
	changes  []Change
}

const limit = 1000

func newWorld() *world {
	w := &world{now: time.Unix(1000, 0)}
	w.Watch = New(&w.level, limit, func() Sample { return w.memory }, w.collect, func(c Change) { w.changes = append(w.changes, c) })
	return w
}

func (w *world) collect() time.Duration {
	w.collects++
	w.memory.Used -= w.garbage
	w.memory.Fresh, w.garbage = 0, 0
	return w.took
}

// look looks at so many bytes, so much later.
func (w *world) look(later time.Duration, used, fresh, garbage int64) pool.Level {
	w.now = w.now.Add(later)
	w.memory, w.garbage = Sample{Used: used, Fresh: fresh}, garbage
	w.Look(w.now)
	return w.level.Level()
}

// Every edge, in both directions, from every level.
func TestLevels(t *testing.T) {
	for _, test := range []struct {
		from pool.Level
		used int64
		to   pool.Level
	}{
		{pool.Calm, 799, pool.Calm},
		{pool.Calm, 800, pool.NoPolls},
		{pool.Calm, 899, pool.NoPolls},
		{pool.Calm, 900, pool.NoCalls},
		{pool.Calm, 949, pool.NoCalls},
		{pool.Calm, 950, pool.NoConnections},
		{pool.Calm, 5000, pool.NoConnections},
		{pool.NoPolls, 899, pool.NoPolls},
		{pool.NoPolls, 900, pool.NoCalls},
		{pool.NoPolls, 950, pool.NoConnections},
		{pool.NoPolls, 750, pool.NoPolls},
		{pool.NoPolls, 749, pool.Calm},
		{pool.NoCalls, 949, pool.NoCalls},
		{pool.NoCalls, 950, pool.NoConnections},
		{pool.NoCalls, 850, pool.NoCalls},
		{pool.NoCalls, 849, pool.NoPolls},
		{pool.NoCalls, 749, pool.Calm},
		{pool.NoConnections, 900, pool.NoConnections},
		{pool.NoConnections, 899, pool.NoCalls},
		{pool.NoConnections, 849, pool.NoPolls},
		{pool.NoConnections, 0, pool.Calm},
	} {
		w := newWorld()
		w.level.Set(test.from, 0, 0)
		if got := w.look(0, test.used, 0, 0); got != test.to {
			t.Errorf("%d bytes make %v of %v, want %v", test.used, got, test.from, test.to)
		}
		var want []Change
		if test.from != test.to {
			want = []Change{{test.from, test.to, test.used, limit}}
		}
		if !slices.Equal(w.changes, want) {
			t.Errorf("%d bytes: told %v", test.used, w.changes)
		}
		if used, most := w.level.Bytes(); used != test.used || most != limit {
			t.Errorf("%d of %d bytes are shown", used, most)
		}
	}
}

// A change is told of once, also when memory goes up and down around an edge.
func TestChangesAreToldOnce(t *testing.T) {
	w := newWorld()
	for range 100 {
		w.look(Every, 801, 0, 0)
		w.look(Every, 751, 0, 0)
	}
	w.look(Every, 700, 0, 0)
	if want := []Change{{pool.Calm, pool.NoPolls, 801, limit}, {pool.NoPolls, pool.Calm, 700, limit}}; !slices.Equal(w.changes, want) {
		t.Errorf("told %v", w.changes)
	}
}

// Garbage is no pressure, however often it comes again.
func TestGarbageIsNoPressure(t *testing.T) {
	w := newWorld()
	for range 100 {
		if got := w.look(Every, 990, 400, 400); got != pool.Calm {
			t.Fatalf("%v", got)
		}
	}
	if w.collects != 100 || len(w.changes) != 0 {
		t.Errorf("%d collections, told %v", w.collects, w.changes)
	}
}

// Nothing is collected where there is no pressure, and with pressure as often as it is worth it.
func TestCollections(t *testing.T) {
	w := newWorld()
	w.look(Every, 799, 700, 0)
	if w.collects != 0 {
		t.Error("collected without pressure")
	}
	w.look(Every, 800, 0, 0)
	w.look(Every, 800, 49, 0)
	w.look(collectEvery-Every-1, 800, 49, 0)
	if w.collects != 1 {
		t.Errorf("%d collections, want the first only", w.collects)
	}
	w.look(1, 800, 0, 0)
	if w.collects != 2 {
		t.Error("not collected after a while")
	}
	w.look(Every, 800, 50, 0)
	if w.collects != 3 {
		t.Error("not collected when so much was allocated")
	}
	w.look(Every, 749, 50, 0)
	if w.collects != 3 || w.level.Level() != pool.Calm {
		t.Error("collected when there was no pressure any more")
	}
}

// Collecting takes a twentieth of the time, or less; the level is what can be seen meanwhile.
func TestCollectionsThatTakeLong(t *testing.T) {
	w := newWorld()
	w.took = 200 * time.Millisecond
	w.look(0, 800, 0, 0)
	rest := w.took + collectShare*w.took
	if got := w.look(rest-1, 960, 300, 300); got != pool.NoConnections || w.collects != 1 {
		t.Errorf("%v, %d collections", got, w.collects)
	}
	if got := w.look(1, 960, 300, 300); got != pool.Calm || w.collects != 2 {
		t.Errorf("%v, %d collections", got, w.collects)
	}
}

// What is sampled is the memory of this process: it grows with what is held, and falls with what is garbage.
func TestSampler(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // it runs when we say
	sample := Sampler()
	Collect()
	before := sample()
	const bytes = 64 << 20
	held := make([]byte, bytes)
	for i := 0; i < len(held); i += 4096 {
		held[i] = 1
	}
	with := sample()
	if with.Used-before.Used < bytes/2 || with.Fresh < bytes/2 {
		t.Errorf("%+v, and with %d bytes more %+v", before, bytes, with)
	}
	runtime.KeepAlive(held)
	if took := Collect(); took <= 0 {
		t.Errorf("a collection took %v", took)
	}
	if after := sample(); with.Used-after.Used < bytes/2 || after.Fresh > bytes/2 {
		t.Errorf("with %d bytes %+v, without them %+v", bytes, with, after)
	}
	if n := testing.AllocsPerRun(10, func() { sample() }); n > 0 {
		t.Errorf("a sample allocates %v times", n)
	}
}

// The limit is that of the runtime, wherever it was set.
func TestLimit(t *testing.T) {
	before := debug.SetMemoryLimit(math.MaxInt64)
	defer debug.SetMemoryLimit(before)
	if n := Limit(); n != 0 {
		t.Errorf("%d though there is none", n)
	}
	debug.SetMemoryLimit(1 << 40)
	if n := Limit(); n != 1<<40 || debug.SetMemoryLimit(-1) != n {
		t.Errorf("%d", n)
	}
}

func BenchmarkSample(b *testing.B) {
	sample := Sampler()
	b.ReportAllocs()
	for b.Loop() {
		sample()
	}
}
