package messaging

import (
	"testing"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/backend"
)

func tagged(expression string) func(*apiv2.ReceiveMessageRequest) {
	return func(r *apiv2.ReceiveMessageRequest) { r.FilterExpression.Expression = expression }
}

// TestReceiveFiltersAgain: a message whose tag only has the same hash is acknowledged.
func TestReceiveFiltersAgain(t *testing.T) {
	p := newWorld(t).reader()
	c := p.call("ReceiveMessage", receiveRequest(tagged(" Aa||  b ")))
	op := asked[*backend.Pop](p, 0)
	if string(op.Expression) != " Aa||  b " {
		t.Errorf("the broker is asked for %q", op.Expression)
	}
	fill(op, p.now, stored{"kept", "TAGS=Aa;", 0}, stored{"alike", "TAGS=BB;", 0}, stored{"none", "", 0}, stored{"too", "TAGS=b;", 0})
	p.hears("pop orders for readers, 32, 20s")
	p.reply(&op.Exchange, backend.Fault{})
	c.streams("20000 OK", `message "kept"`, `message "too"`, "time")
	p.hears("ack readers/orders@101", "ack readers/orders@102")
	p.works()

	c = p.call("ReceiveMessage", receiveRequest(tagged("Aa")))
	op = asked[*backend.Pop](p, 0)
	fill(op, p.now, stored{"alike", "TAGS=BB;", 0})
	p.reply(&op.Exchange, backend.Fault{})
	c.streams("40401 no match message", "time")
	p.works()
	p.hears("pop orders for readers, 32, 20s", "ack readers/orders@100")
}

// TestReceiveDeadLetters: what was delivered as often as may be becomes a dead letter, and is
// acknowledged only when it has become one.
func TestReceiveDeadLetters(t *testing.T) {
	w := newWorld(t)
	w.fake.knowGroup(&backend.Group{Name: "readers", Exists: true, RetryMax: 2})
	p := w.reader()
	c := p.call("ReceiveMessage", receiveRequest())
	op := asked[*backend.Pop](p, 0)
	fill(op, p.now, stored{"dead", "UNIQ_KEY=ID1;", 3}, stored{"last try", "UNIQ_KEY=ID2;", 2}, stored{"dead too", "UNIQ_KEY=ID3;", 9})
	p.reply(&op.Exchange, backend.Fault{})
	c.streams("20000 OK", `message "last try"`, "time")
	p.hears("pop orders for readers, 32, 20s", "dead readers/orders@100 id ID1", "dead readers/orders@102 id ID3")

	p.reply(&asked[*backend.DeadLetter](p, 0).Exchange, backend.Fault{})
	p.hears("ack readers/orders@100")
	p.reply(&asked[*backend.DeadLetter](p, 0).Exchange, backend.Fault{Kind: backend.Timeout})
	p.hears()
	p.works()
}

func TestTagFilter(t *testing.T) {
	for expression, want := range map[string]struct {
		sound bool
		asks  string
		lets  string // of the tags a, b, "" and *
	}{
		"":         {true, "*", "a b  *"},
		"*":        {true, "*", "a b  *"},
		"a":        {true, "a", "a"},
		"a||b":     {true, "a||b", "a b"},
		" a || b ": {true, " a || b ", "a b"},
		"||a||||":  {true, "||a||||", "a"},
		"a||*":     {true, "a||*", "a *"},
		"a|b":      {true, "a|b", ""},
		"||":       {false, "", ""},
		"||||":     {false, "", ""},
		" ":        {true, " ", "a b  *"}, // whatever the broker finds, which is nothing
		"|| ||":    {true, "|| ||", "a b  *"},
	} {
		var f tagFilter
		asks, _, sound := f.read(&apiv2.FilterView{FilterExpression: []byte(expression)})
		if sound != want.sound {
			t.Errorf("%q: sound %v", expression, sound)
			continue
		} else if !sound {
			continue
		}
		if got := string(asks); got != want.asks {
			t.Errorf("%q: asks for %q, want %q", expression, got, want.asks)
		}
		lets := ""
		for i, tag := range []string{"a", "b", "", "*"} {
			if f.matches([]byte("k\x01v\x02TAGS\x01" + tag + "\x02")) {
				if i > 0 && lets != "" {
					lets += " "
				}
				lets += tag
			}
		}
		if lets != want.lets {
			t.Errorf("%q lets %q through, want %q", expression, lets, want.lets)
		}
	}
}
