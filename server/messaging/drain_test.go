package messaging

import (
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/server/backend"
)

// shutdown asks the connection to end; GOAWAY is no surprise then.
func (p *peer) shutdown() {
	p.Helper()
	p.leaving = true
	p.do(func() { p.client.Shutdown().OnTurn(p.now) })
}

func (p *peer) done() (done bool) {
	p.do(func() { done = p.client.Done() })
	return done
}

// TestDrain ends polls and telemetry at once, and lets the rest come to its end.
func TestDrain(t *testing.T) {
	p := newWorld(t).reader()
	stream := p.open("Telemetry")
	stream.send(telemetrySettings(consumerSettings(apiv2.ClientType_SIMPLE_CONSUMER, "readers", "orders")), 0)
	poll := p.call("ReceiveMessage", receiveRequest())
	send := p.call("SendMessage", sendRequest(message1()))
	p.hears(popped, `send orders ["hello"]`)
	p.shutdown()
	if told := stream.commands(); told[len(told)-1].GetReconnectEndpointsCommand() == nil {
		t.Errorf("the last words are %v", told[len(told)-1])
	}
	if stream.status() != "0 " || p.Sessions.Find([]byte("client-1")).Live() {
		t.Errorf("telemetry: %q", stream.status())
	}
	poll.streams("40401 no new message", "time")

	op := asked[*backend.Pop](p, 0)
	fill(op, p.now, stored{"too late", "UNIQ_KEY=ID1;", 0})
	p.reply(&op.Exchange, backend.Fault{})
	p.hears(change100)
	if send.ended || p.done() {
		t.Error("the send was not waited for")
	}
	p.works()
	send.says(&apiv2.SendMessageResponse{}, apiv2.Code_OK, "OK")
	p.shutdown() // once more
}

// TestDrainBehindTheWindow: an answer that waits still belongs to its stream when the pop has
// come home, and must not be taken for another call's when the stream ends.
func TestDrainBehindTheWindow(t *testing.T) {
	for _, canceledFirst := range []bool{false, true} {
		p := newWorld(t).reader(3)
		poll := p.call("ReceiveMessage", receiveRequest())
		p.shutdown()
		if poll.ended {
			t.Fatal("the answer does not wait")
		}
		if canceledFirst {
			poll.cancel()
		}
		op := asked[*backend.Pop](p, 0)
		fill(op, p.now, stored{"too late", "UNIQ_KEY=ID1;", 0})
		p.reply(&op.Exchange, backend.Fault{})
		p.hears(popped, change100)
		p.works()

		other := p.world.reader() // takes what memory there is
		next := other.call("ReceiveMessage", receiveRequest())
		if !canceledFirst {
			poll.cancel()
		}
		op = asked[*backend.Pop](other, 0)
		fill(op, p.now, stored{"in time", "UNIQ_KEY=ID2;", 0})
		other.reply(&op.Exchange, backend.Fault{})
		next.streams("20000 OK", `message "in time"`, "time")
	}
}

// TestDrainBeforeThePop ends polls that still learn what they need to know.
func TestDrainBeforeThePop(t *testing.T) {
	for name, begin := range map[string]func(p *peer) (poll *callStream, home func()){
		"settings": func(p *peer) (*callStream, func()) {
			who := p.Sessions.Open([]byte("client-2"), p.now)
			who.Bind(p) // a telemetry stream on which nothing was said yet
			poll := p.call("ReceiveMessage", receiveRequest(), "x-mq-client-id", "client-2", "x-mq-language", "GO", "x-mq-client-version", "5.1.3")
			return poll, func() {
				who.Unbind(p)
				p.settle()
			}
		},
		"topic": func(p *peer) (*callStream, func()) {
			poll := p.call("ReceiveMessage", receiveRequest(func(r *apiv2.ReceiveMessageRequest) { r.MessageQueue.Topic = resource("new") }))
			return poll, func() {
				op := asked[*backend.FetchTopic](p, 0)
				op.Found = &backend.Topic{Name: "new", Exists: true}
				p.reply(&op.Exchange, backend.Fault{})
				p.hears("topic new")
			}
		},
		"group": func(p *peer) (*callStream, func()) {
			poll := p.call("ReceiveMessage", receiveRequest(func(r *apiv2.ReceiveMessageRequest) { r.Group = resource("new") }))
			return poll, func() {
				op := asked[*backend.FetchGroup](p, 0)
				p.reply(&op.Exchange, backend.Fault{})
				p.hears("group new")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newWorld(t).reader()
			poll, home := begin(p)
			if poll.ended {
				t.Fatal("it does not wait")
			}
			p.shutdown()
			poll.streams("40401 no new message", "time")
			home() // finds nobody, and pops nothing
		})
	}
}

// TestDrainLateComers: what a client begins before it knows that it should leave ends at once too,
// and nothing is popped for it.
func TestDrainLateComers(t *testing.T) {
	p := newWorld(t).reader()
	p.shutdown()
	p.call("ReceiveMessage", receiveRequest()).streams("40401 no new message", "time")
	p.call("PullMessage", pullRequest()).pulled("40401 no new message", "next 100")
	stream := p.open("Telemetry")
	stream.send(telemetrySettings(consumerSettings(apiv2.ClientType_SIMPLE_CONSUMER, "readers", "orders")), 0)
	p.settle()
	if told := stream.commands(); len(told) == 0 || told[len(told)-1].GetReconnectEndpointsCommand() == nil || stream.status() != "0 " {
		t.Errorf("telemetry was told %v, status %q", told, stream.status())
	}
	send := p.call("SendMessage", sendRequest(message1()))
	p.hears(`send orders ["hello"]`)
	p.works()
	send.says(&apiv2.SendMessageResponse{}, apiv2.Code_OK, "OK")
}

// TestDrainByAge: an old connection ends as at a shutdown.
func TestDrainByAge(t *testing.T) {
	w := newWorld(t)
	w.h2.Limits = h2.Limits{AgeMax: time.Hour, KeepaliveInterval: -1}
	p := w.reader()
	stream := p.open("Telemetry")
	poll := p.call("ReceiveMessage", receiveRequest())
	send := p.call("SendMessage", sendRequest(message1()))
	p.later(time.Hour - time.Second)
	if poll.ended || stream.ended {
		t.Fatal("too early")
	}
	p.leaving = true
	p.later(time.Second)
	poll.streams("40401 no new message", "time")
	if told := stream.commands(); len(told) != 1 || told[0].GetReconnectEndpointsCommand() == nil || stream.status() != "0 " {
		t.Errorf("telemetry was told %v, status %q", told, stream.status())
	}
	op := asked[*backend.Pop](p, 0)
	p.reply(&op.Exchange, backend.Fault{Kind: backend.Timeout})
	p.hears(popped, `send orders ["hello"]`)
	p.later(time.Second)
	if p.done() {
		t.Error("the send was not waited for")
	}
	p.works()
	send.says(&apiv2.SendMessageResponse{}, apiv2.Code_OK, "OK")
	if !p.done() {
		t.Error("the connection stays")
	}
}
