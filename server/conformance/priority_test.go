package conformance

import (
	"slices"
	"testing"
	"time"
)

// TestPriorities: all messages come, each with its priority. Local mode gives the highest first; a real
// broker keeps priorities in queues of their own, and chooses among these.
func TestPriorities(t *testing.T) {
	eachClientTogether(t, "priority", func(t talk) {
		const count = 5                                                                 // message i has priority i+1
		name, group, series := t.makeTopic(t.T, "PRIORITY", 8), freshName(t.T), small() // a queue for each priority
		t.must("simple", "group", group, "topic", name, "filter", "*", "await", pollAwait)
		for i := range count {
			t.must("send", "topic", name, "seed", series.Seed, "most", series.BytesMost, "index", i, "priority", i+1)
		}
		var got []int
		for _, m := range collect(t, group, count, 16, true) {
			got = append(got, m.index)
			if m.fingerprint != series.At(m.index).Fingerprint() {
				t.Errorf("message %d is not what was sent: %+v", m.index, m)
			}
			if m.priority != m.index+1 && t.kind.language != "go" { // whose view hides it
				t.Errorf("message %d has priority %d, want %d", m.index, m.priority, m.index+1)
			}
		}
		if t.local() && !slices.Equal(got, []int{4, 3, 2, 1, 0}) {
			t.Errorf("received in the order %v, want the highest priority first", got)
		}
		slices.Sort(got)
		if !slices.Equal(got, []int{0, 1, 2, 3, 4}) {
			t.Errorf("received %v", got)
		}
		if more, _ := t.receive(group, 16, 30*time.Second); len(more) != 0 {
			t.Errorf("and then %v", brief(more))
		}
	}, priorities)
}
