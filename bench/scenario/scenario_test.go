package scenario

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rocketmq-proxy/bench/load"
	"rocketmq-proxy/bench/stub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// drive runs a scenario against the stub.
func drive(t *testing.T, name string, p Params, rate float64) (load.Totals, stub.Counters) {
	t.Helper()
	s, err := stub.Start(stub.Config{GRPC: true, BodyBytes: p.BodyBytes})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	cfg := load.Config{Addr: s.GRPC, Remoting: p.Remoting, Conns: 2, Streams: 3, Rate: rate,
		New: func(conn int) load.Scenario { return Named(name, p, conn, 3) }}
	if p.Remoting {
		cfg.Addr = s.Brokers[0]
	}
	r, err := load.Start(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.Record(true)
	time.Sleep(100 * time.Millisecond)
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	for kind, h := range r.Latencies() {
		if h.TotalCount() == 0 {
			t.Errorf("%s: no latencies of %s", name, kind)
		}
	}
	return r.Totals(), s.Counters()
}

func TestScenariosAgainstTheStub(t *testing.T) {
	for _, name := range Names() {
		for _, rate := range []float64{0, 200} {
			p := Default()
			p.Verify = false
			total, asked := drive(t, name, p, rate)
			if total.Messages == 0 || total.Errors != 0 {
				t.Errorf("%s: %+v", name, total)
			}
			if name == "send" && asked.Sent != total.Messages {
				t.Errorf("%d sent, %d counted", asked.Sent, total.Messages)
			}
			if name == "receive_ack" && (asked.Acked != total.Messages || asked.Popped < total.Messages) {
				t.Errorf("%d popped, %d acknowledged, %d counted", asked.Popped, asked.Acked, total.Messages)
			}
			if name == "mixed" && (asked.Sent == 0 || asked.Acked == 0 || asked.Sent+asked.Acked != total.Messages) {
				t.Errorf("%d sent, %d acknowledged, %d counted", asked.Sent, asked.Acked, total.Messages)
			}
		}
	}
}

func TestBigBodies(t *testing.T) {
	p := Default()
	p.Verify, p.BodyBytes, p.Batch = false, 50_000, 4
	for _, name := range []string{"send", "receive_ack"} {
		if total, _ := drive(t, name, p, 0); total.Messages == 0 {
			t.Errorf("%s: %+v", name, total)
		}
	}
}

func TestVerifyFindsAnotherMessagesAnswer(t *testing.T) {
	s := newSend(Default(), 0, 2)
	var r load.Request
	s.Begin(0, &r)
	s.Begin(1, &r)
	entry := appendString(appendBytes(nil, 1, appendVarint(nil, 1, codeOK)), 2, string(s.sent[0]))
	m := appendBytes(appendBytes(nil, 1, appendVarint(nil, 1, codeOK)), 2, entry)
	if err := s.Message(0, 0, load.Message{Body: m}); err != nil {
		t.Error(err)
	}
	if err := s.Message(1, 0, load.Message{Body: m}); err != errOtherMessage {
		t.Errorf("error %v", err)
	}
}

func TestStatusThatIsNotOK(t *testing.T) {
	status := appendString(appendVarint(nil, 1, 40402), 2, "no such topic")
	m := appendBytes(nil, 1, status)
	for _, name := range Names() {
		s := Named(name, Default(), 0, 1)
		err := s.Message(0, 0, load.Message{Body: m})
		if err == nil || !strings.Contains(err.Error(), "40402 no such topic") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := checkStatus("empty", nil); err == nil {
		t.Error("an empty answer is OK")
	}
}

func TestMessageIDsAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for conn := range 3 {
		s := newSend(Default(), conn, 1)
		for range 100 {
			var r load.Request
			s.Begin(0, &r)
			id := string(s.sent[0])
			if seen[id] || len(id) != messageIDChars || !strings.Contains(string(r.Body), id) {
				t.Fatalf("message id %q", id)
			}
			seen[id] = true
		}
	}
}
