package bench

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/bench/peer"
	"rocketmq-proxy/bench/scenario"
)

func TestOptions(t *testing.T) {
	t.Setenv("BENCH_PEERS", "relay,grpcgo")
	t.Setenv("BENCH_SECONDS", "0.5")
	t.Setenv("BENCH_ROUNDS", "7")
	o, err := OptionsFromEnv()
	if err != nil || !slices.Equal(o.Peers, []string{"relay", "grpcgo"}) || o.Window != 500*time.Millisecond || o.Rounds != 7 {
		t.Errorf("%+v, %v", o, err)
	}
	t.Setenv("BENCH_SECONDS", "soon")
	t.Setenv("BENCH_ROUNDS", "-1")
	if _, err := OptionsFromEnv(); err == nil || !strings.Contains(err.Error(), "BENCH_SECONDS") || !strings.Contains(err.Error(), "BENCH_ROUNDS") {
		t.Errorf("error %v", err)
	}
}

func TestUnknownPeerIsNamed(t *testing.T) {
	_, err := NewSuite(context.Background(), Options{Peers: []string{"nobody"}}, ".")
	if err == nil || !strings.Contains(err.Error(), `"nobody"`) {
		t.Errorf("error %v", err)
	}
}

// One short round through real processes: the relay, which needs no broker.
func TestSuiteMeasuresTheRelay(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts processes")
	}
	s, err := NewSuite(context.Background(), Options{Peers: []string{peer.Relay}, Rounds: 1, Window: 100 * time.Millisecond, Brokers: 1}, ".")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, w := range []Workload{
		{Scenario: "send", Conns: 2, Streams: 2, Params: scenario.Default()},
		{Scenario: "receive_ack", Conns: 1, Streams: 2, Rate: 50, Params: scenario.Default()},
	} {
		c, err := s.Run(context.Background(), w)
		if err != nil {
			t.Fatal(err)
		}
		r := c.Rounds[peer.Relay][0]
		if r.PerSecond <= 0 || r.CPUMicros <= 0 || r.RSSBytes == 0 || r.Latency[c.Kind].P50 <= 0 {
			t.Errorf("%s: %+v", c.Name, r)
		}
	}
}
