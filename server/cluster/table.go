package cluster

import (
	"hash/maphash"
	"maps"
	"sync"
	"sync/atomic"
)

// table is a map for many readers and few writers: reading is an atomic load and a look-up,
// without a lock and without turning the key into a string. Writing copies a shard.
type table[T any] struct {
	seed   maphash.Seed
	once   sync.Once
	mu     sync.Mutex // writers
	size   atomic.Int64
	shards [tableShards]atomic.Pointer[map[string]*T]
}

// tableShards bounds what one write copies to a 64th of the table.
const tableShards = 64

func (t *table[T]) shard(key []byte) *atomic.Pointer[map[string]*T] {
	t.once.Do(func() { t.seed = maphash.MakeSeed() })
	return &t.shards[maphash.Bytes(t.seed, key)%tableShards]
}

// get returns what is stored under key, nil when nothing is.
func (t *table[T]) get(key []byte) *T {
	if entries := t.shard(key).Load(); entries != nil {
		return (*entries)[string(key)]
	}
	return nil
}

// put stores value under key. When that makes the table larger than sizeMax some other entry
// goes.
func (t *table[T]) put(key string, value *T, sizeMax int) {
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

// prune drops every entry that is stale.
func (t *table[T]) prune(stale func(*T) bool) {
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
