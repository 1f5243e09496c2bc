package h2_test

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rocketmq-proxy/h2/h2test"
	"rocketmq-proxy/pool"
)

var update = flag.Bool("update", false, "write what was seen into testdata")

// TestConversations runs every testdata file whole, byte by byte, cut at every byte, and in
// random pieces. What is seen must be the same.
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no conversations", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { converse(t, file) })
	}
}

func converse(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := h2test.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	live := pool.Live()
	check := func(how string, pieces h2test.Pieces) [][]string {
		seen, err := h2test.Run(blocks, pieces)
		if err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		for i, b := range blocks {
			if !slices.Equal(seen[i], b.Expect) && !*update {
				t.Fatalf("%s: %s:%d: seen\n%s\nexpected\n%s", how, file, b.Line,
					strings.Join(seen[i], "\n"), strings.Join(b.Expect, "\n"))
			}
		}
		return seen
	}
	seen := check("whole", h2test.Whole)
	if *update {
		rewrite(t, file, string(text), blocks, seen)
		return
	}
	check("byte by byte", h2test.Bytewise)
	for cut := 1; cut < cutMax(blocks); cut++ {
		check("cut in two", func(n int) []int {
			if cut >= n {
				return []int{n}
			}
			return []int{cut, n - cut}
		})
	}
	for seed := range uint64(5) {
		rng := rand.New(rand.NewPCG(seed, 1))
		check("random pieces", func(n int) (sizes []int) {
			for n > 0 {
				piece := 1 + rng.IntN(min(n, 40))
				sizes = append(sizes, piece)
				n -= piece
			}
			return sizes
		})
	}
	if got := pool.Live(); got != live {
		t.Fatalf("%d buffers leaked", got-live)
	}
}

// cutMax is how many cuts make sense: the longest input, within reason.
func cutMax(blocks []h2test.Block) int {
	longest := 0
	for _, b := range blocks {
		n := 0
		for _, s := range b.Steps {
			if s.Verb == "feed" {
				if bytes, err := h2test.Encode(s); err == nil {
					n += len(bytes)
				}
			}
		}
		longest = max(longest, n)
	}
	if testing.Short() {
		return min(longest, 30)
	}
	return min(longest, 300)
}

// rewrite replaces what is expected in file by what was seen.
func rewrite(t *testing.T, file, text string, blocks []h2test.Block, seen [][]string) {
	var out []string
	next, dropping := 0, false
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		if next < len(blocks) && blocks[next].Line == i+1 {
			next++
		}
		switch {
		case trimmed == "----":
			out = append(append(out, line), seen[next-1]...)
			dropping = true
		case trimmed == "":
			dropping = false
			out = append(out, line)
		case !dropping:
			out = append(out, line)
		}
	}
	if err := os.WriteFile(file, []byte(strings.Join(out, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}
