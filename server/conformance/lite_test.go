package conformance

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"rocketmq-proxy/server/conformance/cluster"
)

// listensToLite starts a lite push consumer in a group of its own, and subscribes to lite topics.
func (t talk) listensToLite(topic string, fails int, lites ...string) (group string) {
	t.Helper()
	group = t.makeGroup(t.T, cluster.Group{Orderly: true, RetryMax: 16, RestsMs: []int64{1000}, LiteOf: topic})
	t.must("lite", "group", group, "topic", topic, "fail", fails)
	for _, lite := range lites {
		t.must("subscribe", "group", group, "lite", lite)
	}
	return group
}

// sendLite sends count messages in turn to the lite topics: message i to the one at i modulo their number.
func (t talk) sendLite(topic string, count int, lites ...string) {
	t.Helper()
	series := small()
	for i := range count {
		t.must("send", "topic", topic, "seed", series.Seed, "most", series.BytesMost, "index", i, "lite", lites[i%len(lites)])
	}
}

func (t talk) hears(group string, count int, patience time.Duration) []received {
	t.Helper()
	return t.messages(t.mustFor(patience+callPatience, "heard", "group", group, "count", count, "for", patience))
}

// inLite are the indexes that came by a lite topic, with how often each had come, in their order.
func inLite(all []received, lite string) (texts []string) {
	times := map[int]int{}
	for _, m := range all {
		if m.lite == lite {
			times[m.index]++
			texts = append(texts, fmt.Sprintf("%d/%d", m.index, times[m.index]))
		}
	}
	return texts
}

// TestLiteTopicsComeInOrder, each for itself, and none that nobody subscribes to.
func TestLiteTopicsComeInOrder(t *testing.T) {
	eachClientTogether(t, "lite: push consumer", func(t talk) {
		const count = 9
		name := t.topic("LITE")
		group := t.listensToLite(name, 0, "a", "b")
		t.sendLite(name, count, "a", "b", "c")
		all := t.hears(group, 6, 40*time.Second)
		all = t.hears(group, len(all)+1, 2*time.Second) // and no more
		for lite, want := range map[string][]string{"a": {"0/1", "3/1", "6/1"}, "b": {"1/1", "4/1", "7/1"}, "c": nil} {
			if got := inLite(all, lite); !slices.Equal(got, want) {
				t.Errorf("lite topic %s: heard %v, want %v", lite, got, want)
			}
		}
	}, litePushes)
}

// TestLiteTopicUnsubscribed: what is sent afterwards does not come; the other lite topic goes on.
func TestLiteTopicUnsubscribed(t *testing.T) {
	eachClientTogether(t, "lite: unsubscribe", func(t talk) {
		name := t.topic("LITE")
		group := t.listensToLite(name, 0, "a", "b")
		t.sendLite(name, 2, "a", "b")
		if all := t.hears(group, 2, 40*time.Second); len(all) != 2 {
			t.Fatalf("heard %d messages, want 2: %v", len(all), brief(all))
		}
		t.must("unsubscribe", "group", group, "lite", "a")
		t.sendLite(name, 2, "a", "b")
		t.hears(group, 3, 40*time.Second)
		all := t.hears(group, 4, 2*time.Second)
		if got, want := inLite(all, "a"), []string{"0/1"}; !slices.Equal(got, want) {
			t.Errorf("lite topic a: heard %v, want %v", got, want)
		}
		if got, want := inLite(all, "b"), []string{"1/1", "1/2"}; !slices.Equal(got, want) {
			t.Errorf("lite topic b: heard %v, want %v", got, want)
		}
	}, litePushes)
}
