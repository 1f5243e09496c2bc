package conformance

import (
	"slices"
	"testing"
	"time"
)

// TestFilterBySQL92 with numbers, texts, what is not there, and the tag.
func TestFilterBySQL92(t *testing.T) {
	t.Parallel()
	// Message i has weight=i, colour=red for even i and blue for odd ones, and fresh=TRUE for
	// those below 4; tags go round from tag-0 to tag-6.
	const count = 12
	for _, c := range []struct {
		name, filter string
		want         []int
	}{
		{"numbers", "weight BETWEEN 3 AND 5 OR weight > 10", []int{3, 4, 5, 11}},
		{"texts", "colour IN ('blue', 'green') AND weight < 6", []int{1, 3, 5}},
		{"null", "fresh IS NOT NULL AND NOT (colour = 'red')", []int{1, 3}},
		{"unknown is not true", "fresh = TRUE OR absent > 3", []int{0, 1, 2, 3}},
		{"tag", "TAGS = 'tag-2' AND weight <> 2", []int{9}},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachClientTogether(t, "filter by SQL92", func(t talk) {
				name, group, series := t.topic("NORMAL"), freshName(t.T), small()
				t.must("simple", "group", group, "topic", name, "filter", c.filter, "sql", true, "await", pollAwait)
				for i := range count {
					pairs := []any{"topic", name, "seed", series.Seed, "most", series.BytesMost, "index", i,
						"p.weight", i, "p.colour", []string{"red", "blue"}[i%2]}
					if i < 4 {
						pairs = append(pairs, "p.fresh", "true")
					}
					t.must("send", pairs...)
				}
				var got []int
				for _, m := range collect(t, group, len(c.want), 16, true) {
					got = append(got, m.index)
				}
				more, _ := t.receive(group, 16, 30*time.Second)
				for _, m := range more {
					got = append(got, m.index)
				}
				slices.Sort(got)
				if !slices.Equal(got, c.want) {
					t.Errorf("%s lets %v through, want %v", c.filter, got, c.want)
				}
			})
		})
	}
}

// TestPushFilters by tag and by SQL92.
func TestPushFilters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		feature, filter string
		sql             bool
		want            []int
	}{
		{"filter by tag: push consumer", "tag-1||tag-3", false, []int{1, 3, 8, 10}},
		{"filter by SQL92: push consumer", "weight > 7 AND weight < 10", true, []int{8, 9}},
	} {
		t.Run(c.feature, func(t *testing.T) {
			eachClientTogether(t, c.feature, func(t talk) {
				name, group, series := t.topic("NORMAL"), freshName(t.T), small()
				t.must("listen", "group", group, "topic", name, "filter", c.filter, "sql", c.sql)
				for i := range 12 {
					t.must("send", "topic", name, "seed", series.Seed, "most", series.BytesMost, "index", i, "p.weight", i)
				}
				var got []int
				t.must("heard", "group", group, "count", len(c.want), "for", 25*time.Second)
				for _, m := range t.messages(t.must("heard", "group", group, "count", len(c.want)+1, "for", time.Second)) {
					got = append(got, m.index)
				}
				slices.Sort(got)
				if !slices.Equal(got, c.want) {
					t.Errorf("%s lets %v through, want %v", c.filter, got, c.want)
				}
			}, pushes)
		})
	}
}
