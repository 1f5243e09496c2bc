package conformance

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
)

// table is what a run found out: by feature, target and client.
type table struct {
	mu       sync.Mutex
	features []string // in the order in which they came
	cells    map[cell]string
}

type cell struct{ feature, target, client string }

const (
	good    = "ok"
	bad     = "FAIL"
	skipped = "-"
)

// enter notes how a test ends, when it does. A feature with several tests is good when all are.
func (b *table) enter(t *testing.T, feature, target, client string) {
	t.Cleanup(func() {
		result := good
		switch {
		case t.Failed():
			result = bad
		case t.Skipped():
			result = skipped
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.cells == nil {
			b.cells = map[cell]string{}
		}
		if !slices.Contains(b.features, feature) {
			b.features = append(b.features, feature)
		}
		c := cell{feature, target, client}
		if before := b.cells[c]; before == "" || before == skipped || result == bad {
			b.cells[c] = result
		}
	})
}

// print prints one line for each feature.
func (b *table) print(w io.Writer, targets []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.features) == 0 {
		return
	}
	slices.Sort(b.features)
	wide := len("feature")
	for _, f := range b.features {
		wide = max(wide, len(f))
	}
	columns := []string{"go-cleartext", "go-tls", "java-cleartext", "java-tls", "raw-cleartext", "raw-tls"}
	heads := []string{"go", "go tls", "java", "java tls", "stubs", "stubs tls"}
	fmt.Fprintf(w, "\n%-*s", wide, "")
	for _, g := range targets {
		fmt.Fprintf(w, "  | %-*s", len(strings.Join(heads, "  ")), g)
	}
	fmt.Fprintf(w, "\n%-*s", wide, "feature")
	for range targets {
		fmt.Fprintf(w, "  | %s", strings.Join(heads, "  "))
	}
	fmt.Fprintln(w)
	for _, f := range b.features {
		line := fmt.Sprintf("%-*s", wide, f)
		for _, g := range targets {
			line += "  |"
			for i, c := range columns {
				if i > 0 {
					line += " "
				}
				line += fmt.Sprintf(" %-*s", len(heads[i]), b.cells[cell{f, g, c}])
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
	fmt.Fprintln(w)
}
