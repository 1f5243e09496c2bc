package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// TestGrowth holds the worst throughput along an axis against the best, peer by peer.
func TestGrowth(t *testing.T) {
	brokers := func(n int, proxy, relay float64) *Case {
		return &Case{Name: fmt.Sprintf("send/4x16/brokers%d", n), Conns: 4, Streams: 16, Kind: "send", Peers: []string{"proxy", "relay"},
			Rounds: map[string][]Round{"proxy": {{PerSecond: proxy, CPUMicros: 4}}, "relay": {{PerSecond: relay, CPUMicros: 2}}}}
	}
	var b bytes.Buffer
	if err := growth(&b, []*Case{brokers(1, 100, 300), brokers(8, 90, 200), brokers(64, 81, 250)}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if len(lines) != 5 {
		t.Fatalf("%d lines:\n%s", len(lines), b.String())
	}
	for i, want := range []string{"as work grows peer msg/s, worst of best at within 20 % CPU us/msg",
		"send: 1..64 brokers (4 connections × 16 in flight, 256 B bodies) proxy 0.81 64 yes 4.00..4.00",
		"send: 1..64 brokers (4 connections × 16 in flight, 256 B bodies) relay 0.67 8 no 2.00..2.00"} {
		if got := strings.Join(strings.Fields(lines[i+1]), " "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	conns := func(n, streams int, perSecond float64) *Case {
		return &Case{Name: fmt.Sprintf("send/%dx%d", n, streams), Conns: n, Streams: streams, Kind: "send", Peers: []string{"proxy"},
			Rounds: map[string][]Round{"proxy": {{PerSecond: perSecond, CPUMicros: 4}}}}
	}
	b.Reset()
	if err := growth(&b, []*Case{conns(1, 64, 100), conns(4, 16, 90), conns(64, 1, 50), conns(1, 1, 1)}); err != nil ||
		strings.Count(b.String(), "send:") != 1 || !strings.Contains(b.String(), "64 in flight altogether") || !strings.Contains(b.String(), "0.50") {
		t.Errorf("what has more in flight is no growth: %v\n%s", err, b.String())
	}
	b.Reset()
	if err := growth(&b, []*Case{sample()}); err != nil || b.Len() > 0 {
		t.Errorf("one case does not grow: %v\n%s", err, b.String())
	}
}
