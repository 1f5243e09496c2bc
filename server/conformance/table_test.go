package conformance

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

// table is what a run found out: by feature, target and client.
type table struct {
	mu    sync.Mutex
	cells map[cell]string
	notes map[note]string
}

type cell struct{ feature, target, client string }

type note struct{ feature, language string }

const (
	good    = "ok"
	bad     = "FAIL"
	skipped = "-"
)

// titles are the columns: what each language is called.
var titles = map[string]string{"go": "Go", "java": "Java", "node": "Node.js", "python": "Python", "rust": "Rust", "raw": "stubs"}

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
		c := cell{feature, target, client}
		if before := b.cells[c]; before == "" || before == skipped || result == bad {
			b.cells[c] = result
		}
	})
}

// note says why a client is left out of a feature.
func (b *table) note(feature, language, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.notes == nil {
		b.notes = map[note]string{}
	}
	b.notes[note{feature, language}] = reason
}

// print prints what is known as Markdown: a table of the official clients, a row for each feature and a
// column for each language, the reasons for what is left out, and a table of the rest.
func (b *table) print(w io.Writer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.section(w, "go", "java", "node", "python", "rust")
	reasons := b.reasons()
	for i, reason := range reasons {
		fmt.Fprintf(w, "%d. %s\n", i+1, reason)
	}
	b.section(w, "raw")
	fmt.Fprintln(w)
}

// section prints the features that somebody of the languages was asked for.
func (b *table) section(w io.Writer, languages ...string) {
	features := map[string]bool{}
	for c := range b.cells {
		for _, l := range languages {
			features[c.feature] = features[c.feature] || strings.HasPrefix(c.client, l+"-")
		}
	}
	maps.DeleteFunc(features, func(_ string, has bool) bool { return !has })
	if len(features) == 0 {
		return
	}
	fmt.Fprint(w, "\n| feature |")
	for _, l := range languages {
		fmt.Fprintf(w, " %s |", titles[l])
	}
	fmt.Fprintln(w, "\n|---|"+strings.Repeat("---|", len(languages)))
	for _, f := range slices.Sorted(maps.Keys(features)) {
		fmt.Fprintf(w, "| %s |", f)
		for _, l := range languages {
			fmt.Fprintf(w, " %s |", b.summary(f, l))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w)
}

// reasons are those of all notes, each once; a cell shows their numbers.
func (b *table) reasons() []string {
	return slices.Compact(slices.Sorted(maps.Values(b.notes)))
}

// summary is what a language comes to in a feature: ok when it is on all targets, by cleartext and by
// TLS; if not, it says where not. A number is a reason.
func (b *table) summary(feature, language string) string {
	text := b.result(feature, language)
	if reason, is := b.notes[note{feature, language}]; is {
		text += fmt.Sprintf(" (%d)", slices.Index(b.reasons(), reason)+1)
	}
	return text
}

func (b *table) result(feature, language string) string {
	var goods, bads []string
	for c, result := range b.cells {
		if c.feature != feature || !strings.HasPrefix(c.client, language+"-") {
			continue
		}
		switch result {
		case good:
			goods = append(goods, c.target)
		case bad:
			bads = append(bads, c.target+strings.TrimPrefix(c.client, language))
		}
	}
	switch {
	case len(bads) > 0:
		slices.Sort(bads)
		return bad + " " + strings.Join(bads, ", ")
	case len(goods) == 0:
		return skipped
	}
	slices.Sort(goods)
	if goods = slices.Compact(goods); len(goods) < len(the.targets) {
		return good + " on " + strings.Join(goods, ", ")
	}
	return good
}
