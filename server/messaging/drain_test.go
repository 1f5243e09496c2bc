package messaging

import (
	"testing"

	"rocketmq-proxy/codec/apiv2"
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
