package backend

import (
	"hash/maphash"
	"maps"
	"sync"
	"sync/atomic"
)

// Table is a map for many readers and few writers, in which a backend publishes what client
// turns look up: reading is an atomic load and a look-up, without a lock and without turning
// the key into a string. Writing copies a shard. The zero Table is empty.
type Table[T any] struct {
	seed   maphash.Seed
	once   sync.Once
	mu     sync.Mutex // writers
	size   atomic.Int64
	shards [tableShards]atomic.Pointer[map[string]*T]
}

// tableShards bounds what one write copies to a 64th of the table.
const tableShards = 64

func (t *Table[T]) shard(key []byte) *atomic.Pointer[map[string]*T] {
	t.once.Do(func() { t.seed = maphash.MakeSeed() })
	return &t.shards[maphash.Bytes(t.seed, key)%tableShards]
}

// Get returns what is stored under key, nil when nothing is.
func (t *Table[T]) Get(key []byte) *T {
	if entries := t.shard(key).Load(); entries != nil {
		return (*entries)[string(key)]
	}
	return nil
}

// Put stores value under key. When that makes the table larger than sizeMax some other entry
// goes.
func (t *Table[T]) Put(key string, value *T, sizeMax int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.shard([]byte(key))
	entries := make(map[string]*T)
	if old := at.Load(); old != nil {
		entries = maps.Clone(*old)
	}
	before := len(entries)
	entries[key] = value
	if int(t.size.Load()) >= sizeMax && len(entries) > before {
		for other := range entries {
			if other != key {
				delete(entries, other)
				break
			}
		}
	}
	t.size.Add(int64(len(entries) - before))
	at.Store(&entries)
}

// Delete drops the entry of key.
func (t *Table[T]) Delete(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := t.shard([]byte(key))
	old := at.Load()
	if old == nil || (*old)[key] == nil {
		return
	}
	entries := maps.Clone(*old)
	delete(entries, key)
	t.size.Add(-1)
	at.Store(&entries)
}

// Prune drops every entry that is stale.
func (t *Table[T]) Prune(stale func(*T) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.shards {
		old := t.shards[i].Load()
		if old == nil {
			continue
		}
		entries := maps.Clone(*old)
		maps.DeleteFunc(entries, func(_ string, v *T) bool { return stale(v) })
		if len(entries) != len(*old) {
			t.size.Add(int64(len(entries) - len(*old)))
			t.shards[i].Store(&entries)
		}
	}
}
