package h2

import (
	"testing"

	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/pool"
)

// With too little memory new calls are refused, so that clients may try again, as many as come, and what they send besides
// is dropped; the connection, and the call that was there, go on. On the level below it, and when it is over, calls are taken.
func TestNoMemoryForCalls(t *testing.T) {
	memory := new(pool.Pressure)
	cfg := &Config{Counters: new(Counters), Memory: memory}
	c := New(cfg, &echo{reply: []byte("x")}, start)
	t.Cleanup(func() { c.Close(nil) })
	feed := func(b []byte) (all []string) {
		t.Helper()
		var in pool.Chain
		in.Write(b)
		if err := c.Feed(start, &in); err != nil {
			t.Fatal(err)
		}
		return answers(t, drain(c))
	}
	memory.Set(pool.NoPolls, 89, 100)
	feed(append(hello(), openCall(0)...))

	memory.Set(pool.NoCalls, 90, 100)
	const refused = 1000 // many more than RefusedStreams lets pass
	for i := range refused {
		if got := feed(whole(i + 1)); len(got) != 1 || got[0] != "REFUSED_STREAM" {
			t.Fatalf("call %d is answered %v", i, got)
		}
	}
	if n := memory.Refused(pool.NoCalls); n != refused || c.Active() != 1 {
		t.Errorf("%d were counted, %d calls are open", n, c.Active())
	}
	for v := range Violation(Violations) {
		if n := cfg.Counters.Violations[v].Load(); n > 0 {
			t.Errorf("%v was counted %d times", v, n)
		}
	}
	if got := feed(frame.AppendData(nil, odd(0), []byte{0, 0, 0, 0, 0}, frame.FlagEndStream)); len(got) != 1 || got[0] != "grpc-status=0" {
		t.Errorf("the call that was there is answered %v", got)
	}
	memory.Set(pool.NoPolls, 84, 100)
	if got := feed(whole(refused + 1)); len(got) != 1 || got[0] != "grpc-status=0" {
		t.Errorf("a call is answered %v when there is memory again", got)
	}
}
