package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// made is a case of three peers in three rounds.
func made(name string, conns, streams int, rate float64, peers ...string) *Case {
	c := &Case{Name: name, Conns: conns, Streams: streams, Rate: rate, Kind: "send", Peers: peers, Rounds: map[string][]Round{}}
	for i, p := range peers {
		for round := range 3 {
			v := float64(1+i)*10 + float64(round)
			allocs := 100 * v
			c.Rounds[p] = append(c.Rounds[p], Round{PerSecond: 1e6 / v, CPUMicros: v, Allocs: &allocs, RSSBytes: 1 << 24,
				Latency: map[string]Latency{"send": {Count: 1, P50: v, P90: 2 * v, P99: 5 * v, P999: 20 * v, P9999: 90 * v, Max: 100 * v}}})
		}
	}
	return c
}

func wholeRun() *Document {
	peers := []string{"proxy", "grpcgo", "relay"}
	d := &Document{Date: time.Date(2026, 11, 26, 22, 0, 0, 0, time.UTC), Commit: "159c102", Go: "go1.26.8", CPU: "Some Processor", Cores: 2,
		Kernel: "6.1", Seconds: 2, Command: "BENCH_ROUNDS=3 go test -run - -bench . ./bench/"}
	for _, size := range [][2]int{{4, 1}, {4, 16}, {4, 64}, {1, 16}, {64, 16}} {
		d.Cases = append(d.Cases, made(fmt.Sprintf("send/%dx%d", size[0], size[1]), size[0], size[1], 0, peers...))
	}
	for _, part := range []string{"64B", "16384B", "topics1000", "brokers64", "tls"} {
		d.Cases = append(d.Cases, made("send/4x16/"+part, 4, 16, 0, peers...))
	}
	for _, rate := range []float64{1000, 4000} {
		d.Cases = append(d.Cases, made(fmt.Sprintf("send/4x64/rate%.0f", rate), 4, 64, rate, peers...))
	}
	d.Cases = append(d.Cases, made("receive_ack/4x16/batch32", 4, 16, 0, "proxy", "java"), made("route/4x16", 4, 16, 0, "proxy"))
	return d
}

// elements reads a page as XML and returns how often each occurs, and all text.
func elements(t *testing.T, page string) (found map[string]int, text string) {
	t.Helper()
	found = map[string]int{}
	var words strings.Builder
	for x := xml.NewDecoder(strings.NewReader(page)); ; {
		token, err := x.Token()
		if errors.Is(err, io.EOF) {
			return found, words.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			found[e.Name.Local]++
		case xml.CharData:
			words.Write(e)
		}
	}
}

func page(t *testing.T, documents ...*Document) string {
	t.Helper()
	var b bytes.Buffer
	if err := Page(&b, documents, "proxy"); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPageHasEverything(t *testing.T) {
	d := wholeRun()
	text := page(t, d)
	found, words := elements(t, text)
	if plots := len(d.Plots()); found["svg"] != plots || found["figure"] != plots || found["details"] != plots {
		t.Errorf("%d plots: %v", plots, found)
	}
	for _, c := range d.Cases {
		if !strings.Contains(words, c.Name) {
			t.Errorf("%s is nowhere", c.Name)
		}
	}
	for _, fact := range []string{"2026-11-26 22:00 UTC", d.Commit, d.Go, d.CPU, d.Kernel, d.Command, "3 rounds of 2 s", "proxy / java", "Heap allocations"} {
		if !strings.Contains(words, fact) {
			t.Errorf("%q is nowhere", fact)
		}
	}
	if strings.Contains(words, "System calls a message") {
		t.Error("a table of what nobody counted")
	}
	for _, outside := range []string{"<script", "<link", "@import", "url(", "http://", "https://", " src="} {
		if strings.Contains(text, outside) {
			t.Errorf("%q: the page needs something from elsewhere", outside)
		}
	}
}

func TestPlotsOfARun(t *testing.T) {
	d := wholeRun()
	names := FileNames(d.Plots())
	for _, want := range []string{
		"cpu-bars.svg", "throughput-bars.svg", "send-4x64-rate4000-latency.svg", "send-p99-99-load.svg", "send-cpu-load.svg",
		"send-cpu-in-flight.svg", "send-cpu-connections.svg", "send-rss-connections.svg", "send-cpu-body.svg", "send-cpu-topics.svg", "send-cpu-brokers.svg",
	} {
		if !slices.Contains(names, want) {
			t.Errorf("no %s in %v", want, names)
		}
	}
	if once := slices.Compact(slices.Sorted(slices.Values(names))); len(once) != len(names) {
		t.Errorf("two of one name: %v", names)
	}
	d.Cases = d.Cases[len(d.Cases)-1:] // one workload has nothing to stand against
	if names = FileNames(d.Plots()); !slices.Equal(names, []string{"cpu-bars.svg", "throughput-bars.svg"}) {
		t.Errorf("%v", names)
	}
}

// A plot over an axis has the cases that differ in it and in nothing else.
func TestSweeps(t *testing.T) {
	var got []string
	for _, s := range sweeps(wholeRun().Cases) {
		line := s.axis.slug + " (" + s.note() + "):"
		for _, c := range s.cases {
			line += " " + strings.TrimPrefix(c.Name, "send/")
		}
		got = append(got, line)
	}
	want := []string{
		"in-flight (4 connections, 256 B bodies): 4x1 4x16 4x64",
		"connections (16 in flight on each, 256 B bodies): 1x16 4x16 64x16",
		"body (4 connections × 16 in flight): 4x16/64B 4x16 4x16/16384B",
		"topics (4 connections × 16 in flight, 256 B bodies): 4x16 4x16/topics1000",
		"brokers (4 connections × 16 in flight, 256 B bodies): 4x16 4x16/brokers64",
		"load (4 connections × 64 in flight, 256 B bodies): 4x64/rate1000 4x64/rate4000",
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSweepsWithOtherCompany(t *testing.T) {
	for _, c := range []struct {
		what  string
		sizes [][2]int
		want  string
	}{
		{"both grow", [][2]int{{1, 1}, {4, 16}, {16, 32}}, "in-flight with more and more connections, 256 B bodies"},
		{"as many in flight on more connections", [][2]int{{1, 64}, {4, 16}, {64, 1}}, "connections 64 in flight altogether, 256 B bodies"},
		{"two say nothing", [][2]int{{1, 1}, {4, 16}}, ""},
	} {
		var cases []*Case
		for _, size := range c.sizes {
			cases = append(cases, made(fmt.Sprintf("send/%dx%d", size[0], size[1]), size[0], size[1], 0, "proxy"))
		}
		got := ""
		for _, s := range sweeps(cases) {
			got += s.axis.slug + " " + s.note()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

// The bars stay few, however long the axes are.
func TestCrossings(t *testing.T) {
	var names []string
	for _, c := range crossings(wholeRun().Cases) {
		names = append(names, c.Name)
	}
	if want := []string{"send/4x16", "send/4x16/tls", "receive_ack/4x16/batch32", "route/4x16"}; !slices.Equal(names, want) {
		t.Errorf("%v", names)
	}
	lone := []*Case{made("send/4x64/rate4000", 4, 64, 4000, "proxy")}
	if len(crossings(lone)) != 1 {
		t.Error("a fixed rate without others is left out")
	}
}

func TestPageEscapes(t *testing.T) {
	const name = `<script>alert("1")</script>&'` + "\x00"
	d := wholeRun()
	d.Command, d.CPU = name, name
	d.Cases = append(d.Cases, made("send/4x16/"+name, 4, 16, 0, "proxy", name), made(name, 4, 64, 7000, name))
	found, words := elements(t, page(t, d))
	if found["script"] != 0 || !strings.Contains(words, "<script>alert") {
		t.Errorf("%v", found)
	}
	for _, file := range FileNames(d.Plots()) {
		if strings.ContainsAny(file, "<>/ &\"'\x00") {
			t.Errorf("a file called %q", file)
		}
	}
}

func TestPageOfSeveralRuns(t *testing.T) {
	found, words := elements(t, page(t, wholeRun(), &Document{}, wholeRun()))
	if found["article"] != 2 || found["nav"] != 1 || !strings.Contains(words, "Ratios") {
		t.Errorf("%v", found)
	}
}

func TestPageOfOddDocuments(t *testing.T) {
	if err := Page(io.Discard, []*Document{{}}, "proxy"); !errors.Is(err, ErrEmpty) {
		t.Errorf("%v", err)
	}
	counts := 0.75
	odd := &Document{Cases: []*Case{
		{Name: "nobody"}, // as Local mode where nothing of it could run
		{Name: "send/4x16", Peers: []string{"proxy", "gone"}, Rounds: map[string][]Round{"proxy": {{CPUMicros: 3, Syscalls: &counts}}}},
		{Name: "", Rate: 5, Kind: "send", Peers: []string{"proxy"}, Rounds: map[string][]Round{"proxy": {{}}}},
	}}
	_, words := elements(t, page(t, odd))
	for _, word := range []string{"nobody", "gone", "System calls a message", "0.75"} {
		if !strings.Contains(words, word) {
			t.Errorf("%q is nowhere", word)
		}
	}
}

func TestPeersKeepTheirStyles(t *testing.T) {
	f := newFigures([]*Case{made("a", 1, 1, 0, "stranger", "relay", "local", "proxy", "base")})
	seen := map[int]bool{}
	for _, style := range f.styles {
		seen[style] = true
	}
	if f.styles["local"] != 0 || f.styles["relay"] != 2 || f.styles["base"] != 1 || len(seen) != 5 {
		t.Errorf("%v", f.styles)
	}
}

func TestDocumentPage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.html")
	if err := wholeRun().Page(file, "proxy"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil || !bytes.HasSuffix(bytes.TrimSpace(text), []byte("</html>")) {
		t.Errorf("%v, %d bytes", err, len(text))
	}
	if err := wholeRun().Page(filepath.Join(file, "below"), "proxy"); err == nil {
		t.Error("written below a file")
	}
}
