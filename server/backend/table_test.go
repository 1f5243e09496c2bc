package backend

import (
	"fmt"
	"maps"
	"sync"
	"testing"
)

func (t *Table[T]) entries() (all map[string]*T) {
	all = map[string]*T{}
	for i := range t.shards {
		if shard := t.shards[i].Load(); shard != nil {
			maps.Copy(all, *shard)
		}
	}
	return all
}

func TestTable(t *testing.T) {
	var table Table[int]
	if table.Get([]byte("a")) != nil {
		t.Error("an empty table holds something")
	}
	one, two := 1, 2
	table.Put("a", &one, 10)
	table.Put("b", &two, 10)
	table.Put("a", &two, 10)
	if table.Get([]byte("a")) != &two || table.Get([]byte("b")) != &two || table.Get([]byte("c")) != nil || table.size.Load() != 2 {
		t.Errorf("%v, size %d", table.entries(), table.size.Load())
	}
	table.Put("b", &one, 10)
	table.Prune(func(v *int) bool { return *v == 1 })
	if table.Get([]byte("b")) != nil || table.Get([]byte("a")) != &two || table.size.Load() != 1 {
		t.Errorf("%v after the pruning, size %d", table.entries(), table.size.Load())
	}
}

// TestTableIsBounded: what was put last is always there, and no more than an entry a shard is
// ever too much.
func TestTableIsBounded(t *testing.T) {
	const most = 100
	var table Table[int]
	for i := range 5000 {
		key := fmt.Sprint("key-", i)
		table.Put(key, &i, most)
		if table.Get([]byte(key)) != &i {
			t.Fatalf("%s was evicted by itself", key)
		}
		if n := len(table.entries()); n != int(table.size.Load()) || n > most+tableShards {
			t.Fatalf("%d entries after %d, size %d", n, i+1, table.size.Load())
		}
	}
}

// TestTableIsReadMeanwhile by any number of others. For -race.
func TestTableIsReadMeanwhile(t *testing.T) {
	var table Table[int]
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
				if v := table.Get(fmt.Append(nil, n)); v != nil && *v != n {
					t.Errorf("%d holds %d", n, *v)
					return
				}
			}
		})
	}
	for round := range 20 {
		for i := range 50 {
			table.Put(fmt.Sprint(i), &i, 40)
		}
		table.Prune(func(v *int) bool { return *v%7 == round%7 })
	}
	close(stop)
	wg.Wait()
}

func TestTableReadsAllocateNothing(t *testing.T) {
	var table Table[int]
	one, key := 1, []byte("a topic with a rather long name")
	table.Put(string(key), &one, 10)
	if got := testing.AllocsPerRun(100, func() { table.Get(key) }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

// Among as many as a large cluster has, and with readers on every processor.
func BenchmarkTableGet(b *testing.B) {
	var table Table[int]
	for i := range 1000 {
		table.Put(fmt.Sprintf("a topic with a rather long name %d", i), &i, 1000)
	}
	key := []byte("a topic with a rather long name 500")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			table.Get(key)
		}
	})
}
