package load

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rocketmq-proxy/bench/hostclock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a scenario whose requests are n bytes and whose answers must be the
// same bytes.
type echo struct {
	body    []byte
	heard   atomic.Int64
	expects error
}

func (e *echo) Kinds() []string       { return []string{"echo"} }
func (e *echo) Setup(r *Request) bool { return false }
func (e *echo) Begin(_ int, r *Request) {
	r.Path, r.Timeout, r.Body = "/t.T/Echo", time.Second, append(r.Body, e.body...)
}
func (e *echo) Message(_, _ int, m Message) error {
	e.heard.Add(1)
	if string(m.Body) != string(e.body) {
		return errors.New("another message came back")
	}
	return nil
}
func (e *echo) End(int, int, *Request) (int, bool, error) { return 1, false, e.expects }

// serve runs net/http's HTTP/2 server, cleartext or TLS, as an oracle.
func serve(t *testing.T, secure bool, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	s.EnableHTTP2 = secure
	s.Config.Protocols.SetHTTP2(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func echoHandler(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil || r.Method != "POST" || r.Header.Get("TE") != "trailers" || r.Header.Get("X-Mq-Request-Id") == "" {
		http.Error(w, "what is this", http.StatusBadRequest)
		return
	}
	answer(w, b, "0")
}

func answer(w http.ResponseWriter, b []byte, status string) {
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status, Grpc-Message")
	w.Write(b)
	w.Header().Set("Grpc-Status", status)
	w.Header().Set("Grpc-Message", "no comment")
}

// drive runs a load for d and returns its totals and first error.
func drive(t *testing.T, cfg Config, d time.Duration) (*Run, error) {
	t.Helper()
	r, err := Start(context.Background(), cfg)
	if err != nil {
		return nil, err
	}
	r.Record(true)
	time.Sleep(d)
	return r, r.Stop()
}

// driveWell runs a load of echoes for d, all of which are answered.
func driveWell(t *testing.T, cfg Config, d time.Duration) {
	t.Helper()
	r, err := drive(t, cfg, d)
	if err != nil {
		t.Fatal(err)
	}
	total := r.Totals()
	if total.Messages == 0 || total.Errors != 0 || total.Requests[0] != total.Messages {
		t.Errorf("%+v", total)
	}
	if h := r.Latencies()["echo"]; uint64(h.TotalCount()) > total.Messages || h.Max() <= 0 {
		t.Errorf("%d latencies of %d requests", h.TotalCount(), total.Messages)
	}
}

func TestClosedLoopAgainstNetHTTP(t *testing.T) {
	for _, secure := range []bool{false, true} {
		for _, size := range []int{0, 256, 20_000, 300_000} { // up to beyond every initial window
			t.Run(fmt.Sprintf("tls=%v/%d", secure, size), func(t *testing.T) {
				body := []byte(strings.Repeat("0123456789", size/10+1)[:size])
				cfg := Config{Addr: serve(t, secure, echoHandler), TLS: secure, Conns: 2, Streams: 3,
					New: func(int) Scenario { return &echo{body: body} }}
				driveWell(t, cfg, 150*time.Millisecond)
			})
		}
	}
}

func TestEveryFaultIsAnError(t *testing.T) {
	handlers := map[string]http.HandlerFunc{
		"HTTP status 404": http.NotFound,
		"grpc-status 13: no comment": func(w http.ResponseWriter, r *http.Request) {
			answer(w, nil, "13")
		},
		"without grpc-status": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/grpc")
			w.Header().Set("Trailer", "Other")
			w.Write([]byte{0, 0, 0, 0, 0})
			w.Header().Set("Other", "1")
		},
		"content-type": func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Type", "text/html") },
		"RST_STREAM":   func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
		"inside a message": func(w http.ResponseWriter, r *http.Request) {
			answer(w, []byte{0, 0, 0, 0, 9, 'x'}, "0")
		},
		"another message": func(w http.ResponseWriter, r *http.Request) {
			answer(w, []byte{0, 0, 0, 0, 1, 'x'}, "0")
		},
		"without trailers": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/grpc")
			w.Write([]byte{0, 0, 0, 0, 0})
		},
		"malformed gRPC": func(w http.ResponseWriter, r *http.Request) {
			answer(w, []byte{1, 0, 0, 0, 0}, "0")
		},
	}
	for want, h := range handlers {
		t.Run(want, func(t *testing.T) {
			cfg := Config{Addr: serve(t, false, h), Conns: 1, Streams: 1, New: func(int) Scenario { return &echo{} }}
			if _, err := drive(t, cfg, 50*time.Millisecond); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestScenarioErrorCounts(t *testing.T) {
	bad := errors.New("not what I wanted")
	cfg := Config{Addr: serve(t, false, echoHandler), Conns: 1, Streams: 1, New: func(int) Scenario { return &echo{expects: bad} }}
	if r, err := drive(t, cfg, 50*time.Millisecond); !errors.Is(err, bad) || r.Totals().Errors == 0 {
		t.Errorf("error %v", err)
	}
}

func TestLostConnectionIsAnError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			io.ReadFull(nc, make([]byte, 100))
			nc.Close()
		}
	}()
	cfg := Config{Addr: l.Addr().String(), Conns: 1, Streams: 1, New: func(int) Scenario { return &echo{} }}
	if _, err := drive(t, cfg, 50*time.Millisecond); err == nil || !strings.Contains(err.Error(), "connection lost") {
		t.Errorf("error %v", err)
	}
}

// stamped is echo of something that began long before it was asked for, every other time.
type stamped struct {
	echo
	began int64
	times int
}

func (s *stamped) Began(int) int64 {
	if s.times++; s.times%2 == 0 {
		return 0
	}
	return s.began
}

func TestLatenciesCountFromWhatTheScenarioSays(t *testing.T) {
	const ago = time.Minute
	cfg := Config{Addr: serve(t, false, echoHandler), Conns: 1, Streams: 1,
		New: func(int) Scenario { return &stamped{began: hostclock.Now() - int64(ago)} }}
	r, err := drive(t, cfg, 50*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	h, total := r.Latencies()["echo"], r.Totals()
	if n := uint64(h.TotalCount()); n == 0 || n > total.Messages/2+1 {
		t.Errorf("%d latencies of %d requests", n, total.Messages)
	}
	if h.Min() < int64(ago)*999/1000 || h.Max() > int64(ago+10*time.Second) {
		t.Errorf("from %v to %v", time.Duration(h.Min()), time.Duration(h.Max()))
	}
}

// A server that answers nothing for a while must show in every request that
// was due in that time, though most of them could only be sent later.
func TestStallsAreNotOmitted(t *testing.T) {
	const stall, rate = 300 * time.Millisecond, 500
	var begun atomic.Int64
	h := func(w http.ResponseWriter, r *http.Request) {
		at := time.Now().UnixNano()
		if begun.CompareAndSwap(0, at) {
			time.Sleep(stall)
		}
		echoHandler(w, r)
	}
	cfg := Config{Addr: serve(t, false, h), Conns: 1, Streams: 1, Rate: rate, New: func(int) Scenario { return &echo{body: []byte("x")} }}
	r, err := Start(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.Record(true)
	for end := time.Now().Add(20 * time.Second); r.Totals().Messages < 2*rate*uint64(stall)/uint64(time.Second) && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	slow := int64(0)
	for _, bar := range r.Latencies()["echo"].Distribution() {
		if bar.From >= int64(stall)/3 {
			slow += bar.Count
		}
	}
	// Requests due in the first two thirds of the stall waited a third or more.
	want := int64(rate * stall.Seconds() * 2 / 3)
	if slow < want*8/10 {
		t.Errorf("%d slow requests, want about %d: a closed loop would have seen 1", slow, want)
	}
}

func TestRateIsNotExceeded(t *testing.T) {
	cfg := Config{Addr: serve(t, false, echoHandler), Conns: 2, Streams: 8, Rate: 400, New: func(int) Scenario { return &echo{body: []byte("x")} }}
	begun := time.Now()
	r, err := drive(t, cfg, 300*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if n, most := float64(r.Totals().Messages), 400*time.Since(begun).Seconds()+1; n == 0 || n > most {
		t.Errorf("%v requests, at most %v were due", n, most)
	}
}

func TestEverythingDueArrives(t *testing.T) {
	r := &Run{conns: []*conn{{}, {}, {}}, base: time.Now(), late: newHistograms(1)}
	touched := make([]bool, 3)
	if i := r.arrivals(0, 1000, 500, 999, touched); i != 0 || touched[0] {
		t.Errorf("%d arrivals before the first was due", i)
	}
	if i := r.arrivals(0, 1000, 500, 1500, touched); i != 2 || !touched[1] || touched[2] {
		t.Errorf("%d arrivals, want 2, on connections %v", i, touched)
	}
	if i := r.arrivals(2, 1000, 500, 1000+500*100, touched); i != 101 {
		t.Errorf("the next is %d after a long sleep, want 101", i)
	}
}

// The frames of an answer may be cut anywhere.
func TestAnswersInPieces(t *testing.T) {
	whole := []byte{0, 0, 0, 0, 3, 'a', 'b', 'c', 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 'z'}
	for size := 1; size <= len(whole); size++ {
		var got []string
		s := &stream{}
		for at := 0; at < len(whole); at += size {
			err := s.receive(whole[at:min(at+size, len(whole))], func(_ *stream, m []byte) { got = append(got, string(m)) })
			if err != nil {
				t.Fatal(err)
			}
		}
		if strings.Join(got, ",") != "abc,,z" || len(s.partial) != 0 {
			t.Errorf("in pieces of %d: %q", size, got)
		}
	}
	if _, err := wholeMessage(binary.BigEndian.AppendUint32([]byte{0}, messageBytesMax+1)); err == nil {
		t.Error("a message of any length was taken")
	}
}

func TestFifoKeepsOrder(t *testing.T) {
	var f fifo
	next, want := int64(0), int64(0)
	for round := range 100 {
		for range round % 7 {
			f.push(next)
			next++
		}
		for f.len() > round%3 {
			if got := f.pop(); got != want {
				t.Fatalf("got %d, want %d", got, want)
			}
			want++
		}
	}
}
