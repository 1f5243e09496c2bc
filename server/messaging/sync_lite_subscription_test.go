package messaging

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/backend"
)

func syncRequest(action apiv2.LiteSubscriptionAction, topics ...string) *apiv2.SyncLiteSubscriptionRequest {
	return &apiv2.SyncLiteSubscriptionRequest{
		Action: action, Topic: resource("orders"), Group: resource("lite"), LiteTopicSet: topics, Version: proto.Int64(7),
	}
}

// liteWorld has a group of lite topics, of which a client may have three.
func liteWorld(t *testing.T, change ...func(*Config)) *world {
	w := newWorld(t, change...)
	w.fake.knowGroup(&backend.Group{Name: "lite", Exists: true, RetryMax: 16, LiteQuota: 3, LiteBindTopic: "orders"})
	return w
}

func TestSyncLite(t *testing.T) {
	p := liteWorld(t).connect()
	for action, want := range []string{
		"lite 0 [a b] of lite/orders for client-1", "lite 1 [a b] of lite/orders for client-1",
		"lite 2 [a b] of lite/orders for client-1", "lite 3 [a b] of lite/orders for client-1",
	} {
		c := p.call("SyncLiteSubscription", syncRequest(apiv2.LiteSubscriptionAction(action), "a", "b"))
		p.hears(want)
		op := asked[*backend.SyncLite](p, 0)
		if op.Version != 7 || op.Start != (backend.LiteStart{}) || op.Deadline.Sub(p.now) != p.CallTimeout {
			t.Errorf("%+v", op)
		}
		p.reply(&op.Exchange, backend.Fault{})
		c.says(&apiv2.SyncLiteSubscriptionResponse{}, apiv2.Code_OK, "OK")
	}
	p.call("SyncLiteSubscription", syncRequest(0, "a")).cancel()
	p.works() // and nobody is answered
}

func TestSyncLiteFails(t *testing.T) {
	eachFault(t, func(t *testing.T, f backend.Fault, code string) {
		p := liteWorld(t).connect()
		c := p.call("SyncLiteSubscription", syncRequest(0, "a"))
		p.reply(&asked[*backend.SyncLite](p, 0).Exchange, f)
		c.says(&apiv2.SyncLiteSubscriptionResponse{}, apiv2.Code(apiv2.Code_value[code]), "it broke")
		request := syncRequest(0, "a")
		request.Group.Name = "unheard"
		c = p.call("SyncLiteSubscription", request)
		p.reply(&asked[*backend.FetchGroup](p, 0).Exchange, f)
		c.says(&apiv2.SyncLiteSubscriptionResponse{}, apiv2.Code(apiv2.Code_value[code]), "it broke")
	})
}

// TestSyncLiteStarts where the client wants; only an addition says so.
func TestSyncLiteStarts(t *testing.T) {
	p := liteWorld(t).connect()
	policy := func(p apiv2.OffsetOption_Policy) *apiv2.OffsetOption {
		return &apiv2.OffsetOption{OffsetType: &apiv2.OffsetOption_Policy_{Policy: p}}
	}
	for _, test := range []struct {
		option *apiv2.OffsetOption
		want   backend.LiteStart
	}{
		{policy(apiv2.OffsetOption_LAST), backend.LiteStart{Kind: backend.LiteStartLast}},
		{policy(apiv2.OffsetOption_MIN), backend.LiteStart{Kind: backend.LiteStartMin}},
		{policy(apiv2.OffsetOption_MAX), backend.LiteStart{Kind: backend.LiteStartMax}},
		{&apiv2.OffsetOption{OffsetType: &apiv2.OffsetOption_Offset{Offset: 5}}, backend.LiteStart{Kind: backend.LiteStartOffset, Value: 5}},
		{&apiv2.OffsetOption{OffsetType: &apiv2.OffsetOption_TailN{TailN: 6}}, backend.LiteStart{Kind: backend.LiteStartTail, Value: 6}},
		{&apiv2.OffsetOption{OffsetType: &apiv2.OffsetOption_Timestamp{Timestamp: 7}}, backend.LiteStart{Kind: backend.LiteStartTimestamp, Value: 7}},
	} {
		for action := range liteActions {
			request := syncRequest(action, "a")
			request.OffsetOption = test.option
			p.call("SyncLiteSubscription", request)
			want := test.want
			if action != apiv2.LiteSubscriptionAction_PARTIAL_ADD {
				want = backend.LiteStart{}
			}
			if got := asked[*backend.SyncLite](p, 0).Start; got != want {
				t.Errorf("%v %v: %+v", action, test.option, got)
			}
			p.works()
		}
	}
}

func TestSyncLiteRefuses(t *testing.T) {
	w := liteWorld(t)
	w.fake.knowGroup(&backend.Group{Name: "missing"})
	p := w.connect()
	many := make([]string, 304)
	for i := range many {
		many[i] = fmt.Sprint("lite-", i)
	}
	add := func(topics ...string) *apiv2.SyncLiteSubscriptionRequest { return syncRequest(0, topics...) }
	changed := func(r *apiv2.SyncLiteSubscriptionRequest, change func(r *apiv2.SyncLiteSubscriptionRequest)) *apiv2.SyncLiteSubscriptionRequest {
		change(r)
		return r
	}
	for _, test := range []struct {
		request *apiv2.SyncLiteSubscriptionRequest
		code    apiv2.Code
		text    string
	}{
		{&apiv2.SyncLiteSubscriptionRequest{}, 40002, "The specified topic is blank"},
		{&apiv2.SyncLiteSubscriptionRequest{Topic: resource("orders")}, 40003, "the specified group is blank"},
		{syncRequest(9, "a"), 50001, "unknown lite subscription action: 9"},
		{add("a", ""), 40020, "lite topic cannot be the char sequence of whitespace"},
		{add(strings.Repeat("x", 65)), 40020, "lite topic exceed the max size 64"},
		{add("a b"), 40020, "lite topic can only contain alphanumeric characters, hyphens(-), and underscores(_)"},
		{changed(add("a"), func(r *apiv2.SyncLiteSubscriptionRequest) { r.OffsetOption = &apiv2.OffsetOption{} }), 50001, "the offset option is empty"},
		{changed(add("a"), func(r *apiv2.SyncLiteSubscriptionRequest) {
			r.OffsetOption = &apiv2.OffsetOption{OffsetType: &apiv2.OffsetOption_Policy_{Policy: 3}}
		}), 50001, "unknown offset policy: 3"},
		{changed(add("a"), func(r *apiv2.SyncLiteSubscriptionRequest) { r.Group.Name = "missing" }), 40003, "group not found: missing"},
		{changed(add("a"), func(r *apiv2.SyncLiteSubscriptionRequest) { r.Group.Name = "readers" }), 40002,
			"lite group readers is expected to bind topic null, but actual is orders"},
		{changed(add("a"), func(r *apiv2.SyncLiteSubscriptionRequest) { r.Topic.Name = "others" }), 40002,
			"lite group lite is expected to bind topic orders, but actual is others"},
		{add(many...), 42902, "lite subscription quota exceeded: 3"},
		{syncRequest(2, many...), 42902, "lite subscription quota exceeded: 3"},
	} {
		p.call("SyncLiteSubscription", test.request).says(&apiv2.SyncLiteSubscriptionResponse{}, test.code, test.text)
	}
	p.hears()
	for _, request := range []*apiv2.SyncLiteSubscriptionRequest{syncRequest(1, "a b"), add(many[:303]...), add()} {
		p.call("SyncLiteSubscription", request)
		if p.fake.pending() != 1 {
			t.Errorf("%v was refused", request)
		}
		p.works()
	}
}

// TestSyncLiteRate is of all clients together; only additions count.
func TestSyncLiteRate(t *testing.T) {
	w := liteWorld(t, func(c *Config) { c.LiteSyncRate = 2 })
	p, q := w.connect(), w.connect()
	full := func(p *peer) {
		t.Helper()
		p.call("SyncLiteSubscription", syncRequest(0, "a")).says(&apiv2.SyncLiteSubscriptionResponse{}, 42900,
			"Too many syncLiteSubscription requests, topic=orders, group=lite, clientId=client-1")
	}
	passes := func(p *peer, action apiv2.LiteSubscriptionAction) {
		t.Helper()
		c := p.call("SyncLiteSubscription", syncRequest(action, "a"))
		p.works()
		c.says(&apiv2.SyncLiteSubscriptionResponse{}, apiv2.Code_OK, "OK")
	}
	passes(p, 0)
	passes(q, 0)
	full(p)
	full(q)
	passes(p, 2)
	w.now = w.now.Add(500 * time.Millisecond)
	passes(p, 0)
	full(q)
	w.now = w.now.Add(time.Hour)
	passes(p, 0)
	passes(p, 0)
	full(q)
}

// liteReader is a lite consumer with an open telemetry stream.
func (w *world) liteReader() (*peer, *callStream) {
	p := w.connect()
	c := p.open("Telemetry")
	c.send(telemetrySettings(consumerSettings(apiv2.ClientType_LITE_PUSH_CONSUMER, "lite", "orders")), 0)
	c.told(1)
	return p, c
}

func liteReceive(r *apiv2.ReceiveMessageRequest) {
	r.Group, r.AutoRenew = resource("lite"), true
}

// TestReceiveLite pops from the lite topics of the client, who ends its deliveries by their
// lite topic.
func TestReceiveLite(t *testing.T) {
	p, _ := liteWorld(t, func(c *Config) { c.LiteUnackedMax = 1 }).liteReader()
	c := p.call("ReceiveMessage", receiveRequest(liteReceive))
	op := asked[*backend.Pop](p, 0)
	if !op.Lite || string(op.ClientID) != "client-1" {
		t.Errorf("%+v", op)
	}
	fill(op, p.now, stored{"one", "UNIQ_KEY=ID1;__LITE_TOPIC=a;", 0}, stored{"two", "UNIQ_KEY=ID2;__LITE_TOPIC=b;", 0}, stored{"old", "UNIQ_KEY=ID3;__LITE_TOPIC=c;", 17})
	p.reply(&op.Exchange, backend.Fault{})
	all := c.streams("20000 OK", `message "one"`, `message "two"`, "time")
	if got := all[1].GetMessage().GetSystemProperties().GetLiteTopic(); got != "a" {
		t.Error(got)
	}
	if d := asked[*backend.DeadLetter](p, 0); string(d.LiteTopic) != "c" {
		t.Errorf("the dead letter is of %q", d.LiteTopic)
	}
	p.works()
	p.call("ReceiveMessage", receiveRequest(liteReceive)).
		streams("40300 The client [client-1] has too many unacked messages. Unacked count: 2", "time")

	for left, m := range []*apiv2.ReceiveMessageResponse{all[2], all[1]} {
		properties := m.GetMessage().GetSystemProperties()
		ack := ackRequest(properties.GetReceiptHandle())
		ack.Group, ack.Entries[0].LiteTopic = resource("lite"), proto.String(properties.GetLiteTopic())
		p.call("AckMessage", ack)
		if a := asked[*backend.Ack](p, 0); string(a.LiteTopic) != properties.GetLiteTopic() {
			t.Errorf("acknowledged of %q, not %q", a.LiteTopic, properties.GetLiteTopic())
		}
		p.works()
		if n := p.client.session.Held(); n != 1-left {
			t.Errorf("%d are held, not %d", n, 1-left)
		}
	}
}

// TestLiteReadersLeave their lite topics when they are gone, or cannot be heard; not when they
// have come back meanwhile.
func TestLiteReadersLeave(t *testing.T) {
	const left = "lite 3 [] of lite/orders for client-1"
	for name, end := range map[string]func(p *peer, c *callStream) (want []string){
		"broken stream":     func(_ *peer, c *callStream) []string { c.cancel(); return []string{left} },
		"broken connection": func(p *peer, _ *callStream) []string { p.close(); return []string{left} },
		"half close":        func(_ *peer, c *callStream) []string { c.halfClose(); return nil },
		"another stream": func(p *peer, c *callStream) []string {
			p.open("Telemetry").send(telemetrySettings(consumerSettings(apiv2.ClientType_LITE_PUSH_CONSUMER, "lite", "orders")), 0)
			c.cancel()
			return nil
		},
		"silence": func(p *peer, c *callStream) []string {
			c.halfClose()
			p.Sessions.Sweep(p.now.Add(time.Hour))
			return []string{left}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := liteWorld(t)
			p, c := w.liteReader()
			p.fake.log = nil
			want := end(p, c)
			onTurn(w.renewer.Turn(), func() {})
			p.hears(want...)
			p.works()
			p.close()
			onTurn(w.renewer.Turn(), func() {})
			p.works()
		})
	}
	p, c := liteWorld(t).liteReader()
	c.halfClose()
	p.call("ReceiveMessage", receiveRequest(liteReceive)).streams("40000 The client [client-1] is disconnected.", "time")
}
