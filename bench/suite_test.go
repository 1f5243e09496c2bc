package bench

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/bench/peer"
	"rocketmq-proxy/bench/report"
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

func TestFiles(t *testing.T) {
	at := time.Date(2026, 11, 26, 22, 5, 6, 0, time.UTC)
	for _, c := range []struct{ json, page, wantJSON, wantPage string }{
		{"", "", "", ""},
		{"1", "", "results/2026-11-26T220506.json", ""},
		{"", "1", "", "results/2026-11-26T220506.html"},
		{"1", "1", "results/2026-11-26T220506.json", "results/2026-11-26T220506.html"},
		{"there/run.json", "1", "there/run.json", "there/run.html"},
		{"there/run.json", "here.html", "there/run.json", "here.html"},
	} {
		o := Options{JSON: c.json, Page: c.page}
		if json, page := o.files(at); json != c.wantJSON || page != c.wantPage {
			t.Errorf("%q, %q: %q, %q", c.json, c.page, json, page)
		}
	}
}

func TestCommandCanBeRepeated(t *testing.T) {
	got := command("Send|Route", []string{"HOME=/home/me", "BENCH_SECONDS=0.5", "BENCH_PEERS=proxy,relay", "BENCH_JSON=1", "BENCH_PAGE=/tmp/x.html", "BENCH_ROUNDS="})
	if want := "BENCH_PEERS=proxy,relay BENCH_SECONDS=0.5 go test -run - -bench 'Send|Route' ./bench/"; got != want {
		t.Errorf("%s", got)
	}
	if got = command(".", nil); got != "go test -run - -bench . ./bench/" {
		t.Errorf("%s", got)
	}
}

func TestWriteMakesPageAndDocument(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	w := Workload{Scenario: "send", Conns: 4, Streams: 16, Params: scenario.Default()}
	c := newCase(w, w.Name(), []string{peer.Proxy})
	if c.BodyBytes != w.Params.BodyBytes {
		t.Errorf("%d bytes of body", c.BodyBytes)
	}
	c.Rounds[peer.Proxy] = []report.Round{{CPUMicros: 4}}
	if err := write(&report.Document{Cases: []*report.Case{c}}, Options{JSON: filepath.Join(dir, "run.json"), Page: "1"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"run.json", "run.html"} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.Contains(string(text), "send/4x16") {
			t.Errorf("%s: %v", name, err)
		}
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

// One short round straight on the stub, in both protocols; what Remoting is not spoken for is left out.
func TestSuiteMeasuresTheStub(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts processes")
	}
	both := []string{peer.Remoting, peer.Direct}
	s, err := NewSuite(context.Background(), Options{Peers: both, Rounds: 1, Window: 100 * time.Millisecond, Brokers: 1}, ".")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, measured := range []struct {
		Workload
		peers []string
	}{
		{Workload{Scenario: "send", Conns: 2, Streams: 2, Params: scenario.Default()}, both},
		{Workload{Scenario: "send", Conns: 1, Streams: 2, Rate: 100, Params: scenario.Default()}, both},
		{Workload{Scenario: "send", Conns: 1, Streams: 2, Brokers: 2, Params: scenario.Default()}, both[1:]},
		{Workload{Scenario: "route", Conns: 1, Streams: 2, Params: scenario.Default()}, both[1:]},
		{Workload{Scenario: "send", Conns: 1, Streams: 2, TLS: true, Params: scenario.Default()}, nil},
	} {
		c, err := s.Run(context.Background(), measured.Workload)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(c.Peers, measured.peers) {
			t.Errorf("%s: on %v", c.Name, c.Peers)
		}
		for _, name := range c.Peers {
			if r := c.Rounds[name][0]; r.PerSecond <= 0 || r.CPUMicros <= 0 || r.Latency[c.Kind].P50 <= 0 {
				t.Errorf("%s on %s: %+v", c.Name, name, r)
			}
		}
	}
	if len(s.Cases) != 4 {
		t.Errorf("%d cases: one that nobody has is none", len(s.Cases))
	}
}

// Receives that wait, on the real process and straight at the stub's broker; its gRPC server has no polls.
func TestSuiteMeasuresLongPolls(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts processes")
	}
	s, err := NewSuite(context.Background(), Options{Peers: []string{peer.Proxy, peer.Relay, peer.Direct, peer.Remoting}, Rounds: 2,
		Window: 100 * time.Millisecond, Brokers: 1}, ".")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := s.Run(context.Background(), Workload{Scenario: scenario.LongPoll, Conns: 4, Streams: 2, Rate: 200, Params: scenario.Default()})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.Peers, []string{peer.Proxy, peer.Remoting}) {
		t.Errorf("on %v", c.Peers)
	}
	for _, name := range c.Peers {
		for _, r := range c.Rounds[name] {
			if r.PerSecond <= 0 || r.PerSecond > 2000 || r.Latency[c.Kind].Count == 0 || r.Latency[c.Kind].P50 < 1 || r.Latency[c.Kind].P50 > 1e6 {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
}

// One short round on the real process in Local mode, and on Java's where it is not there: it is left out.
func TestSuiteMeasuresLocalMode(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts processes")
	}
	t.Setenv("PATH", goOnly(t))
	s, err := NewSuite(context.Background(), Options{
		Peers: []string{peer.Local, peer.JavaLocal}, Rounds: 2, Window: 100 * time.Millisecond, Cold: 100 * time.Millisecond,
	}, ".")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, w := range []Workload{
		{Scenario: "send", Conns: 2, Streams: 2, Params: scenario.Default()},
		{Scenario: "receive_ack", Conns: 2, Streams: 2, Params: scenario.Default()},
	} {
		cold, warm, err := s.RunLocal(context.Background(), w)
		if err != nil {
			t.Fatal(err)
		}
		if len(cold.Rounds[peer.Local]) != 1 || len(warm.Rounds[peer.Local]) != 2 || !slices.Equal(warm.Peers, []string{peer.Local}) {
			t.Errorf("%s: %+v, %+v", w.Scenario, cold, warm)
		}
		for _, r := range warm.Rounds[peer.Local] {
			if r.PerSecond <= 0 || r.CPUMicros <= 0 || r.RSSBytes == 0 || r.Allocs == nil || r.Latency[warm.Kind].P50 <= 0 {
				t.Errorf("%s: %+v", w.Scenario, r)
			}
		}
	}
}

// goOnly is a PATH with nothing but go on it.
func goOnly(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(program, filepath.Join(dir, "go")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A window that takes more than there is says so, and does not count waiting as work.
func TestStoreThatRunsDryIsAnError(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts processes")
	}
	s, err := NewSuite(context.Background(), Options{Peers: []string{peer.Local}}, ".")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p, err := s.binaries.StartLocal(peer.Local, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	station := &station{Process: p, workload: Workload{Scenario: "receive_ack", Conns: 1, Streams: 2, Params: scenario.Default()}}
	if _, err := station.window(context.Background(), 0, time.Second); err == nil || !strings.Contains(err.Error(), "ran dry") {
		t.Errorf("error %v", err)
	}
}

func TestSettled(t *testing.T) {
	for _, c := range []struct {
		costs []float64
		want  bool
	}{
		{[]float64{60, 60}, false},
		{[]float64{60, 61, 62}, true},
		{[]float64{60, 61, 67}, false},
		{[]float64{147, 80, 66, 65, 64}, true},
		{[]float64{65, 65, 65, 80}, false},
	} {
		if settled(c.costs) != c.want {
			t.Errorf("%v: not %v", c.costs, c.want)
		}
	}
}
