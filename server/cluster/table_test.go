package cluster

import (
	"fmt"
	"maps"
	"sync"
	"testing"
)

func (t *table[T]) entries() (all map[string]*T) {
	all = map[string]*T{}
	for i := range t.shards {
		if shard := t.shards[i].Load(); shard != nil {
			maps.Copy(all, *shard)
		}
	}
	return all
}

func TestTable(t *testing.T) {
	var table table[int]
	if table.get([]byte("a")) != nil {
		t.Error("an empty table holds something")
	}
	one, two := 1, 2
	table.put("a", &one, 10)
	table.put("b", &two, 10)
	table.put("a", &two, 10)
	if table.get([]byte("a")) != &two || table.get([]byte("b")) != &two || table.get([]byte("c")) != nil || table.size.Load() != 2 {
		t.Errorf("%v, size %d", table.entries(), table.size.Load())
	}
	table.put("b", &one, 10)
	table.prune(func(v *int) bool { return *v == 1 })
	if table.get([]byte("b")) != nil || table.get([]byte("a")) != &two || table.size.Load() != 1 {
		t.Errorf("%v after the pruning, size %d", table.entries(), table.size.Load())
	}
}

// TestTableIsBounded: what was put last is always there, and no more than an entry a shard is
// ever too much.
func TestTableIsBounded(t *testing.T) {
	const most = 100
	var table table[int]
	for i := range 5000 {
		key := fmt.Sprint("key-", i)
		table.put(key, &i, most)
		if table.get([]byte(key)) != &i {
			t.Fatalf("%s was evicted by itself", key)
		}
		if n := len(table.entries()); n != int(table.size.Load()) || n > most+tableShards {
			t.Fatalf("%d entries after %d, size %d", n, i+1, table.size.Load())
		}
	}
}

// TestTableIsReadMeanwhile by any number of others. For -race.
func TestTableIsReadMeanwhile(t *testing.T) {
	var table table[int]
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				n := i % 50
				if v := table.get(fmt.Append(nil, n)); v != nil && *v != n {
					t.Errorf("%d holds %d", n, *v)
					return
				}
			}
		})
	}
	for round := range 20 {
		for i := range 50 {
			table.put(fmt.Sprint(i), &i, 40)
		}
		table.prune(func(v *int) bool { return *v%7 == round%7 })
	}
	close(stop)
	wg.Wait()
}

func TestTableReadsAllocateNothing(t *testing.T) {
	var table table[int]
	one, key := 1, []byte("a topic with a rather long name")
	table.put(string(key), &one, 10)
	if got := testing.AllocsPerRun(100, func() { table.get(key) }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}
