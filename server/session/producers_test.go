package session

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
)

func publishing(topics ...string) *apiv2.Settings {
	p := &apiv2.Publishing{}
	for _, topic := range topics {
		p.Topics = append(p.Topics, &apiv2.Resource{Name: topic})
	}
	return &apiv2.Settings{PubSub: &apiv2.Settings_Publishing{Publishing: p}}
}

// asked are the clients that are asked about a topic, one after the other.
func asked(r *Registry, topic string, times int) string {
	var all []string
	for range times {
		if s := r.Producer(topic); s != nil {
			all = append(all, s.ID)
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// TestProducer goes around those who publish to a topic and listen.
func TestProducer(t *testing.T) {
	r := NewRegistry(2 * time.Minute)
	open := func(id string, topics ...string) *Session {
		s := r.Open([]byte(id), now)
		s.Bind(t)
		s.Settle(publishing(topics...), now)
		return s
	}
	a, b, c := open("a", "x", "y", "x"), open("b", "x"), open("c", "x")
	open("d")
	check := func(want ...string) {
		t.Helper()
		got := []string{asked(r, "x", 6), asked(r, "y", 2), asked(r, "z", 2)}
		topics := r.Published()
		slices.Sort(topics)
		if got = append(got, fmt.Sprint(topics)); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	check("a a b b c c", "a a", "", "[x y]")
	b.Unbind(t)
	check("a a a c c c", "a a", "", "[x y]")
	b.Bind(t)
	a.Settle(publishing("y", "z"), now)
	check("b b b c c c", "a a", "a a", "[x y z]")
	r.End(c, now)
	c.Settle(publishing("z"), now) // too late
	check("b b b b b b", "a a", "a a", "[x y z]")
	a.Settle(&apiv2.Settings{}, now) // is no producer any more
	check("b b b b b b", "", "", "[x]")
	b.Unbind(t)
	r.Sweep(now.Add(time.Hour))
	check("", "", "", "[]")
}
