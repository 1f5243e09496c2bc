package pool

import (
	"sync"
	"testing"
)

func TestBudgetAtItsEdge(t *testing.T) {
	b := NewBudget(100)
	if !b.Take(60) || !b.Take(40) || b.Used() != 100 {
		t.Fatalf("%d of 100 bytes", b.Used())
	}
	if b.Take(1) || b.Used() != 100 || b.Refused() != 1 {
		t.Fatalf("one byte too many; %d are used, %d times refused", b.Used(), b.Refused())
	}
	b.Give(40)
	if b.Take(41) || !b.Take(40) {
		t.Fatal("what was given back is not what may be taken")
	}
	b.Give(100)
	checkPanic(t, "pool: more was given back to a budget than was taken", func() { b.Give(1) })
	var none *Budget
	if !none.Take(1<<40) || none.Used() != 0 || none.Refused() != 0 {
		t.Error("no budget is a bound")
	}
	none.Give(1)
}

// TestBudgetTogether: whoever takes at the same time, it is never exceeded and ends empty.
func TestBudgetTogether(t *testing.T) {
	b := NewBudget(10)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5000 {
				if b.Take(3) {
					b.Give(3)
				}
			}
		})
	}
	wg.Wait()
	if b.Used() != 0 || !b.Take(10) {
		t.Errorf("%d bytes are left", b.Used())
	}
}

// TestMoveLean shares what is a fair part of its block and copies what is not.
func TestMoveLean(t *testing.T) {
	checkLive(t)
	for _, test := range []struct {
		name   string
		block  int
		offset int
		n      int
		copied bool
	}{
		{"all of it", 16 << 10, 0, 16 << 10, false},
		{"an eighth", 16 << 10, 100, 2 << 10, false},
		{"less than an eighth", 16 << 10, 100, 2<<10 - 1, true},
		{"next to nothing", 64 << 10, 5, 1, true},
		{"a small block", 1 << 10, 5, 300, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var from, to Chain
			block := Get(test.block)
			for i := range block.Bytes() {
				block.Bytes()[i] = byte(i)
			}
			first := &block.Bytes()[test.offset]
			want := string(block.Bytes()[test.offset:][:test.n])
			from.Append(ViewOf(block, test.offset, test.block))
			left := from.Len() - test.n
			to.MoveLean(&from, test.n)
			got := to.Views()[0].Bytes()
			if string(to.AppendTo(nil)) != want || from.Len() != left {
				t.Error("other bytes")
			}
			if copied := &got[0] != first; copied != test.copied {
				t.Errorf("copied: %t", copied)
			}
			from.Release()
			to.Release()
		})
	}
}

// TestMoveLeanOverBlocks: it is the sum that counts, and a foreign block as large as was said.
func TestMoveLeanOverBlocks(t *testing.T) {
	checkLive(t)
	var from, to Chain
	var o owner
	whole := Get(16 << 10)
	from.Append(ViewOf(whole, 0, 16<<10))
	foreign := ForeignOf(1<<20, &o)
	from.Append(Kept(foreign, []byte("a few bytes")))
	to.MoveLean(&from, from.Len())
	if o.back != 1 || to.Len() != 16<<10+11 || len(to.Views()) != 1 {
		t.Errorf("%d bytes in %d views, the block went back %d times", to.Len(), len(to.Views()), o.back)
	}
	to.Release()
}
