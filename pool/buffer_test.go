package pool

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
)

// checkLive fails the test when blocks are out at its end that were not at its beginning.
func checkLive(t *testing.T) {
	t.Helper()
	before := Live()
	t.Cleanup(func() {
		if now := Live(); now != before {
			t.Errorf("%d blocks are out, %d at the beginning", now, before)
		}
	})
}

func checkPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := fmt.Sprint(recover()); got != want {
			t.Errorf("panic %q, want %q", got, want)
		}
	}()
	f()
}

func TestGetSizes(t *testing.T) {
	checkLive(t)
	for _, test := range []struct{ size, block int }{
		{0, 1 << 10}, {1, 1 << 10}, {1 << 10, 1 << 10}, {1<<10 + 1, 4 << 10}, {4 << 20, 4 << 20}, {4<<20 + 1, 4<<20 + 1},
	} {
		b := Get(test.size)
		if b.Cap() != test.block || len(b.Bytes()) != test.block {
			t.Errorf("Get(%d): a block of %d bytes, want %d", test.size, b.Cap(), test.block)
		}
		b.Release()
	}
}

func TestMisusePanics(t *testing.T) {
	// A block of no class: what is misused here must not come back from a pool elsewhere.
	released := func() *Buffer {
		b := Get(4<<20 + 1)
		b.Release()
		return b
	}
	checkPanic(t, "pool: buffer released twice", func() { released().Release() })
	checkPanic(t, "pool: Retain of a released buffer", func() { released().Retain() })
	checkPanic(t, "pool: Share past the end of the chain", func() {
		var from, to Chain
		from.Append(Static([]byte("abc")))
		to.Share(&from, 1, 3)
	})
}

// owner counts how often its block came back.
type owner struct{ back int }

func (o *owner) ReleaseBlock() { o.back++ }

func TestForeignGoesBackOnce(t *testing.T) {
	checkLive(t)
	block, o := []byte("somebody else's"), new(owner)
	b := Foreign(block, o)
	b.Retain()
	b.Release()
	if o.back != 0 {
		t.Fatal("the block went back while a reference was left")
	}
	b.Release()
	if o.back != 1 {
		t.Fatalf("the block went back %d times", o.back)
	}
	if string(block) != "somebody else's" {
		t.Error("the owner's block was written to")
	}
	Foreign(make([]byte, 3), nil).Release()
}

func TestPoison(t *testing.T) {
	if !Invariants {
		t.Skip("needs -tags invariants")
	}
	poisoned := bytes.Repeat([]byte{poison1()}, 1<<10)

	b := Get(10)
	stale := b.Bytes()
	copy(stale, "old bytes")
	b.Release()
	if !bytes.Equal(stale, poisoned) {
		t.Errorf("a released block still has %q", stale[:16])
	}

	var c Chain
	c.Write([]byte("old bytes"))
	stale = c.Views()[0].Bytes()
	c.Release()
	if !bytes.Equal(stale, poisoned[:len(stale)]) {
		t.Errorf("a released view still has %q", stale)
	}

	s := GetScratch()
	s.B = append(s.B, "old bytes"...)
	stale = s.B
	PutScratch(s)
	if !bytes.Equal(stale, poisoned[:len(stale)]) {
		t.Errorf("a scratch that was put back still has %q", stale)
	}
}

// poison1 is one byte of what poison writes; the constant itself exists in one build only.
func poison1() byte {
	b := make([]byte, 1)
	poison(b)
	return b[0]
}

// TestRetainReleaseRace has many goroutines share one block; -race and the count watch.
func TestRetainReleaseRace(t *testing.T) {
	checkLive(t)
	const goroutines, rounds = 8, 2000
	b := Get(64)
	copy(b.Bytes(), "shared")
	var wg sync.WaitGroup
	for range goroutines {
		b.Retain()
		wg.Go(func() {
			defer b.Release()
			for range rounds {
				b.Retain()
				if string(b.Bytes()[:6]) != "shared" {
					t.Error("the bytes changed while they were shared")
				}
				b.Release()
			}
		})
	}
	b.Release()
	wg.Wait()
}

// TestLastReleaseIsOne lets goroutines race for the last reference of a foreign block: its owner
// must hear once.
func TestLastReleaseIsOne(t *testing.T) {
	checkLive(t)
	for range 500 {
		o := new(owner)
		b := Foreign(make([]byte, 8), o)
		var wg sync.WaitGroup
		for range 4 {
			b.Retain()
			wg.Go(b.Release)
		}
		b.Release()
		wg.Wait()
		if o.back != 1 {
			t.Fatalf("the owner heard %d times", o.back)
		}
	}
}

// TestChainsShareAcrossGoroutines is what the proxy does: one chain's bytes are shared into
// others, and each is read and released by a goroutine of its own.
func TestChainsShareAcrossGoroutines(t *testing.T) {
	checkLive(t)
	var from Chain
	for i := range 20 {
		from.Write(bytes.Repeat([]byte{byte('a' + i)}, 700))
	}
	want := string(from.AppendTo(nil))
	var wg sync.WaitGroup
	for i := range 8 {
		to := new(Chain)
		to.Share(&from, i*100, 1000)
		wg.Go(func() {
			if got := string(to.AppendTo(nil)); got != want[i*100:i*100+1000] {
				t.Errorf("chain %d has other bytes", i)
			}
			to.Write([]byte("of its own"))
			to.Release()
		})
	}
	from.Write([]byte("written behind what is shared"))
	from.Release()
	wg.Wait()
}
