package pool

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// model is a chain and what it must hold.
type model struct {
	chain Chain
	want  []byte
}

func (m *model) check(t *testing.T, what string) {
	t.Helper()
	if m.chain.Len() != len(m.want) {
		t.Fatalf("%s: %d bytes, want %d", what, m.chain.Len(), len(m.want))
	}
	if got := m.chain.AppendTo(nil); !bytes.Equal(got, m.want) {
		t.Fatalf("%s: other bytes than in the model", what)
	}
	for _, v := range m.chain.Views() {
		if v.Len() == 0 {
			t.Fatalf("%s: an empty view", what)
		}
	}
}

// TestChainAgainstModel does random operations to two chains and to plain slices. A failure
// names its seed.
func TestChainAgainstModel(t *testing.T) {
	checkLive(t)
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 0))
		var a, b model
		for range 200 {
			what := randomStep(rng, &a, &b)
			a.check(t, what)
			b.check(t, what)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
			a, b = b, a
		}
		a.chain.Release()
		b.chain.Release()
	}
}

// randomStep does one thing to a, perhaps with the help of b.
func randomStep(rng *rand.Rand, a, b *model) string {
	upTo := func(n int) int { return rng.IntN(n + 1) }
	fill := func(p []byte) []byte {
		for i := range p {
			p[i] = byte(rng.Uint32())
		}
		return p
	}
	switch rng.IntN(9) {
	case 0:
		p := fill(make([]byte, upTo(300)))
		a.chain.Write(p)
		a.want = append(a.want, p...)
		return "Write"
	case 1:
		buf := Get(upTo(5000))
		from := rng.IntN(1000)
		to := from + upTo(buf.Cap()-from)
		fill(buf.Bytes()[from:to])
		a.want = append(a.want, buf.Bytes()[from:to]...)
		a.chain.Append(ViewOf(buf, from, to))
		return "Append"
	case 2:
		p := fill(make([]byte, upTo(50)))
		a.chain.Append(Static(p))
		a.want = append(a.want, p...)
		return "Append of Static"
	case 3:
		n := upTo(len(a.want))
		a.chain.Discard(n)
		a.want = a.want[n:]
		return "Discard"
	case 4:
		n := upTo(len(b.want))
		a.chain.MoveFront(&b.chain, n)
		a.want, b.want = append(a.want, b.want[:n]...), b.want[n:]
		return "MoveFront"
	case 5:
		from := upTo(len(b.want))
		n := min(upTo(len(b.want)-from), 2000)
		a.chain.Share(&b.chain, from, n)
		a.want = append(a.want, b.want[from:from+n]...)
		return "Share"
	case 6:
		if rng.IntN(4) > 0 {
			return "nothing"
		}
		a.chain.AppendChain(&b.chain)
		a.want, b.want = append(a.want, b.want...), nil
		return "AppendChain"
	case 7:
		// An encoder that keeps to its reservation, or outgrows it.
		reserved, p := upTo(5000), fill(make([]byte, upTo(6000)))
		a.chain.Commit(append(a.chain.Reserve(reserved), p...))
		a.want = append(a.want, p...)
		return "Reserve and Commit"
	default:
		if rng.IntN(8) == 0 {
			a.chain.Release()
			a.want = nil
			return "Release"
		}
		a.chain.Trim()
		return "Trim"
	}
}

func TestFront(t *testing.T) {
	checkLive(t)
	var c Chain
	defer c.Release()
	for _, part := range []string{"012", "345", "678"} {
		b := Get(3)
		c.Append(ViewOf(b, 0, copy(b.Bytes(), part)))
	}
	scratch := make([]byte, 9)
	for n, want := range []string{"", "0", "01", "012", "0123", "01234", "012345", "0123456", "01234567", "012345678"} {
		got := c.Front(n, scratch)
		if string(got) != want {
			t.Errorf("Front(%d) is %q", n, got)
		}
		if inside := n > 0 && &got[0] == &c.Views()[0].Bytes()[0]; inside != (n > 0 && n <= 3) {
			t.Errorf("Front(%d): borrowed from the block: %v", n, inside)
		}
	}
	if c.Front(10, scratch) != nil {
		t.Error("Front past the end is not nil")
	}
	if c.Len() != 9 {
		t.Error("Front consumed")
	}
}

// TestWritesOfATurnLeaveInOneView is why the room exists: many small heads, one view.
func TestWritesOfATurnLeaveInOneView(t *testing.T) {
	checkLive(t)
	var c Chain
	defer c.Release()
	for range 100 {
		c.Write([]byte("a small head"))
	}
	if n := len(c.Views()); n != 1 {
		t.Errorf("%d views, want 1", n)
	}
}

// TestConsumedViewsDoNotPileUp is a connection that reads for long and whose frames never end
// where a read ended: its chain must not grow for ever.
func TestConsumedViewsDoNotPileUp(t *testing.T) {
	read := Static([]byte("0123456789"))
	for name, consume := range map[string]func(c *Chain, n int){
		"Discard":   (*Chain).Discard,
		"MoveFront": func(c *Chain, n int) { var to Chain; to.MoveFront(c, n); to.Release() },
	} {
		t.Run(name, func(t *testing.T) {
			var c Chain
			c.Append(read)
			consume(&c, 5)
			for range 10_000 {
				c.Append(read)
				consume(&c, 10) // the second half of one read and the first half of the next
			}
			if kept := cap(c.views); kept > 16*compactViewsMin {
				t.Errorf("a chain of %d view keeps room for %d", len(c.Views()), kept)
			}
			c.Release()
		})
	}
}

func TestAppendRange(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	p := []byte("0123456789abcdefghijklmnopqrstuvwxyz")
	for range 200 {
		c := chopped(rng, p)
		from := rng.IntN(len(p) + 1)
		n := rng.IntN(len(p) - from + 1)
		if got, want := string(c.AppendRange([]byte("#"), from, n)), "#"+string(p[from:from+n]); got != want {
			t.Fatalf("AppendRange(%d, %d) is %q, want %q", from, n, got, want)
		}
		if c.Len() != len(p) {
			t.Fatal("the chain lost bytes")
		}
	}
}
