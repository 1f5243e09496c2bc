package store

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const dir = "data"

// small is a configuration that flushes and compacts all the time.
func small(fs vfs.FS) Config {
	return Config{Dir: dir, FS: fs, MemTableBytes: 64 << 10, CacheBytes: 1 << 20}
}

func mustOpen(t testing.TB, c Config) *Store {
	t.Helper()
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustClose(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func mustCommit(t testing.TB, s *Store, b *Batch, sync bool) {
	t.Helper()
	if err := s.Commit(b, sync); err != nil {
		t.Fatal(err)
	}
	b.Reset()
}

func put(b *Batch, k, v string) {
	kb, vb := b.Put(len(k), len(v))
	copy(kb, k)
	copy(vb, v)
}

// newRand makes a source of randomness whose seed a failing test prints.
func newRand(t testing.TB, seed uint64) *rand.Rand {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 1))
}

// history is a random run of commits on one store, one after the other. Commit n leaves n under
// countKey, so that a recovered store says which prefix of the history it holds.
type history struct {
	rng     *rand.Rand
	commits [][]op
	begun   atomic.Int64 // commits given to the store
	acked   atomic.Int64 // of these, the last one that was synced
}

// op is a put, a delete (no value) or a range delete (to is set).
type op struct{ key, value, to string }

const (
	countKey = "count"
	keysMax  = 60
)

func keyName(i int) string { return fmt.Sprintf("k/%03d", i) }

// step makes the next commit and applies it.
func (h *history) step(s *Store, b *Batch) error {
	n := len(h.commits) + 1
	ops := []op{{key: countKey, value: fmt.Sprint(n)}}
	for range 1 + h.rng.IntN(6) {
		k := h.rng.IntN(keysMax)
		switch h.rng.IntN(10) {
		case 0:
			ops = append(ops, op{key: keyName(k), to: keyName(k + 1 + h.rng.IntN(5))})
		case 1, 2:
			ops = append(ops, op{key: keyName(k)})
		default:
			size := h.rng.IntN(900)
			if h.rng.IntN(30) == 0 {
				size = 4<<10 + h.rng.IntN(60<<10)
			}
			value := fmt.Sprintf("%s=%d:%s", keyName(k), n, bytes.Repeat([]byte{byte('a' + n%26)}, size))
			ops = append(ops, op{key: keyName(k), value: value})
		}
	}
	h.commits = append(h.commits, ops)
	for _, o := range ops {
		switch {
		case o.to != "":
			b.DeleteRange([]byte(o.key), []byte(o.to))
		case o.value == "":
			b.Delete([]byte(o.key))
		default:
			put(b, o.key, o.value)
		}
	}
	sync := h.rng.IntN(3) > 0
	h.begun.Store(int64(n))
	err := s.Commit(b, sync)
	b.Reset()
	if err == nil && sync {
		h.acked.Store(int64(n))
	}
	return err
}

// after is what a store holds after the first n commits.
func (h *history) after(n int) map[string]string {
	state := map[string]string{}
	for _, ops := range h.commits[:n] {
		for _, o := range ops {
			switch {
			case o.to != "":
				maps.DeleteFunc(state, func(k, _ string) bool { return k >= o.key && k < o.to })
			case o.value == "":
				delete(state, o.key)
			default:
				state[o.key] = o.value
			}
		}
	}
	return state
}

// read is what a store holds.
func read(s *Store) (map[string]string, error) {
	state := map[string]string{}
	err := s.Scan([]byte{0}, []byte{0xff}, func(k, v []byte) bool {
		state[string(k)] = string(v)
		return true
	})
	return state, err
}

// check says what is wrong with a recovered store that must hold a prefix of at least low and at
// most high commits.
func (h *history) check(s *Store, low, high int64) error {
	state, err := read(s)
	if err != nil {
		return err
	}
	n := 0
	if text, ok := state[countKey]; ok {
		if _, err := fmt.Sscan(text, &n); err != nil {
			return err
		}
	}
	if int64(n) < low || int64(n) > high {
		return fmt.Errorf("%d commits recovered, want %d to %d", n, low, high)
	}
	want := h.after(n)
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if state[k] != want[k] {
			return fmt.Errorf("after commit %d: %s is %.40q, want %.40q", n, k, state[k], want[k])
		}
	}
	for k, v := range state {
		if _, ok := want[k]; !ok {
			return fmt.Errorf("after commit %d: %s is %.40q, want nothing", n, k, v)
		}
	}
	return nil
}

// reports collects what a store reports.
type reports struct {
	mu     sync.Mutex
	events []string
}

func (r *reports) add(event string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, fmt.Sprint(event, ": ", err))
}

func (r *reports) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}
