package admin

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func ready() error { return nil }

func metrics(w io.Writer) error {
	_, err := io.WriteString(w, "# HELP x y\n# TYPE x gauge\nx 1\n")
	return err
}

type counters struct {
	Sent     atomic.Int64
	Received atomic.Uint64
	ByKind   [2]atomic.Uint64
	Deeper   struct{ Lost atomic.Int64 }
	hidden   atomic.Int64
}

func get(t *testing.T, s *Server, path string) (int, []byte) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	response, err := client.Get("http://" + s.Addr() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body
}

// sources are those of tests that look at something else than one of them.
func sources() Sources {
	return Sources{Counters: &counters{}, Ready: ready, Metrics: metrics, Connections: &crowd{}}
}

func TestCounters(t *testing.T) {
	var c counters
	c.Sent.Store(-3)
	c.Received.Store(1 << 40)
	c.ByKind[1].Store(7)
	c.Deeper.Lost.Store(9)
	c.hidden.Store(1)
	from := sources()
	from.Counters = &c
	s, err := Listen("127.0.0.1:0", from)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	code, body := get(t, s, "/debug/counters")
	if code != http.StatusOK {
		t.Fatalf("%d %s", code, body)
	}
	var got struct {
		Counters struct {
			Sent     int64
			Received uint64
			ByKind   []uint64
			Deeper   struct{ Lost int64 }
		} `json:"counters"`
		Goroutines int `json:"goroutines"`
	}
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&got); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	n := got.Counters
	if n.Sent != -3 || n.Received != 1<<40 || len(n.ByKind) != 2 || n.ByKind[1] != 7 || n.Deeper.Lost != 9 || got.Goroutines < 1 {
		t.Errorf("%s", body)
	}
}

func TestPages(t *testing.T) {
	s, err := Listen("127.0.0.1:0", sources())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for path, want := range map[string]int{
		"/debug/pprof/": 200, "/debug/pprof/heap": 200, "/debug/pprof/goroutine?debug=2": 200, "/debug/pprof/cmdline": 200,
		"/debug/vars": 200, "/debug/connections": 200, "/ready": 200, "/live": 200, "/metrics": 200, "/": 404,
	} {
		if code, _ := get(t, s, path); code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
}

// TestReady: who is not ready says why, and is live all the same.
func TestReady(t *testing.T) {
	var leaving atomic.Bool
	from := sources()
	from.Ready = func() error {
		if leaving.Load() {
			return errors.New("draining")
		}
		return nil
	}
	s, err := Listen("127.0.0.1:0", from)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, want := range []struct {
		leaving bool
		code    int
		text    string
	}{{false, 200, "ready\n"}, {true, 503, "draining\n"}} {
		leaving.Store(want.leaving)
		if code, text := get(t, s, "/ready"); code != want.code || string(text) != want.text {
			t.Errorf("/ready: %d %q, want %d %q", code, text, want.code, want.text)
		}
		if code, text := get(t, s, "/live"); code != 200 || string(text) != "live\n" {
			t.Errorf("/live: %d %q", code, text)
		}
	}
}

func TestOff(t *testing.T) {
	s, err := Listen("", sources())
	if err != nil || s.Addr() != "" {
		t.Errorf("%q, %v", s.Addr(), err)
	}
	s.Close()
	(*Server)(nil).Close()
}

func TestTaken(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if _, err := Listen(ln.Addr().String(), sources()); err == nil || !strings.Contains(err.Error(), "adminListenAddr") {
		t.Errorf("%v", err)
	}
}

// Prometheus goes by the type of the page.
func TestMetrics(t *testing.T) {
	s, err := Listen("127.0.0.1:0", sources())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	response, err := client.Get("http://" + s.Addr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != "# HELP x y\n# TYPE x gauge\nx 1\n" || response.Header.Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" {
		t.Errorf("%q, %v, %v", body, response.Header, err)
	}
}
