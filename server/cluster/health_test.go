package cluster

import (
	"testing"
	"time"

	"rocketmq-proxy/codec/command"
)

// TestLeaveOut is the table of Remoting specification 5.4, at its edges.
func TestLeaveOut(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{
		0: 0, 50 * time.Millisecond: 0, 549 * time.Millisecond: 0,
		550 * time.Millisecond: 2 * time.Second, 1799 * time.Millisecond: 2 * time.Second,
		1800 * time.Millisecond: 5 * time.Second, 2999 * time.Millisecond: 5 * time.Second,
		3 * time.Second: 6 * time.Second, 4999 * time.Millisecond: 6 * time.Second,
		5 * time.Second: 10 * time.Second, 14999 * time.Millisecond: 10 * time.Second,
		15 * time.Second: 30 * time.Second, time.Hour: 30 * time.Second,
	} {
		if got := leaveOut(took); got != want {
			t.Errorf("after %v: %v, want %v", took, got, want)
		}
	}
}

// TestHealth walks through the states above health.
func TestHealth(t *testing.T) {
	const second = time.Second
	start := time.UnixMilli(1_700_000_000_000)
	at := func(d time.Duration) time.Time { return start.Add(d) }
	var h health
	is := func(d time.Duration, want grade) {
		t.Helper()
		if got := h.grade(at(d)); got != want {
			t.Fatalf("after %v it is %d, want %d", d, got, want)
		}
	}
	is(0, fit)
	if h.answered(at(0), 2*second) {
		t.Error("it is back and was not gone")
	}
	is(0, slow)
	is(2*second-time.Millisecond, slow)
	is(2*second, fit)
	for n := range 2 {
		if h.missed(at(3*second), 3, 10*second) {
			t.Errorf("gone after %d", n+1)
		}
	}
	h.answered(at(3*second), 0)
	is(3*second, fit)
	for n := range 5 { // the count began anew
		if left := h.missed(at(4*second), 3, 10*second); left != (n == 2) {
			t.Errorf("miss %d: left %v", n+1, left)
		}
	}
	is(14*second-time.Millisecond, gone)
	if h.claim(at(14*second-time.Millisecond), 10*second) {
		t.Error("it is probed too early")
	}
	is(14*second, due)
	if !h.claim(at(14*second), 10*second) || h.claim(at(14*second), 10*second) {
		t.Error("not one probes it")
	}
	is(14*second, gone)
	if h.missed(at(16*second), 3, 10*second) {
		t.Error("it leaves twice")
	}
	is(26*second-time.Millisecond, gone)
	is(26*second, due)
	if !h.answered(at(27*second), 0) {
		t.Error("it does not come back")
	}
	is(27*second, fit)
	if h.missed(at(28*second), 3, 10*second) {
		t.Error("gone after one, because of what was before")
	}
	is(28*second, fit)
}

// TestFaults is what an answer, or none, means with and without latency.
func TestFaults(t *testing.T) {
	long := time.Now().Add(-20 * time.Second)
	for _, test := range []struct {
		name    string
		latency bool
		does    func(f *Faults, h *health)
		want    grade
	}{
		{"quick", true, func(f *Faults, h *health) { f.answeredBy(h, command.ResponseSuccess, time.Now()) }, fit},
		{"slow", true, func(f *Faults, h *health) { f.answeredBy(h, command.ResponseSuccess, long) }, slow},
		{"busy", true, func(f *Faults, h *health) { f.answeredBy(h, command.ResponseSystemBusy, time.Now()) }, slow},
		{"shutting down", true, func(f *Faults, h *health) { f.answeredBy(h, command.ResponseServiceNotAvailable, time.Now()) }, slow},
		{"refusing a message", true, func(f *Faults, h *health) { f.answeredBy(h, command.ResponseMessageIllegal, time.Now()) }, fit},
		{"silent once", true, func(f *Faults, h *health) { f.missedBy(h) }, gone},
		{"slow, and nobody looks", false, func(f *Faults, h *health) { f.answeredBy(h, command.ResponseSuccess, long) }, fit},
		{"busy, and nobody looks", false, func(f *Faults, h *health) { f.answeredBy(h, command.ResponseSystemBusy, long) }, fit},
		{"silent twice", false, func(f *Faults, h *health) { f.missedBy(h); f.missedBy(h) }, fit},
		{"silent three times", false, func(f *Faults, h *health) { f.missedBy(h); f.missedBy(h); f.missedBy(h) }, gone},
		{"silent and back", false, func(f *Faults, h *health) {
			for range 3 {
				f.missedBy(h)
			}
			f.answeredBy(h, command.ResponseSystemError, long)
		}, fit},
	} {
		f, h := Faults{Latency: test.latency}, new(health)
		if test.does(&f, h); h.grade(time.Now()) != test.want {
			t.Errorf("%s: %d, want %d", test.name, h.grade(time.Now()), test.want)
		}
	}
}
