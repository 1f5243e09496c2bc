package h2

import (
	"fmt"
	"strings"
	"testing"

	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/pool"
)

// uploaded opens unary calls and answers none.
type uploaded struct{ mute }

func (u *uploaded) Open(*Stream) (Handler, grpc.Status) { return u, grpc.Status{} }
func (u *uploaded) ClientStreams() bool                 { return false }

// part is HEADERS of a stream, and DATA with the prefix of a message of size bytes and n bytes
// in all.
func part(stream uint32, size, n int) []byte {
	b := frame.AppendHeaders(nil, stream, requestBlock(), frame.FlagEndHeaders)
	return frame.AppendData(b, stream, append(grpc.AppendPrefix(nil, size), make([]byte, n-grpc.PrefixBytes)...), 0)
}

// updates are the WINDOW_UPDATE frames of streams, resets too, in what c has to say.
func updates(c *Conn) string {
	var said []string
	for b := drain(c); len(b) > 0; {
		h := frame.ParseHead(b)
		payload := b[frame.HeadBytes:][:h.Length]
		b = b[frame.HeadBytes+h.Length:]
		switch by, _ := frame.ParseWindowUpdate(payload); {
		case h.Kind == frame.KindWindowUpdate && h.Stream > 0:
			said = append(said, fmt.Sprintf("%d+%d", h.Stream, by))
		case h.Kind == frame.KindReset:
			said = append(said, fmt.Sprintf("%d reset", h.Stream))
		}
	}
	return strings.Join(said, " ")
}

// Above half of RequestBytesMax one stream at a time is let send on: many uploads are served one
// after the other, and a peer that sends them by half holds no more than what its windows began
// with.
func TestUploadsOneAfterTheOther(t *testing.T) {
	h := &uploaded{}
	c, feed := greeted(t, &Config{Limits: Limits{RequestBytesMax: 1000, StreamWindowBytes: 200}}, h)
	if err := feed(start, frame.AppendSettingsAck(nil)); err != nil {
		t.Fatal(err)
	}
	say := func(b []byte, want string) {
		t.Helper()
		if err := feed(start, b); err != nil {
			t.Fatal(err)
		}
		if got := updates(c); got != want {
			t.Fatalf("said %q, want %q; %d bytes are incomplete", got, want, c.partial)
		}
	}
	rest := func(stream uint32, n int) []byte { return frame.AppendData(nil, stream, make([]byte, n), 0) }
	last := func(stream uint32, n int) []byte {
		return frame.AppendData(nil, stream, make([]byte, n), frame.FlagEndStream)
	}
	say(part(1, 395, 200), "1+200")
	say(part(3, 395, 200), "3+200")
	say(part(5, 345, 100), "5+100") // exactly the half
	say(rest(5, 100), "5+100")      // the first above it
	say(part(7, 395, 200), "")
	say(part(9, 395, 50), "")
	say(rest(5, 100), "5+100")
	say(last(5, 50), "7+200") // all that is allowed: 5 is served, and 7 is the oldest that waits
	if h.messages != 1 || c.partial != 650 {
		t.Fatal(h.messages, c.partial)
	}
	say(last(7, 200), "")
	say(rest(9, 50), "9+100") // the half again
	say(last(1, 200), "")
	say(last(3, 200), "")
	say(rest(9, 150), "9+150")
	if h.messages != 4 || c.partial != 250 || c.withheld != 0 {
		t.Fatal(h.messages, c.partial, c.withheld)
	}
}

// A stream that is let send on and is reset makes room for the next.
func TestUploadIsGivenUp(t *testing.T) {
	c, feed := greeted(t, &Config{Limits: Limits{RequestBytesMax: 1000, StreamWindowBytes: 400}}, &uploaded{})
	for _, b := range [][]byte{
		frame.AppendSettingsAck(nil), part(1, 900, 400), part(3, 900, 400),
	} {
		if err := feed(start, b); err != nil {
			t.Fatal(err)
		}
	}
	if got := updates(c); got != "1+400 3+400" {
		t.Fatal(got)
	}
	if err := feed(start, part(5, 900, 200)); err != nil {
		t.Fatal(err)
	}
	if got := updates(c); got != "" || c.withheld != 1 {
		t.Fatal(got, c.withheld)
	}
	if err := feed(start, frame.AppendReset(nil, 3, frame.Cancel)); err != nil {
		t.Fatal(err)
	}
	if got := updates(c); got != "5+200" || c.withheld != 0 {
		t.Fatal(got, c.withheld)
	}
}

// All connections together hold what Config.Requests allows, and give it back however a request
// ends.
func TestRequestsOfAllConnections(t *testing.T) {
	budget := pool.NewBudget(1000)
	cfg := &Config{Requests: budget}
	a, feedA := greeted(t, cfg, &uploaded{})
	b, feedB := greeted(t, cfg, &uploaded{})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(feedA(start, part(1, 900, 600)))
	must(feedB(start, part(1, 900, 400)))
	if budget.Used() != 1000 {
		t.Fatal(budget.Used())
	}
	must(feedB(start, frame.AppendData(nil, 1, []byte{1}, 0)))
	if said := string(drain(b)); !strings.Contains(said, "Requests: too many bytes") || b.Active() != 0 || budget.Used() != 600 {
		t.Fatalf("%q, %d bytes", said, budget.Used())
	}
	must(feedB(start, part(3, 895, 400)))
	must(feedB(start, frame.AppendData(nil, 3, make([]byte, 500), frame.FlagEndStream))) // a whole one is nobody's
	if budget.Used() != 600 {
		t.Fatal(budget.Used())
	}
	must(feedA(start, part(3, 900, 100)))
	must(feedA(start, frame.AppendReset(nil, 3, frame.Cancel)))
	if budget.Used() != 600 {
		t.Fatal(budget.Used())
	}
	a.Close(nil)
	b.Close(nil)
	if budget.Used() != 0 {
		t.Fatal(budget.Used())
	}
}

// A small piece of a request does not keep the block alive that it came in.
func TestPieceIsLean(t *testing.T) {
	c, _ := greeted(t, &Config{}, &uploaded{})
	block := pool.Get(64 << 10)
	back := pool.Live()
	n := len(append(block.Bytes()[:0], part(1, 900, 400)...))
	var in pool.Chain
	in.Append(pool.ViewOf(block, 0, n))
	if err := c.Feed(start, &in); err != nil || c.partial != 400 {
		t.Fatal(err, c.partial)
	}
	drain(c)
	if pool.Invariants && pool.Live() > back {
		t.Errorf("%d blocks are out, %d were", pool.Live(), back)
	}
	if got := c.streams.find(1).in.Views()[0].Bytes(); &got[0] == &block.Bytes()[n-400] {
		t.Error("the piece is still in its block")
	}
}
