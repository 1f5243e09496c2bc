package messaging

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/server/backend"
)

// TestInflightBytesMax: what waits for a broker counts until it is home, also when nobody wants
// the answer any more.
func TestInflightBytesMax(t *testing.T) {
	request := sendRequest(message1())
	one := proto.Size(request) + callBytes
	for _, room := range []int{2 * one, 3*one - 1} {
		w := newWorld(t, func(c *Config) { c.InflightBytesMax = room })
		p := w.connect()
		first, second := p.call("SendMessage", request), p.call("SendMessage", request)
		refused := func() {
			t.Helper()
			p.call("SendMessage", request).says(&apiv2.SendMessageResponse{}, apiv2.Code_TOO_MANY_REQUESTS, "too many requests in flight: inflightBytesMax")
		}
		refused()
		second.cancel()
		refused()
		p.reply(&asked[*backend.Send](p, 1).Exchange, backend.Fault{})
		third := p.call("SendMessage", request)
		refused()
		p.works()
		first.says(&apiv2.SendMessageResponse{}, apiv2.Code_OK, "OK")
		third.says(&apiv2.SendMessageResponse{}, apiv2.Code_OK, "OK")
		if used := w.inflight.Used(); used != 0 {
			t.Errorf("%d bytes are in flight at the end", used)
		}
	}
}

// TestInflightBytesCountTheBody: a request larger than the limit never goes.
func TestInflightBytesCountTheBody(t *testing.T) {
	request := sendRequest(message1(func(m *apiv2.Message) { m.Body = []byte(strings.Repeat("b", 100_000)) }))
	for room, code := range map[int]apiv2.Code{
		proto.Size(request) + callBytes:     apiv2.Code_OK,
		proto.Size(request) + callBytes - 1: apiv2.Code_TOO_MANY_REQUESTS,
	} {
		p := newWorld(t, func(c *Config) { c.InflightBytesMax = room }).connect()
		c := p.call("SendMessage", request)
		p.works()
		var answer apiv2.SendMessageResponse
		c.answer(&answer)
		if got := answer.GetStatus().GetCode(); got != code {
			t.Errorf("%v with room for %d, want %v", got, room, code)
		}
	}
}

// TestLongPollsMax: one more than may wait is refused; one that nobody waits for counts until it
// is home.
func TestLongPollsMax(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.LongPollsMax = 2 })
	p := w.reader()
	poll := func() *callStream { return p.call("ReceiveMessage", receiveRequest()) }
	refused := func() {
		t.Helper()
		if words, _ := poll().elements(); len(words) == 0 || !strings.HasPrefix(words[0], "42900 ") {
			t.Errorf("the receive heard %q", words)
		}
	}
	poll()
	second := poll()
	refused()
	second.cancel()
	refused()
	p.reply(&asked[*backend.Pop](p, 1).Exchange, backend.Fault{})
	poll()
	refused()
	p.works()
	if used := w.polls.Used(); used != 0 {
		t.Errorf("%d receives wait at the end", used)
	}
}

// TestColdBytesMax: what is as long as may be is read, and one byte more is not.
func TestColdBytesMax(t *testing.T) {
	for _, test := range []struct {
		method string
		most   int
		parsed string // gRPC status
	}{
		{"Heartbeat", coldBytesMax, "13 Invalid protobuf byte sequence: "},
		{"Telemetry", telemetryBytesMax, "13 Invalid protobuf byte sequence: "},
	} {
		p := newWorld(t).connect()
		for n, want := range map[int]string{test.most: test.parsed, test.most + 1: fmt.Sprintf("8 the request has %d bytes, more than %d", test.most+1, test.most)} {
			c := p.open(test.method)
			c.raw(make([]byte, n), frame.FlagEndStream)
			if got := c.status(); !strings.HasPrefix(got, want) {
				t.Errorf("%s of %d bytes: %q, want %q", test.method, n, got, want)
			}
		}
	}
}

// TestNoMemoryForPolls: with too little memory a new receive or pull is refused, and one that waits is answered; sends
// go on.
func TestNoMemoryForPolls(t *testing.T) {
	memory := new(pool.Pressure)
	w := newWorld(t, func(c *Config) { c.Memory = memory })
	p := w.reader()
	waits := p.call("ReceiveMessage", receiveRequest())
	memory.Set(pool.NoPolls, 80, 100)
	const words = "42900 too little memory for receives that wait: GOMEMLIMIT"
	if said, _ := p.call("ReceiveMessage", receiveRequest()).elements(); len(said) == 0 || said[0] != words {
		t.Errorf("the receive heard %q", said)
	}
	p.call("PullMessage", pullRequest(), within(23*time.Second, "5.1.3")...).pulled(words)
	if n := memory.Refused(pool.NoPolls); n != 2 {
		t.Errorf("%d were counted", n)
	}
	send := p.call("SendMessage", sendRequest(message1()))
	p.works()
	send.says(&apiv2.SendMessageResponse{}, apiv2.Code_OK, "OK")
	if said, _ := waits.elements(); len(said) == 0 {
		t.Error("the receive that waited was not answered")
	}
	memory.Set(pool.Calm, 74, 100)
	p.call("ReceiveMessage", receiveRequest())
	if used := w.polls.Used(); used != 1 {
		t.Errorf("%d receives wait when there is memory again", used)
	}
	p.works()
}
