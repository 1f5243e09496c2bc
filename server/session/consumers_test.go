package session

import (
	"maps"
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
)

// TestSubscribed counts consumers that listen, and no one else.
func TestSubscribed(t *testing.T) {
	r := NewRegistry(2 * time.Minute)
	open := func(id string, settings *apiv2.Settings) *Session {
		s := r.Open([]byte(id), now)
		s.Bind(t)
		if settings != nil {
			s.Settle(settings, now)
		}
		return s
	}
	consumer := func(group string) *apiv2.Settings {
		return &apiv2.Settings{PubSub: &apiv2.Settings_Subscription{Subscription: &apiv2.Subscription{Group: &apiv2.Resource{Name: group}}}}
	}
	check := func(want map[string]int) {
		t.Helper()
		if got := r.Subscribed(); !maps.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	check(map[string]int{})
	a, b := open("a", consumer("x")), open("b", consumer("x"))
	open("c", consumer("y"))
	open("d", publishing("x"))
	open("e", nil)
	check(map[string]int{"x": 2, "y": 1})
	a.Unbind(t)
	check(map[string]int{"x": 1, "y": 1})
	r.End(b, now)
	check(map[string]int{"y": 1})
	a.Bind(t)
	a.Settle(consumer("y"), now)
	check(map[string]int{"y": 2})
}
