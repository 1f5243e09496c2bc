package messaging

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/backend"
)

func telemetrySettings(s *apiv2.Settings) *apiv2.TelemetryCommand {
	return &apiv2.TelemetryCommand{Command: &apiv2.TelemetryCommand_Settings{Settings: s}}
}

// commands are those that the server sent on a telemetry stream.
func (c *callStream) commands() (all []*apiv2.TelemetryCommand) {
	c.Helper()
	for _, b := range c.messages() {
		m := &apiv2.TelemetryCommand{}
		if err := proto.Unmarshal(b, m); err != nil {
			c.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// told is the settings in the n-th answer, which says OK.
func (c *callStream) told(n int) *apiv2.Settings {
	c.Helper()
	all := c.commands()
	if len(all) != n {
		c.Fatalf("%d answers, want %d; status %q", len(all), n, c.status())
	}
	if s := all[n-1].GetStatus(); s.GetCode() != apiv2.Code_OK || s.GetMessage() != "OK" {
		c.Errorf("status %v", s)
	}
	return all[n-1].GetSettings()
}

func same(p *peer, got, want proto.Message) {
	p.Helper()
	if !proto.Equal(got, want) {
		p.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestTelemetryOfAProducer: its settings are echoed with the server's will over them.
func TestTelemetryOfAProducer(t *testing.T) {
	p := newWorld(t).connect()
	c := p.open("Telemetry")
	if c.header[":status"] != "200" {
		t.Fatalf("headers %v; clients wait for them", c.header)
	}
	settings := producerSettings("orders")
	settings.AccessPoint = &apiv2.Endpoints{Scheme: apiv2.AddressScheme_IPv4, Addresses: []*apiv2.Address{{Host: "1.2.3.4", Port: 9}}}
	settings.RequestTimeout = durationpb.New(3 * time.Second)
	settings.UserAgent = &apiv2.UA{Version: "5.1.3"}
	c.send(telemetrySettings(settings), 0)

	want := proto.CloneOf(settings)
	want.BackoffPolicy = &apiv2.RetryPolicy{MaxAttempts: 3, Strategy: &apiv2.RetryPolicy_ExponentialBackoff{ExponentialBackoff: &apiv2.ExponentialBackoff{
		Initial: durationpb.New(10 * time.Millisecond), Max: durationpb.New(time.Second), Multiplier: 2,
	}}}
	want.GetPublishing().ValidateMessageType, want.GetPublishing().MaxBodySize = true, 4<<20
	want.Metric = &apiv2.Metric{On: true, Endpoints: settings.AccessPoint}
	same(p, c.told(1), want)
	same(p, p.Sessions.Find([]byte("client-1")).Settings(), settings)

	c.send(&apiv2.TelemetryCommand{}, 0) // is not answered
	settings.GetPublishing().Topics = nil
	c.send(telemetrySettings(settings), 0)
	if n := len(c.told(2).GetPublishing().GetTopics()); n != 0 {
		t.Errorf("%d topics after the second settings", n)
	}
	p.hears()
	c.halfClose()
	if c.status() != "0 " {
		t.Errorf("after the half-close: %q", c.status())
	}
}

// TestTelemetryOfConsumers of every type that may be one.
func TestTelemetryOfConsumers(t *testing.T) {
	w := newWorld(t)
	w.fake.knowGroup(&backend.Group{Name: "lite", Exists: true, RetryMax: 4, LiteQuota: 7, LiteBindTopic: "orders", Orderly: true,
		Retry: backend.RetryPolicy{Exponential: true, Initial: 5 * time.Second, Max: 2 * time.Hour, Multiplier: 2}})
	p := w.connect()
	regular := func(s *apiv2.Settings) {
		sub := s.GetSubscription()
		sub.Fifo, sub.LiteSubscriptionQuota = proto.Bool(false), proto.Int32(2000)
		s.BackoffPolicy = &apiv2.RetryPolicy{MaxAttempts: 17, Strategy: &apiv2.RetryPolicy_CustomizedBackoff{
			CustomizedBackoff: &apiv2.CustomizedBackoff{Next: []*durationpb.Duration{durationpb.New(time.Second)}}}}
	}
	lite := func(s *apiv2.Settings) {
		sub := s.GetSubscription()
		sub.Fifo, sub.LiteSubscriptionQuota = proto.Bool(true), proto.Int32(7)
		s.BackoffPolicy = &apiv2.RetryPolicy{MaxAttempts: 5, Strategy: &apiv2.RetryPolicy_ExponentialBackoff{ExponentialBackoff: &apiv2.ExponentialBackoff{
			Initial: durationpb.New(5 * time.Second), Max: durationpb.New(2 * time.Hour), Multiplier: 2}}}
	}
	for _, test := range []struct {
		kind  apiv2.ClientType
		group string
		over  func(*apiv2.Settings)
	}{
		{apiv2.ClientType_PUSH_CONSUMER, "readers", regular},
		{apiv2.ClientType_SIMPLE_CONSUMER, "readers", regular},
		{apiv2.ClientType_LITE_PUSH_CONSUMER, "lite", lite},
	} {
		c := p.open("Telemetry")
		settings := consumerSettings(test.kind, test.group, "orders")
		c.send(telemetrySettings(settings), 0)
		want := proto.CloneOf(settings)
		sub := want.GetSubscription()
		sub.ReceiveBatchSize, sub.LongPollingTimeout, sub.MaxLiteTopicSize = proto.Int32(32), durationpb.New(20*time.Second), proto.Int32(64)
		test.over(want)
		want.Metric = &apiv2.Metric{On: true}
		same(p, c.told(1), want)
		stored := p.Sessions.Find([]byte("client-1")).Settings()
		if n := len(stored.GetBackoffPolicy().GetCustomizedBackoff().GetNext()); n != 18 || stored.GetBackoffPolicy().GetMaxAttempts() != 17 {
			t.Errorf("the defaults do not lie under what is stored: %v", stored)
		}
	}
}

// TestTelemetryRefuses settings with a gRPC status: the client's fault is told from ours.
func TestTelemetryRefuses(t *testing.T) {
	w := newWorld(t)
	w.fake.knowGroup(&backend.Group{Name: "lite", Exists: true, LiteBindTopic: "orders"})
	w.fake.knowGroup(&backend.Group{Name: "missing"})
	p := w.connect()
	const failed = "process client telemetryCommand failed. "
	push, lite := apiv2.ClientType_PUSH_CONSUMER, apiv2.ClientType_LITE_PUSH_CONSUMER
	filtered := func(kind apiv2.FilterType, expression string) *apiv2.Settings {
		s := consumerSettings(push, "readers", "orders")
		s.GetSubscription().Subscriptions[0].Expression = &apiv2.FilterExpression{Type: kind, Expression: expression}
		return s
	}
	for _, test := range []struct {
		settings *apiv2.Settings
		want     string
	}{
		{&apiv2.Settings{}, "3 there is no publishing or subscription data in settings"},
		{producerSettings("orders", "a b"), "3 " + failed + "The specified topic[a b] contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$"},
		{consumerSettings(push, "", "orders"), "3 " + failed + "the specified group is blank"},
		{consumerSettings(push, "missing", "orders"), "3 " + failed + "group not found: missing"},
		{consumerSettings(push, "lite", "orders"), "3 " + failed + "lite group must use LITE mode: lite"},
		{consumerSettings(lite, "readers", "orders"), "3 " + failed + "regular group cannot use LITE mode: readers"},
		{consumerSettings(lite, "lite", "others"), "3 " + failed + "lite group lite is expected to bind topic orders, but actual is others"},
		{consumerSettings(apiv2.ClientType_PULL_CONSUMER, "missing", "orders"), "3 " + failed + "group not found: missing"},
		{consumerSettings(99, "readers", "orders"), "13 " + failed + "Client type is not consumer, type: UNRECOGNIZED"},
		{consumerSettings(apiv2.ClientType_LITE_SIMPLE_CONSUMER, "readers", "orders"), "13 " + failed + "Client type is not consumer, type: LITE_SIMPLE_CONSUMER"},
		{filtered(apiv2.FilterType_TAG, "||"), "3 " + failed + "expression format is not correct"},
		{filtered(apiv2.FilterType_SQL, ""), "3 " + failed + "expression format is not correct"},
	} {
		c := p.open("Telemetry")
		c.send(telemetrySettings(test.settings), 0)
		if c.status() != test.want || len(c.data) != 0 {
			t.Errorf("%v: %q, %d bytes; want %q and none", test.settings, c.status(), len(c.data), test.want)
		}
	}
	c := p.open("Telemetry")
	c.raw([]byte{0xFF}, 0)
	if !strings.HasPrefix(c.status(), "13 Invalid protobuf byte sequence: ") {
		t.Error(c.status())
	}
	p.hears()
}

// TestTelemetryWithoutAnID is one status, and the end.
func TestTelemetryWithoutAnID(t *testing.T) {
	p := newWorld(t).connect()
	c := p.open("Telemetry", "x-mq-language", "GO")
	c.send(telemetrySettings(producerSettings()), 0)
	all := c.commands()
	if len(all) != 1 || all[0].GetStatus().GetCode() != apiv2.Code_CLIENT_ID_REQUIRED || c.status() != "0 " {
		t.Errorf("%v, status %q", all, c.status())
	}
}

// TestTelemetryWaitsForItsGroup, which may come too late or not at all.
func TestTelemetryWaitsForItsGroup(t *testing.T) {
	p := newWorld(t).connect()
	c := p.slowTelemetry()
	op := asked[*backend.FetchGroup](p, 0)
	op.Found = &backend.Group{Name: "slowly", Exists: true, RetryMax: 3}
	p.reply(&op.Exchange, backend.Fault{})
	if got := c.told(1).GetBackoffPolicy().GetMaxAttempts(); got != 4 {
		t.Errorf("%d attempts", got)
	}

	c = p.slowTelemetry()
	p.reply(&asked[*backend.FetchGroup](p, 0).Exchange, backend.Fault{Kind: backend.Timeout})
	if c.status() != "3 process client telemetryCommand failed. group not found: slowly" {
		t.Error(c.status())
	}

	for _, end := range []func(c *callStream){(*callStream).cancel, (*callStream).halfClose} {
		c = p.slowTelemetry()
		end(c)
		op = asked[*backend.FetchGroup](p, 0)
		op.Found = &backend.Group{Name: "slowly", Exists: true}
		p.reply(&op.Exchange, backend.Fault{})
		if len(c.data) != 0 {
			t.Errorf("%q after the end", c.data)
		}
	}
}

// TestTelemetryStreamsReplaceEachOther: who spoke last is who is told things, and a stream that
// was replaced does not take the other's place with it.
func TestTelemetryStreamsReplaceEachOther(t *testing.T) {
	p := newWorld(t).connect()
	one, two := p.open("Telemetry"), p.open("Telemetry")
	one.send(telemetrySettings(producerSettings()), 0)
	two.send(telemetrySettings(producerSettings()), 0)
	who := p.Sessions.Find([]byte("client-1"))
	one.halfClose()
	if !who.Live() {
		t.Error("the second stream went with the first")
	}
	three := p.open("Telemetry")
	three.send(telemetrySettings(producerSettings()), 0)
	two.send(telemetrySettings(producerSettings()), 0) // speaks last
	three.cancel()
	if !who.Live() {
		t.Error("the second stream spoke last")
	}
	two.cancel()
	if who.Live() || who.Settings() == nil {
		t.Errorf("live %v, settings %v", who.Live(), who.Settings())
	}
}
