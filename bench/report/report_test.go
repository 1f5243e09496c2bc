package report

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func sample() *Case {
	round := func(cpu, p99 float64) Round {
		return Round{PerSecond: 1e6 / cpu, CPUMicros: cpu, RSSBytes: 10 << 20, Latency: map[string]Latency{"send": {P99: p99}}}
	}
	return &Case{Name: "send/4x16", Kind: "send", Peers: []string{"proxy", "grpcgo", "relay"}, Rounds: map[string][]Round{
		"proxy":  {round(6, 60), round(12, 70), round(5, 50)}, // the second round ran on a busy machine
		"grpcgo": {round(60, 600), round(120, 700), round(55, 500)},
		"relay":  {round(3, 30), round(6, 35), round(2, 20)},
	}}
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want Spread
	}{
		{[]float64{3, 1, 2}, Spread{2, 1, 3}},
		{[]float64{4, 1, 2, 3}, Spread{2.5, 1, 4}},
		{[]float64{7}, Spread{7, 7, 7}},
	} {
		if got := SpreadOf(c.in); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.in, got, c.want)
		}
	}
}

func TestRatiosAreWithinRounds(t *testing.T) {
	c := sample()
	if got := c.Ratio("proxy", "grpcgo", CPUMicros); got.Median != 0.1 || got.Max != 0.1 {
		t.Errorf("%+v: the busy round must cancel out", got)
	}
	if got := c.Ratio("proxy", "relay", CPUMicros); got != (Spread{2, 2, 2.5}) {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsAddedIsWithinRounds(t *testing.T) {
	if got := sample().Added("proxy", "relay", P99); got != (Spread{30, 30, 35}) {
		t.Errorf("%+v", got)
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	if err := Table(&b, []*Case{sample()}, "proxy", "relay"); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"send/4x16", "proxy/grpcgo", "proxy/relay", "[5.00-12.00]", "0.100", "proxy adds to relay", "[30..35]"} {
		if !strings.Contains(b.String(), part) {
			t.Errorf("%q is not in\n%s", part, b.String())
		}
	}
	b.Reset()
	if err := Table(&b, []*Case{sample()}, "absent", "relay"); err != nil || !strings.Contains(b.String(), "proxy/relay") || strings.Contains(b.String(), "adds") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

func TestDocument(t *testing.T) {
	d := Describe()
	d.Cases = []*Case{sample()}
	file := filepath.Join(t.TempDir(), "run.json")
	if err := d.Write(file); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var back Document
	if err := json.Unmarshal(text, &back); err != nil || len(back.Cases) != 1 || len(back.Cases[0].Rounds["relay"]) != 3 || back.Go == "" || back.Cores == 0 {
		t.Errorf("%+v, %v", back, err)
	}
}
