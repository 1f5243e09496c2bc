package pool

import (
	"testing"

	"rocketmq-proxy/pool/steady"
)

// hot are the walks that must not allocate once the pools are full.
func hot() map[string]func() {
	var in, out, kept Chain
	head, scratch, room := []byte("a head of some bytes"), make([]byte, 64), make([]byte, 0, 1024)
	budget := NewBudget(1 << 20)
	return map[string]func(){
		"Get and Release of 256 bytes": func() { Get(256).Release() },
		"Get and Release of 64 KiB":    func() { Get(64 << 10).Release() },
		"Retain and Release": func() {
			b := Get(256)
			b.Retain()
			b.Release()
			b.Release()
		},
		"a message on its way through": func() {
			b := Get(300)
			in.Append(ViewOf(b, 0, 300))
			_ = in.Front(9, scratch)
			in.Discard(9)
			kept.MoveFront(&in, 200)
			out.Write(head)
			out.Share(&kept, 10, 100)
			out.AppendChain(&in)
			kept.Release()
			r := NewCursor(&out)
			_ = r.Uint32()
			r.Skip(10)
			_ = r.Bytes(30, scratch)
			out.Discard(out.Len())
		},
		"small writes": func() {
			for range 16 {
				out.Write(head)
			}
			out.Release()
		},
		"Reserve and Commit": func() {
			out.Commit(append(out.Reserve(len(head)), head...))
			out.Release()
		},
		"AppendTo": func() {
			out.Write(head)
			room = out.AppendTo(room[:0])
			room = out.AppendRange(room, 2, 5)
			out.Release()
		},
		"MoveLean": func() {
			in.Write(head)
			kept.MoveLean(&in, len(head))
			kept.Release()
		},
		"a scratch": func() {
			s := GetScratch()
			s.B = append(s.B, head...)
			PutScratch(s)
		},
		"a budget": func() {
			if !budget.Take(256) {
				panic("budget")
			}
			budget.Give(256)
		},
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	if steady.Race || Invariants {
		t.Skip("sync.Pool drops things under -race")
	}
	for name, walk := range hot() {
		for range 100 {
			walk() // fill the pools
		}
		if allocs := testing.AllocsPerRun(1000, walk); allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

func BenchmarkPool(b *testing.B) {
	steady.Benchmark(b, hot())
}
