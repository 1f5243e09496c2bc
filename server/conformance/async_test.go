package conformance

import (
	"testing"

	"rocketmq-proxy/server/conformance/content"
)

// TestAsyncSend: many sends on their way at a time, each of them acknowledged, and each message there.
func TestAsyncSend(t *testing.T) {
	eachClientTogether(t, "normal: async send", func(t talk) {
		const count, inflight = 200, 32
		name, group := t.topic("NORMAL"), freshName(t.T)
		series := content.Series{Seed: seed(), BytesMost: 64 << 10}
		t.must("simple", "group", group, "topic", name, "filter", "*", "await", pollAwait)
		answer := t.must("send-series", "topic", name, "seed", series.Seed, "most", series.BytesMost, "count", count, "inflight", inflight)
		if answer.Int("sent") != count || answer.Int("failed") != 0 {
			t.Errorf("sent %d of %d, %d failed: %s", answer.Int("sent"), count, answer.Int("failed"), answer.Text("failure"))
		}
		times := map[int]int{}
		for _, m := range collect(t, group, count, 32, true) {
			if times[m.index]++; times[m.index] > 1 || m.fingerprint != series.At(m.index).Fingerprint() {
				t.Errorf("message %d came %d times, the last as %+v", m.index, times[m.index], m)
			}
		}
		if len(times) != count {
			t.Errorf("received %d different messages of %d", len(times), count)
		}
	})
}
