package conformance

import (
	"testing"
	"time"
)

// lateMostDelay is how long after its time a delayed message comes at the latest: a real broker
// looks at its timers once a second.
const lateMostDelay = 4 * time.Second

// TestDelayedMessagesAreNeverEarly, and come at their time, to the millisecond of the clock where the
// client can say it.
func TestDelayedMessagesAreNeverEarly(t *testing.T) {
	eachClientTogether(t, "delay: never early, soon after", func(t talk) {
		name, group, series := t.topic("DELAY"), freshName(t.T), small()
		t.must("simple", "group", group, "topic", name, "filter", "*", "await", pollAwait)
		t.must("producer", "topic", name)
		due := map[int]time.Time{}
		for i, after := range []time.Duration{2357 * time.Millisecond, 1001 * time.Millisecond, 4500 * time.Millisecond} {
			due[i] = t.kind.dueAfter(time.Second + after)
			t.must("send", "topic", name, "seed", series.Seed, "most", series.BytesMost, "index", i, "due", due[i].UnixMilli())
		}
		latest := time.Duration(0)
		for _, m := range collect(t, group, len(due), 16, true) {
			late := m.at.Sub(due[m.index])
			latest = max(latest, late)
			if late < 0 || late > lateMostDelay {
				t.Errorf("message %d came %v after its time", m.index, late)
			}
			if m.fingerprint != series.At(m.index).Fingerprint() || m.attempt != 1 {
				t.Errorf("message %d is not what was sent: %+v", m.index, m)
			}
			if !m.due.Equal(due[m.index]) {
				t.Errorf("message %d says it was due at %v, want %v", m.index, m.due, due[m.index])
			}
		}
		t.Logf("%d delayed messages came up to %v late, none early", len(due), latest)
	})
}

// TestRecalledMessageStaysAway: a delayed message that was taken back in time does not come; its
// neighbour, due later, does.
func TestRecalledMessageStaysAway(t *testing.T) {
	eachClientTogether(t, "recall of a delayed message", func(t talk) {
		name, group, series := t.topic("DELAY"), freshName(t.T), small()
		t.must("simple", "group", group, "topic", name, "filter", "*", "await", pollAwait)
		t.must("producer", "topic", name)
		due := t.kind.dueAfter(6 * time.Second)
		send := func(index int, due time.Time) (id, handle string) {
			t.Helper()
			a := t.must("send", "topic", name, "seed", series.Seed, "most", series.BytesMost, "index", index, "due", due.UnixMilli())
			return a.Text("id"), a.Text("recall")
		}
		id, handle := send(0, due)
		send(1, due.Add(2*time.Second))
		if handle == "" {
			t.Fatal("a delayed message has no recall handle")
		}
		if recalled := t.must("recall", "topic", name, "recall", handle).Text("id"); recalled != id {
			t.Errorf("recalled message %s, want %s", recalled, id)
		}
		got := collect(t, group, 1, 16, true)
		if len(got) != 1 || got[0].index != 1 {
			t.Errorf("received %+v, want message 1 only", got)
		}
		if more, _ := t.receive(group, 16, 30*time.Second); len(more) != 0 {
			t.Errorf("and then %+v", more)
		}
		if _, err := t.ask("recall", "topic", name, "recall", "nonsense"); err == nil {
			t.Error("a recall handle that is none was taken")
		}
	}, recalls)
}
