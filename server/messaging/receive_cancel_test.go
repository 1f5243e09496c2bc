package messaging

import (
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/backend"
)

const popped, change100, change101, change102 = "pop orders for readers, 32, 20s",
	"change readers/orders@100 to 1s suspended", "change readers/orders@101 to 1s suspended", "change readers/orders@102 to 1s suspended"

// three are messages of about 1 KiB each on the stream.
func three() []stored {
	body := strings.Repeat("x", 1000)
	return []stored{{body, "UNIQ_KEY=ID1;", 0}, {body, "UNIQ_KEY=ID2;", 0}, {body, "UNIQ_KEY=ID3;", 0}}
}

// TestReceiveCanceledEarly: before anything was popped there is nothing to hand back.
func TestReceiveCanceledEarly(t *testing.T) {
	unheard := func(r *apiv2.ReceiveMessageRequest) {
		r.Group, r.MessageQueue.Topic = resource("new"), resource("unheard")
	}
	topic := &backend.Topic{Name: "unheard", Exists: true}

	p := newWorld(t).reader()
	p.open("ReceiveMessage").cancel()
	p.hears()

	p.call("ReceiveMessage", receiveRequest(unheard)).cancel() // before the topic
	fetch := asked[*backend.FetchTopic](p, 0)
	fetch.Found = topic
	p.reply(&fetch.Exchange, backend.Fault{})
	p.hears("topic unheard")

	c := p.call("ReceiveMessage", receiveRequest(unheard)) // before the group
	fetch = asked[*backend.FetchTopic](p, 0)
	fetch.Found = topic
	p.reply(&fetch.Exchange, backend.Fault{})
	c.cancel()
	p.works()
	p.hears("topic unheard", "group new")
}

// TestReceiveCanceledInThePoll: what comes for nobody is handed back, all of it.
func TestReceiveCanceledInThePoll(t *testing.T) {
	end := map[string]func(p *peer, c *callStream){
		"by the client":       func(_ *peer, c *callStream) { c.cancel() },
		"by its deadline":     func(p *peer, _ *callStream) { p.later(24 * time.Second) },
		"with the connection": func(p *peer, _ *callStream) { p.close() },
	}
	for name, end := range end {
		t.Run(name, func(t *testing.T) {
			p := newWorld(t).reader()
			c := p.call("ReceiveMessage", receiveRequest(tagged("a")), within(23*time.Second, "5.1.3")...)
			end(p, c)
			op := asked[*backend.Pop](p, 0)
			fill(op, p.now, stored{"for us", "TAGS=a;", 0}, stored{"for others", "TAGS=b;", 99})
			p.reply(&op.Exchange, backend.Fault{})
			p.hears(popped, change100, change101)
			if words, _ := c.elements(); len(words) > 0 {
				t.Errorf("a canceled receive heard %q", words)
			}
			p.works()
			p.hears()
		})
	}
	t.Run("for nothing", func(t *testing.T) {
		p := newWorld(t).reader()
		for _, f := range []backend.Fault{{}, {Kind: backend.Timeout}} {
			p.call("ReceiveMessage", receiveRequest()).cancel()
			p.reply(&asked[*backend.Pop](p, 0).Exchange, f)
			p.hears(popped)
		}
	})
}

// TestReceiveCanceledBehindTheWindow: only what had not left whole is handed back.
func TestReceiveCanceledBehindTheWindow(t *testing.T) {
	// size is what one of the three takes on the stream, status and all.
	size := func(p *peer) (status, message int) {
		c := p.call("ReceiveMessage", receiveRequest())
		op := asked[*backend.Pop](p, 0)
		fill(op, p.now, three()...)
		p.reply(&op.Exchange, backend.Fault{})
		all := c.messages()
		return 5 + len(all[0]), 5 + len(all[1])
	}
	status, message := size(newWorld(t).reader())
	for _, test := range []struct {
		name   string
		window int
		back   []string
	}{
		{"not even the status", status - 1, []string{change100, change101, change102}},
		{"the status", status, []string{change100, change101, change102}},
		{"almost the first", status + message - 1, []string{change100, change101, change102}},
		{"the first", status + message, []string{change101, change102}},
		{"a bit of the second", status + message + 1, []string{change101, change102}},
		{"almost all messages", status + 3*message - 1, []string{change102}},
		{"all messages", status + 3*message, nil},
		{"almost everything", status + 3*message + 5, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newWorld(t).reader(uint32(test.window))
			c := p.call("ReceiveMessage", receiveRequest())
			op := asked[*backend.Pop](p, 0)
			fill(op, p.now, three()...)
			p.reply(&op.Exchange, backend.Fault{})
			if len(c.data) != test.window || c.ended {
				t.Fatalf("%d bytes left, ended %v", len(c.data), c.ended)
			}
			c.cancel()
			p.hears(append([]string{popped}, test.back...)...)
			p.works()
		})
	}
}

// TestReceiveLeavesAsTheWindowOpens, and nothing is handed back then.
func TestReceiveLeavesAsTheWindowOpens(t *testing.T) {
	p := newWorld(t).reader(100)
	c := p.call("ReceiveMessage", receiveRequest())
	op := asked[*backend.Pop](p, 0)
	fill(op, p.now, three()...)
	p.reply(&op.Exchange, backend.Fault{})
	for range 10 {
		p.call("ReceiveMessage", receiveRequest()) // others use the memory meanwhile
	}
	for len(p.fake.asked) > 0 {
		other := asked[*backend.Pop](p, 0)
		fill(other, p.now, stored{"y", "UNIQ_KEY=OTHER;", 0})
		p.reply(&other.Exchange, backend.Fault{})
	}
	for range 40 {
		c.window(100)
	}
	all := c.streams("20000 OK", "message "+quoted(1000), "message "+quoted(1000), "message "+quoted(1000), "time")
	if id := all[3].GetMessage().GetSystemProperties().GetMessageId(); id != "ID3" {
		t.Errorf("the last is %s", id)
	}
	if strings.Contains(strings.Join(p.fake.log, "\n"), "change") {
		t.Errorf("handed back: %q", p.fake.log)
	}
	p.close() // the others still wait for their windows
	p.works()
}

func quoted(n int) string { return `"` + strings.Repeat("x", n) + `"` }

// TestReceiveRefusalBehindTheWindow has nothing to hand back.
func TestReceiveRefusalBehindTheWindow(t *testing.T) {
	p := newWorld(t).reader(3)
	c := p.call("ReceiveMessage", receiveRequest())
	p.reply(&asked[*backend.Pop](p, 0).Exchange, backend.Fault{Kind: backend.Busy})
	c.cancel()
	p.hears(popped)
}

// TestReceiveDeadlineBehindTheWindow: a deadline that passes while messages wait is as good as
// a cancel.
func TestReceiveDeadlineBehindTheWindow(t *testing.T) {
	p := newWorld(t).reader(100)
	c := p.call("ReceiveMessage", receiveRequest(), within(23*time.Second, "5.1.3")...)
	op := asked[*backend.Pop](p, 0)
	fill(op, p.now, three()...)
	p.reply(&op.Exchange, backend.Fault{})
	p.later(24 * time.Second)
	if !strings.HasPrefix(c.status(), "4 ") {
		t.Errorf("status %q", c.status())
	}
	p.hears(popped, change100, change101, change102)
	p.works()
}
