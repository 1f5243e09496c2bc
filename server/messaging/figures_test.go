package messaging

import (
	"slices"
	"testing"
	"time"

	"rocketmq-proxy/codec/apiv2"
)

func (p *peer) figures() (f Figures) {
	p.do(func() { f = p.client.Figures() })
	return f
}

// TestFigures follows a connection from its first call to its end.
func TestFigures(t *testing.T) {
	p := newWorld(t).connect()
	expect := func(when string, open, begun int, leaving bool, ids ...string) {
		t.Helper()
		if f := p.figures(); f.CallsOpen != open || f.CallsBegun != begun || f.Leaving != leaving || !f.HeardAt.Equal(p.now) || !slices.Equal(f.ClientIDs, ids) {
			t.Errorf("%s: %+v; want %d calls of %d, leaving: %v, at %v, of %v", when, f, open, begun, leaving, p.now, ids)
		}
	}
	expect("new", 0, 0, false)

	p.later(time.Second)
	stream := p.open("Telemetry")
	stream.send(telemetrySettings(producerSettings("orders")), 0)
	expect("introduced", 1, 1, false, "client-1")

	p.later(time.Second)
	send := p.call("SendMessage", sendRequest(message1()))
	p.hears(`send orders ["hello"]`)
	expect("sending", 2, 2, false, "client-1")

	p.shutdown()
	expect("leaving", 1, 2, true)
	p.works()
	send.says(&apiv2.SendMessageResponse{}, apiv2.Code_OK, "OK")
	expect("done", 0, 2, true)
}

// TestFiguresOfACaller: who has its telemetry stream elsewhere is known by its heartbeats, until it
// says goodbye.
func TestFiguresOfACaller(t *testing.T) {
	w := newWorld(t)
	who := w.settled("client-1", producerSettings("orders"))
	p := w.connect()
	p.call("Heartbeat", &apiv2.HeartbeatRequest{}).says(&apiv2.HeartbeatResponse{}, apiv2.Code_OK, "OK")
	if f := p.figures(); !slices.Equal(f.ClientIDs, []string{"client-1"}) {
		t.Errorf("%+v", f)
	}
	w.Sessions.End(who, w.now)
	if f := p.figures(); len(f.ClientIDs) > 0 {
		t.Errorf("%+v", f)
	}
}

// TestFiguresOfWhatWaits: a client that opens no window has its answer wait.
func TestFiguresOfWhatWaits(t *testing.T) {
	p := newWorld(t).connect(0)
	p.call("QueryRoute", &apiv2.QueryRouteRequest{Topic: resource("orders")})
	if f := p.figures(); f.UnsentBytes == 0 || f.CallsOpen != 1 {
		t.Errorf("%+v; want one call with an answer that waits", f)
	}
}
