package session

import (
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
)

// TestLearn: what another proxy says of its client is known, until it is silent or the client is
// ours.
func TestLearn(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	r := NewRegistry(time.Minute)
	first, second := &apiv2.Settings{UserAgent: &apiv2.UA{Version: "1"}}, &apiv2.Settings{UserAgent: &apiv2.UA{Version: "2"}}
	r.Learn("a", first, now)
	a := r.Find([]byte("a"))
	if a == nil || a.Settings() != first || !a.Remote() || a.Live() {
		t.Fatalf("%+v", a)
	}
	r.Learn("a", second, now.Add(30*time.Second))
	r.Sweep(now.Add(80 * time.Second))
	if r.Find([]byte("a")) != a || a.Settings() != second {
		t.Error("it was told of")
	}
	r.Sweep(now.Add(2 * time.Minute))
	if r.Find([]byte("a")) != nil || !a.Ended() {
		t.Error("its proxy is silent")
	}

	r.Learn("b", first, now)
	b := r.Open([]byte("b"), now)
	b.Bind("stream")
	b.Settle(second, now)
	r.Learn("b", first, now)
	r.Unlearn("b", now)
	if b.Remote() || b.Settings() != second || b.Ended() {
		t.Error("it is ours")
	}
	b.Unbind("stream")
	r.Learn("b", first, now)
	if !b.Remote() || b.Settings() != first {
		t.Error("it has moved")
	}
	r.Unlearn("b", now)
	r.Unlearn("nobody", now)
	if !b.Ended() {
		t.Error("it has gone")
	}
}

// TestLearnIsBounded: our own clients always find room.
func TestLearnIsBounded(t *testing.T) {
	r := NewRegistry(time.Minute)
	settings, now := &apiv2.Settings{}, time.Now()
	var id [4]byte
	for i := range remoteMax + 1 {
		id = [4]byte{byte(i), byte(i >> 8), byte(i >> 16), 1}
		r.Learn(string(id[:]), settings, now)
	}
	if r.Len() != remoteMax || r.Find(id[:]) != nil {
		t.Errorf("%d are known", r.Len())
	}
	if r.Open([]byte("ours"), now); r.Len() != remoteMax+1 {
		t.Errorf("%d are known", r.Len())
	}
}
