package nsdomain

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestURL(t *testing.T) {
	for _, test := range []struct{ domain, subgroup, want string }{
		{"names.example", "nsaddr", "http://names.example:8080/rocketmq/nsaddr"},
		{"names.example:80", "mine", "http://names.example:80/rocketmq/mine"},
		{"names.example", "", "http://names.example:8080/rocketmq/"},
		{"[fd00::1]", "x", "http://[fd00::1]:8080/rocketmq/x"},
		{"[fd00::1]:81", "x", "http://[fd00::1]:81/rocketmq/x"},
		{"fd00::1", "x", "http://[fd00::1]:8080/rocketmq/x"},
	} {
		if got := URL(test.domain, test.subgroup); got != test.want {
			t.Errorf("%s: %s, want %s", test.domain, got, test.want)
		}
	}
}

// directory is the HTTP server, and what was heard of its answers.
type directory struct {
	testing.TB
	server *httptest.Server

	mu     sync.Mutex
	code   int
	body   string
	asked  int
	events []string
}

func newDirectory(tb testing.TB) *directory {
	d := &directory{TB: tb, code: http.StatusOK}
	d.server = httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.asked++; r.URL.Path != "/rocketmq/mine" {
			tb.Errorf("asked for %s", r.URL.Path)
		}
		out.WriteHeader(d.code)
		_, _ = out.Write([]byte(d.body))
	}))
	tb.Cleanup(d.server.Close)
	return d
}

func (d *directory) says(code int, body string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.code, d.body = code, body
}

func (d *directory) event(text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, text)
}

func (d *directory) heard() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return fmt.Sprintf("%q", d.events)
}

func (d *directory) start() *Watch {
	return Start(Config{
		Domain: strings.TrimPrefix(d.server.URL, "http://"), Subgroup: "mine", Again: time.Millisecond, Every: time.Millisecond,
		Found: func(list string) { d.event(list) },
		Failed: func(err error) {
			if err == nil {
				d.event("up")
				return
			}
			d.event("down")
		},
	})
}

func (d *directory) questions() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked
}

func (d *directory) eventually(holds func() bool) {
	d.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			d.Fatalf("heard %s", d.heard())
		}
	}
}

// hears waits for just these events, and for some more answers, of which nobody may hear.
func (d *directory) hears(want string) {
	d.Helper()
	d.eventually(func() bool { return d.heard() == want })
	before := d.questions()
	d.eventually(func() bool { return d.questions() >= before+3 })
	if got := d.heard(); got != want {
		d.Fatalf("heard %s, want %s", got, want)
	}
}

func TestWatch(t *testing.T) {
	d := newDirectory(t)
	d.says(200, " 10.0.0.1:9876;10.0.0.2:9876 \r\nand more")
	w := d.start()
	defer w.Close()
	if got := d.heard(); got != `["10.0.0.1:9876;10.0.0.2:9876"]` {
		t.Fatalf("at once heard %s", got)
	}
	d.hears(`["10.0.0.1:9876;10.0.0.2:9876"]`)
	d.says(500, "10.0.0.9:9876")
	d.hears(`["10.0.0.1:9876;10.0.0.2:9876" "down"]`)
	d.says(200, "\n")
	d.hears(`["10.0.0.1:9876;10.0.0.2:9876" "down"]`)
	d.says(200, "10.0.0.1:9876;10.0.0.2:9876\n")
	d.hears(`["10.0.0.1:9876;10.0.0.2:9876" "down" "up"]`)
	d.says(200, "10.0.0.3:9876")
	d.hears(`["10.0.0.1:9876;10.0.0.2:9876" "down" "up" "10.0.0.3:9876"]`)
}

// TestNobodyAnswers: it starts all the same, and says so.
func TestNobodyAnswers(t *testing.T) {
	d := newDirectory(t)
	d.server.Close()
	w := d.start()
	w.Close()
	if got := d.heard(); got != `["down"]` {
		t.Errorf("heard %s", got)
	}
}

// TestCloseWhileAsking: it does not wait for the answer.
func TestCloseWhileAsking(t *testing.T) {
	asked, release := make(chan struct{}, 8), make(chan struct{})
	first := true
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		if first {
			first = false
			_, _ = out.Write([]byte("a:1"))
			return
		}
		asked <- struct{}{}
		<-release
	}))
	defer server.Close()
	defer close(release)
	failed := false
	w := Start(Config{
		Domain: strings.TrimPrefix(server.URL, "http://"), Again: time.Millisecond,
		Found: func(string) {}, Failed: func(error) { failed = true },
	})
	<-asked
	w.Close()
	if failed {
		t.Error("somebody heard of the end")
	}
}
