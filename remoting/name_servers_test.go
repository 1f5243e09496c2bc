package remoting

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestParseNameServers(t *testing.T) {
	for list, want := range map[string][]string{
		"":                     nil,
		" ; ":                  nil,
		"a:9876":               {"a:9876"},
		"a:9876; b:9876;":      {"a:9876", "b:9876"},
		"a:9876;a:9876":        {"a:9876"},
		"[fe80::1]:9876;b:987": {"[fe80::1]:9876", "b:987"},
	} {
		if got := ParseNameServers(list); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", list, got, want)
		}
	}
}

func TestNameServerIsKeptWhileItWorks(t *testing.T) {
	n := NewNameServers([]string{"a", "b", "c"}, rand.New(rand.NewPCG(1, 1)))
	chosen := n.Chosen()
	n.Failed("not the chosen one")
	if n.Chosen() != chosen {
		t.Fatal("somebody else's failure moved the choice")
	}
	n.Update([]string{"d", "c", "b", "a"})
	if n.Chosen() != chosen || n.Len() != 4 {
		t.Fatal("an update that still lists the chosen one moved the choice")
	}
	n.Update(nil)
	if n.Chosen() != chosen || n.Len() != 4 {
		t.Fatal("an empty update changed something")
	}
	n.Update([]string{"x"})
	if n.Chosen() != "x" {
		t.Fatal("chosen is", n.Chosen())
	}
}

func TestNameServersTakeTurns(t *testing.T) {
	n := NewNameServers([]string{"a", "b", "c"}, rand.New(rand.NewPCG(1, 1)))
	var seen []string
	for range 6 {
		chosen := n.Chosen()
		seen = append(seen, chosen)
		n.Failed(chosen)
		n.Failed(chosen) // a second call that was lost with it
	}
	if !slices.Equal(seen[:3], n.Addrs()) || !slices.Equal(seen[3:], n.Addrs()) {
		t.Fatalf("took turns as %q, want %q twice", seen, n.Addrs())
	}
}

func TestNameServersStartAnywhere(t *testing.T) {
	first := map[string]int{}
	for seed := range uint64(300) {
		first[NewNameServers([]string{"a", "b", "c"}, rand.New(rand.NewPCG(seed, 0))).Chosen()]++
	}
	for addr, n := range first {
		if n < 60 {
			t.Errorf("%s was first %d times of 300", addr, n)
		}
	}
}

func TestNoNameServers(t *testing.T) {
	n := NewNameServers(nil, rand.New(rand.NewPCG(1, 1)))
	n.Failed("")
	if n.Chosen() != "" || n.Len() != 0 {
		t.Fatal(n.Chosen(), n.Len())
	}
}
