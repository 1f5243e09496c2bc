package messaging

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/server/backend"
)

// patience is how long a loaded machine may take.
const patience = 30 * time.Second

// soon makes deliveries due for renewal moments after they began.
func soon(c *Config) {
	c.Renew.Ahead, c.Renew.Period = time.Minute-50*time.Millisecond, 100*time.Millisecond
}

// renewing is a reader that was delivered messages at the offsets from 100 on.
func (w *world) renewing(n int) *peer {
	p := w.reader()
	c := p.call("ReceiveMessage", receiveRequest(func(r *apiv2.ReceiveMessageRequest) { r.AutoRenew = true }))
	op := asked[*backend.Pop](p, 0)
	fill(op, p.now, three()[:n]...)
	p.reply(&op.Exchange, backend.Fault{})
	if !c.ended {
		p.Fatal("the receive did not end")
	}
	p.fake.mu.Lock()
	defer p.fake.mu.Unlock()
	p.fake.log = nil
	return p
}

// renewal is the renewal that is under way.
func (p *peer) renewal() *backend.ChangeInvisible {
	p.Helper()
	for end := time.Now().Add(patience); p.fake.pending() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			p.Fatal("nothing is renewed")
		}
	}
	return asked[*backend.ChangeInvisible](p, 0)
}

// renews brings a renewal home: the delivery ends two hours from now, by its handle.
func (p *peer) renews(op *backend.ChangeInvisible, f backend.Fault) string {
	h := op.Handle
	h.RetrieveTime, h.InvisibleTime = p.now.UnixMilli(), 7_200_000
	text := handle.Append(nil, &h)
	onTurn(op.Home, func() {
		p.fake.home(&op.Exchange)
		p.fake.mu.Lock()
		p.fake.log = nil
		p.fake.mu.Unlock()
		op.Fault, op.Known, op.NewHandle = f, f.OK(), append(op.NewHandle[:0], text...)
		op.Then.OnTurn(p.now)
	})
	return string(text)
}

func given(p *peer, offset int64) string { return handleOf(p.now, offset, offset+900) }

// handleOf is the handle that fill gives a message.
func handleOf(now time.Time, offset, physical int64) string {
	return string(handle.Append(nil, &handle.Handle{
		StartOffset: 90, RetrieveTime: now.UnixMilli(), InvisibleTime: 60_000, ReviveQueueID: 1, TopicMark: handle.MarkNormal,
		Broker: []byte("broker-a"), QueueID: 3, Offset: offset, CommitLogOffset: physical,
	}))
}

// TestEndsUseTheNewestHandle: the client knows the first one only, and may be late by it.
func TestEndsUseTheNewestHandle(t *testing.T) {
	for name, end := range map[string]struct {
		call func(p *peer, handle string) *callStream
		text func(p *peer) string
		says func(c *callStream)
	}{
		"ack": {
			func(p *peer, handle string) *callStream { return p.call("AckMessage", ackRequest(handle)) },
			func(p *peer) string { return string(asked[*backend.Ack](p, 0).HandleText) },
			func(c *callStream) { c.entries(apiv2.Code_OK, "OK", "ID0 20000 OK") },
		},
		"change": {
			func(p *peer, handle string) *callStream {
				return p.call("ChangeInvisibleDuration", &apiv2.ChangeInvisibleDurationRequest{
					Group: resource("readers"), Topic: resource("orders"), ReceiptHandle: handle, InvisibleDuration: durationpb.New(time.Minute),
				})
			},
			func(p *peer) string { return string(asked[*backend.ChangeInvisible](p, 0).HandleText) },
			func(c *callStream) { c.says(&apiv2.ChangeInvisibleDurationResponse{}, apiv2.Code_OK, "OK") },
		},
		"forward": {
			func(p *peer, handle string) *callStream {
				return p.call("ForwardMessageToDeadLetterQueue", forwardRequest(handle))
			},
			func(p *peer) string { return string(asked[*backend.DeadLetter](p, 0).HandleText) },
			func(c *callStream) {
				c.says(&apiv2.ForwardMessageToDeadLetterQueueResponse{}, apiv2.Code_OK, "0")
				c.works()
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newWorld(t, soon).renewing(1)
			first := given(p, 100)
			newest := p.renews(p.renewal(), backend.Fault{})
			p.now = p.now.Add(time.Hour) // the first one is over by far
			c := end.call(p, first)
			if got := end.text(p); got != newest {
				t.Errorf("%s, want %s", got, newest)
			}
			known(p)
			p.reply(exchangeOf(p.fake.asked[0]), backend.Fault{})
			end.says(c)
			if n := p.client.session.Held(); n != 0 {
				t.Errorf("%d are held", n)
			}
		})
		t.Run(name+" while it is renewed", func(t *testing.T) {
			p := newWorld(t, soon).renewing(1)
			op := p.renewal()
			c := end.call(p, given(p, 100))
			if n := p.fake.pending(); n != 1 {
				t.Fatalf("%d operations", n)
			}
			newest := p.renews(op, backend.Fault{})
			p.settle()
			if got := end.text(p); got != newest {
				t.Errorf("%s, want %s", got, newest)
			}
			known(p)
			p.reply(exchangeOf(p.fake.asked[0]), backend.Fault{})
			end.says(c)
		})
		t.Run(name+" by who has canceled", func(t *testing.T) {
			p := newWorld(t, soon).renewing(1)
			op := p.renewal()
			end.call(p, given(p, 100)).cancel()
			p.renews(op, backend.Fault{})
			p.settle()
			p.works()
		})
		t.Run(name+" fails", func(t *testing.T) {
			p := newWorld(t).renewing(1)
			end.call(p, given(p, 100))
			p.reply(exchangeOf(p.fake.asked[0]), backend.Fault{Kind: backend.Timeout})
			if n := p.client.session.Held(); n != 1 {
				t.Errorf("%d are held: the client may try again", n)
			}
			end.call(p, given(p, 100))
			p.reply(exchangeOf(p.fake.asked[0]), backend.Fault{Kind: backend.BadHandle})
			if n := p.client.session.Held(); n != 0 {
				t.Errorf("%d are held", n)
			}
		})
	}
}

// known makes acks and changes succeed.
func known(p *peer) {
	switch op := p.fake.asked[0].(type) {
	case *backend.Ack:
		op.Known = true
	case *backend.ChangeInvisible:
		op.Known = true
	}
}

// TestNotRenewed: neither without the client's wish nor against the configuration.
func TestNotRenewed(t *testing.T) {
	for _, wish := range []bool{false, true} {
		p := newWorld(t, func(c *Config) { c.AutoRenew = !wish }).reader()
		p.call("ReceiveMessage", receiveRequest(func(r *apiv2.ReceiveMessageRequest) { r.AutoRenew = wish }))
		op := asked[*backend.Pop](p, 0)
		fill(op, p.now, three()...)
		p.reply(&op.Exchange, backend.Fault{})
		if n := p.client.session.Held(); n != 0 {
			t.Errorf("%d are held", n)
		}
	}
}

// TestGoneClientsHandBack what they have not acknowledged: by a word, by silence, and with the
// proxy.
func TestGoneClientsHandBack(t *testing.T) {
	for name, end := range map[string]func(p *peer){
		"termination": func(p *peer) {
			p.call("NotifyClientTermination", &apiv2.NotifyClientTerminationRequest{Group: resource("readers")}).
				says(&apiv2.NotifyClientTerminationResponse{}, apiv2.Code_OK, "OK")
		},
		"silence": func(p *peer) { p.Sessions.Sweep(p.now.Add(time.Hour)) },
		"drain":   func(p *peer) { p.Service.Drain() },
		"a broken stream": func(p *peer) {
			stream := p.open("Telemetry")
			stream.send(telemetrySettings(consumerSettings(apiv2.ClientType_PUSH_CONSUMER, "readers", "orders")), 0)
			stream.cancel()
		},
		"an ended stream": func(p *peer) {
			stream := p.open("Telemetry")
			stream.send(telemetrySettings(consumerSettings(apiv2.ClientType_PUSH_CONSUMER, "readers", "orders")), 0)
			stream.halfClose()
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newWorld(t, func(c *Config) { c.Renew.LostAfter = 20 * time.Millisecond }).renewing(1)
			end(p)
			op := p.renewal()
			p.hears("change readers/orders@100 to 1s")
			p.renews(op, backend.Fault{})
		})
	}
}

// TestReceiveOfAGoneClient: what was popped for it is handed back, and nothing is delivered.
func TestReceiveOfAGoneClient(t *testing.T) {
	p := newWorld(t).reader()
	c := p.call("ReceiveMessage", receiveRequest(func(r *apiv2.ReceiveMessageRequest) { r.AutoRenew = true }))
	p.Sessions.End(p.client.session, p.now)
	op := asked[*backend.Pop](p, 0)
	fill(op, p.now, stored{"one", "UNIQ_KEY=ID1;", 0})
	p.reply(&op.Exchange, backend.Fault{})
	c.streams("40401 The client [client-1] is disconnected.", "time")
	p.hears(popped, "change readers/orders@100 to 1s suspended")
	p.works()
}

// TestCanceledDeliveriesAreNotRenewed: what never left is handed back, by its newest handle.
func TestCanceledDeliveriesAreNotRenewed(t *testing.T) {
	for _, renewed := range []string{"no", "under way", "yes"} {
		w := newWorld(t, soon)
		p := w.reader(100)
		c := p.call("ReceiveMessage", receiveRequest(func(r *apiv2.ReceiveMessageRequest) { r.AutoRenew = true }))
		op := asked[*backend.Pop](p, 0)
		fill(op, p.now, three()[0])
		p.reply(&op.Exchange, backend.Fault{})
		p.fake.mu.Lock()
		p.fake.log = nil
		p.fake.mu.Unlock()
		newest := given(p, 100)
		switch renewed {
		case "no":
			c.cancel()
		case "yes":
			newest = p.renews(p.renewal(), backend.Fault{})
			c.cancel()
		case "under way":
			op := p.renewal()
			c.cancel()
			newest = p.renews(op, backend.Fault{})
			p.settle()
		}
		if got := string(asked[*backend.ChangeInvisible](p, 0).HandleText); got != newest {
			t.Errorf("renewed %s: %s, want %s", renewed, got, newest)
		}
		p.hears("change readers/orders@100 to 1s suspended")
		p.works()
		if n := p.client.session.Held(); n != 0 {
			t.Errorf("%d are held", n)
		}
	}
}
