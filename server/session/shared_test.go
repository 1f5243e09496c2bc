package session

import (
	"runtime"
	"testing"
	"time"
)

// TestSharedSettings: clients that say the same, here or at another proxy, have their settings in
// common, and nothing is kept for those who have gone.
func TestSharedSettings(t *testing.T) {
	r := NewRegistry(time.Minute)
	say := func(id string, topics ...string) *Session {
		s := r.Open([]byte(id), now)
		s.Settle(publishing(topics...), now)
		return s
	}
	func() { // so that nothing refers to them afterwards
		a, b, other := say("a", "x", "y"), say("b", "x", "y"), say("c", "x")
		r.Learn("d", publishing("x", "y"), now)
		d := r.Find([]byte("d"))
		if a.Settings() != b.Settings() || a.Settings() != d.Settings() || a.Settings() == other.Settings() {
			t.Errorf("%p %p %p %p, want the first three to be one", a.Settings(), b.Settings(), d.Settings(), other.Settings())
		}
		b.Settle(publishing("z"), now)
		if got := a.Settings().GetPublishing().GetTopics(); len(got) != 2 || got[0].GetName() != "x" {
			t.Errorf("another's new settings made %v of a's", got)
		}
		for _, s := range []*Session{a, b, other, d} {
			r.End(s, now)
		}
	}()
	left := func() int {
		r.shared.mu.Lock()
		defer r.shared.mu.Unlock()
		return len(r.shared.all)
	}
	for until := time.Now().Add(10 * time.Second); left() > 0; runtime.GC() {
		if time.Now().After(until) {
			t.Fatalf("%d settings are still known of clients that have gone", left())
		}
	}
}

// TestSharedSettingsComeBack: what was forgotten in between is not taken for what is in use.
func TestSharedSettingsComeBack(t *testing.T) {
	var table shared
	table.one(publishing("x"))
	runtime.GC() // the cleanup may run now, or later
	again := table.one(publishing("x"))
	runtime.GC()
	if got := table.one(publishing("x")); got != again {
		t.Errorf("%p, want %p", got, again)
	}
	runtime.KeepAlive(again)
}
