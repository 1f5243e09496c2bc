package local

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/turn"
)

var (
	scale         = flag.Bool("scale", false, "fill a store on disk and measure; takes minutes and some gigabytes")
	scaleMessages = flag.Int("scale.messages", 5_000_000, "messages to store")
	scaleTimers   = flag.Int("scale.timers", 1_000_000, "delayed messages to store")
	scaleInflight = flag.Int("scale.inflight", 100_000, "messages to have out")
)

// Goals of TestScale.
const (
	scaleRSSMax   = 512 << 20
	scaleSlowMax  = 0.20 // of the empty store's throughput
	scaleStartMax = 3 * time.Second
)

// TestScale fills a store with messages, delayed messages and deliveries, and looks what that
// costs: memory of the process, throughput beside that of an empty store, time to start.
func TestScale(t *testing.T) {
	if !*scale {
		t.Skip("with -scale only: it takes minutes and some gigabytes of disk")
	}
	w := newWorld(t, nil, func(c *Config) { c.Store.Dir = t.TempDir() })
	empty := w.pour(300_000, "")
	begun := time.Now()
	w.pour(*scaleMessages-300_000, "")
	t.Logf("%d messages of 256 bytes in %v", *scaleMessages, time.Since(begun).Round(time.Second))
	w.pour(*scaleTimers, fmt.Sprintf("TIMER_DELIVER_MS=%d;", time.Now().Add(48*time.Hour).UnixMilli()))
	for out := 0; out < *scaleInflight; {
		all := w.pop("scale", "readers", func(op *backend.Pop) { op.Invisible = time.Hour })
		if out += len(all); len(all) == 0 {
			t.Fatal("nothing left to pop")
		}
	}
	full := w.pour(300_000, "")
	rss := residentBytes(t)
	t.Logf("%d timers, %d in flight: RSS %d MB; sends/s %.0f, on the empty store %.0f (%.2f)",
		*scaleTimers, *scaleInflight, rss>>20, full, empty, full/empty)
	if rss > scaleRSSMax {
		t.Errorf("RSS is %d MB, the goal is %d", rss>>20, scaleRSSMax>>20)
	}
	if full < empty*(1-scaleSlowMax) {
		t.Errorf("sends are slower by %.0f %%", 100*(1-full/empty))
	}
	w.close()
	begun = time.Now()
	w.open()
	w.sends("scale", "first", "")
	t.Logf("opened, and the first message stored, in %v", time.Since(begun).Round(time.Millisecond))
	if took := time.Since(begun); took > scaleStartMax {
		t.Errorf("it took %v to start", took)
	}
}

// pour sends messages, 64 at a time in flight, and returns how many a second.
func (w *world) pour(count int, text string) float64 {
	w.Helper()
	topic := w.topic("scale")
	done := make(chan struct{})
	p := &pourer{local: w.Local, left: count, done: done}
	p.turn = turn.New(idle{})
	body := pool.Copied([]byte(strings.Repeat("x", 256)))
	begun := time.Now()
	p.turn.Post(event(func(now time.Time) {
		for i := range 64 {
			s := &pouring{pourer: p}
			s.op.Topic = topic
			s.op.Messages = []backend.Message{{BodyLen: body.Len(), Properties: properties(fmt.Sprintf("UNIQ_KEY=%032d;PGROUP=scale;TAGS=a;__BORNHOST=127.0.0.1:1234;%s", i, text))}}
			s.op.Payload.Append(body.Share())
			s.next(now)
		}
	}))
	<-done
	body.Release()
	if p.fault != "" {
		w.Fatal(p.fault)
	}
	return float64(count) / time.Since(begun).Seconds()
}

// pourer is a client that sends for ever the same.
type pourer struct {
	local    *Local
	turn     *turn.Turn
	left     int
	inflight int
	fault    string
	done     chan struct{}
}

// pouring is one of its sends.
type pouring struct {
	*pourer
	op backend.Send
}

// OnTurn is the send's way home.
func (s *pouring) OnTurn(now time.Time) {
	s.inflight--
	if !s.op.Fault.OK() {
		s.fault, s.left = s.op.Fault.Text, 0
	}
	s.next(now)
}

func (s *pouring) next(now time.Time) {
	if s.left == 0 {
		s.op.Payload.Release()
		if s.inflight == 0 {
			close(s.done)
		}
		return
	}
	s.left--
	s.inflight++
	s.op.Exchange = backend.Exchange{Home: s.turn, Then: s, Deadline: now.Add(time.Minute)}
	s.local.Send(&s.op, now)
}

// residentBytes is the memory of this process.
func residentBytes(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.SplitSeq(string(status), "\n") {
		if kb, found := strings.CutPrefix(line, "VmRSS:"); found {
			n, err := strconv.ParseInt(strings.Fields(kb)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal("no VmRSS")
	return 0
}
