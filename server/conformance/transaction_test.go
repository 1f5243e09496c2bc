package conformance

import (
	"slices"
	"testing"
	"time"
)

// checkedMost is how long it takes until a half message was asked about and committed: the
// broker's round of checks, and what the machine is busy with.
const checkedMost = 45 * time.Second

// half sends a half message.
func (t talk) half(topic string, index int, verdict, check string) string {
	t.Helper()
	series := small()
	return t.must("transact", "topic", topic, "seed", series.Seed, "most", series.BytesMost, "index", index,
		"verdict", verdict, "check", check).Text("id")
}

// comes waits for messages of the given indexes, and that no others come.
func (t talk) comes(group string, patience time.Duration, want ...int) {
	t.Helper()
	var got []int
	for deadline := time.Now().Add(patience); len(got) < len(want) && time.Now().Before(deadline); {
		messages, _ := t.receive(group, 16, 30*time.Second)
		for _, m := range messages {
			t.must("ack", "group", group, "id", m.id)
			got = append(got, m.index)
		}
	}
	more, _ := t.receive(group, 16, 30*time.Second)
	for _, m := range more {
		got = append(got, m.index)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("received %v, want %v", got, want)
	}
}

// TestTransactionsAreCommittedAndRolledBack by their producer, at once.
func TestTransactionsAreCommittedAndRolledBack(t *testing.T) {
	eachClientTogether(t, "transaction: commit and rollback", func(t talk) {
		name, group := t.topic("TRANSACTION"), freshName(t.T)
		t.must("simple", "group", group, "topic", name, "filter", "*", "await", pollAwait)
		t.half(name, 0, "rollback", "unknown")
		t.half(name, 1, "commit", "unknown")
		t.half(name, 2, "none", "unknown")
		t.half(name, 3, "commit", "unknown")
		t.comes(group, 20*time.Second, 1, 3)
	})
}

// TestUndecidedTransactionsAreAskedAbout: a producer that says nothing is asked; one that does
// not know is asked again.
func TestUndecidedTransactionsAreAskedAbout(t *testing.T) {
	eachClientTogether(t, "transaction: undecided, asked about", func(t talk) {
		for _, c := range []struct {
			check string
			asked int
			want  []int
		}{
			{"commit", 1, []int{0}},
			{"rollback", 1, nil},
			{"unknown,unknown,commit", 3, []int{0}},
		} {
			name, group := t.topic("TRANSACTION"), freshName(t.T)
			t.must("simple", "group", group, "topic", name, "filter", "*", "await", pollAwait)
			id := t.half(name, 0, "none", c.check)
			for deadline := time.Now().Add(checkedMost); t.must("asked", "topic", name).Int("count") < c.asked; {
				if time.Now().After(deadline) {
					t.Fatalf("checker %q was asked %d times in %v, want %d", c.check, t.must("asked", "topic", name).Int("count"), checkedMost, c.asked)
				}
				time.Sleep(50 * time.Millisecond)
			}
			t.comes(group, checkedMost, c.want...)
			about := t.must("asked", "topic", name)
			if len(about.All("id")) != c.asked || about.Text("id") != id {
				t.Errorf("checker %q was asked about %v, want %d times %s", c.check, about.All("id"), c.asked, id)
			}
		}
	})
}

// TestOrphanedTransactionIsAskedAboutElsewhere: the producer is killed, and another one of the
// topic is asked.
func TestOrphanedTransactionIsAskedAboutElsewhere(t *testing.T) {
	eachClientTogether(t, "transaction: orphan check after a kill", func(t talk) {
		name, group := t.topic("TRANSACTION"), freshName(t.T)
		t.must("simple", "group", group, "topic", name, "filter", "*", "await", pollAwait)
		dying := startClient(t.T, t.target, t.kind)
		dying.half(name, 0, "none", "unknown")
		dying.client.Kill()
		t.must("producer", "topic", name, "check", "commit")
		t.comes(group, checkedMost, 0)
	})
}
