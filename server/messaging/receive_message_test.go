package messaging

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/server/backend"
)

// receiveRequest reads "orders" for "readers", polling 20 s.
func receiveRequest(change ...func(*apiv2.ReceiveMessageRequest)) *apiv2.ReceiveMessageRequest {
	r := &apiv2.ReceiveMessageRequest{
		Group: resource("readers"), MessageQueue: &apiv2.MessageQueue{Topic: resource("orders"), Id: -1, Broker: &apiv2.Broker{}},
		FilterExpression: &apiv2.FilterExpression{Expression: "*"}, BatchSize: 32,
		InvisibleDuration: durationpb.New(30 * time.Second), LongPollingTimeout: durationpb.New(20 * time.Second),
	}
	for _, c := range change {
		c(r)
	}
	return r
}

// reader is a connection of a consumer whose settings are known.
func (w *world) reader(window ...uint32) *peer {
	w.settled("client-1", consumerSettings(apiv2.ClientType_SIMPLE_CONSUMER, "readers", "orders"))
	return w.connect(window...)
}

// within adds a deadline to the headers of identity.
func within(d time.Duration, version string) []string {
	return []string{"x-mq-client-id", "client-1", "x-mq-client-version", version, "grpc-timeout", fmt.Sprint(d.Milliseconds(), "m")}
}

// TestReceive: status first, then the messages in the broker's order, then the time.
func TestReceive(t *testing.T) {
	p := newWorld(t).reader()
	c := p.call("ReceiveMessage", receiveRequest(func(r *apiv2.ReceiveMessageRequest) {
		r.MessageQueue.Broker.Name, r.MessageQueue.Id = "broker-b", 7
		r.AttemptId = new(string)
		*r.AttemptId = "attempt"
	}), within(23*time.Second, "5.1.3")...)
	p.hears("pop orders for readers, 32, 20s")
	op := asked[*backend.Pop](p, 0)
	if string(op.Broker) != "broker-b" || string(op.AttemptID) != "attempt" || op.FIFO || op.SQL ||
		string(op.Expression) != "*" || op.Invisible != 30*time.Second {
		t.Errorf("%+v", op)
	}
	if got := op.Deadline.Sub(p.now); got < 23*time.Second || got > 25*time.Second {
		t.Errorf("the pop may take %v", got)
	}
	fill(op, p.now, stored{"one", "TAGS=a;UNIQ_KEY=ID1;", 0}, stored{"two", "UNIQ_KEY=ID2;", 2}, stored{"", "UNIQ_KEY=ID3;", 15})
	p.reply(&op.Exchange, backend.Fault{})
	all := c.streams("20000 OK", `message "one"`, `message "two"`, `message ""`, "time")
	if at := all[4].GetDeliveryTimestamp().AsTime(); !at.Equal(p.now) {
		t.Errorf("delivered at %v, want %v", at, p.now)
	}
	p.hears()
}

func TestReceiveNothing(t *testing.T) {
	for outcome, want := range map[backend.PopOutcome]string{
		backend.PopNone: "40401 no new message", backend.PopFull: "42900 polling full",
	} {
		p := newWorld(t).reader()
		c := p.call("ReceiveMessage", receiveRequest())
		op := asked[*backend.Pop](p, 0)
		op.Outcome = outcome
		p.reply(&op.Exchange, backend.Fault{})
		c.streams(want, "time")
	}
}

func TestReceiveFails(t *testing.T) {
	eachFault(t, func(t *testing.T, f backend.Fault, code string) {
		want := fmt.Sprint(apiv2.Code_value[code], " it broke")
		p := newWorld(t).reader()
		c := p.call("ReceiveMessage", receiveRequest())
		p.reply(&asked[*backend.Pop](p, 0).Exchange, f)
		c.streams(want, "time")
		c = p.call("ReceiveMessage", receiveRequest(func(r *apiv2.ReceiveMessageRequest) { r.MessageQueue.Topic.Name = "unheard" }))
		p.reply(&asked[*backend.FetchTopic](p, 0).Exchange, f)
		c.streams(want, "time")
	})
}

// TestReceiveRefuses in the order of gRPC specification 2.5.
func TestReceiveRefuses(t *testing.T) {
	p := newWorld(t).reader()
	filter := func(sql bool, expression string) func(r *apiv2.ReceiveMessageRequest) {
		return func(r *apiv2.ReceiveMessageRequest) {
			r.FilterExpression = &apiv2.FilterExpression{Type: apiv2.FilterType_TAG, Expression: expression}
			if sql {
				r.FilterExpression.Type = apiv2.FilterType_SQL
			}
		}
	}
	invisible := func(d time.Duration) func(r *apiv2.ReceiveMessageRequest) {
		return func(r *apiv2.ReceiveMessageRequest) { r.InvisibleDuration = durationpb.New(d) }
	}
	for _, test := range []struct {
		change func(r *apiv2.ReceiveMessageRequest)
		want   string
	}{
		{func(r *apiv2.ReceiveMessageRequest) { r.MessageQueue.Topic = nil; r.Group = nil }, "40002 The specified topic is blank"},
		{func(r *apiv2.ReceiveMessageRequest) { r.Group.Name = " " }, "40003 the specified group is blank"},
		{func(r *apiv2.ReceiveMessageRequest) { r.Group.Name = strings.Repeat("g", 121); invisible(0)(r) },
			"40003 the specified group[" + strings.Repeat("g", 121) + "] is longer than group max length: 120."},
		{func(r *apiv2.ReceiveMessageRequest) { r.Group.Name = "a b" }, "40003 the specified group[a b] contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$"},
		{func(r *apiv2.ReceiveMessageRequest) { r.Group.Name = "CID_RMQ_SYS_x" }, "40003 cannot use system consumer group"},
		{invisible(10*time.Second - time.Millisecond), "40011 the invisibleTime is too small. min is 10000"},
		{invisible(10*time.Second - time.Nanosecond), "40011 the invisibleTime is too small. min is 10000"},
		{invisible(12*time.Hour + time.Millisecond), "40011 the invisibleTime is too large. max is 43200000"},
		{filter(false, "||||"), "40010 subString split error"},
		{filter(true, ""), "40010 Expression can't be null! SQL92"},
	} {
		p.call("ReceiveMessage", receiveRequest(test.change)).streams(test.want, "time")
	}
	p.call("ReceiveMessage", receiveRequest(), "x-mq-language", "GO").streams("40017 client id cannot be empty")
	p.call("ReceiveMessage", receiveRequest(), "x-mq-client-id", "stranger").
		streams("40015 cannot find client settings for this client", "time")
	c := p.open("ReceiveMessage")
	c.raw([]byte{0xFF}, frame.FlagEndStream)
	if !strings.HasPrefix(c.status(), "13 Invalid protobuf byte sequence: ") {
		t.Error(c.status())
	}
	p.hears()

	c = p.call("ReceiveMessage", receiveRequest(func(r *apiv2.ReceiveMessageRequest) { r.MessageQueue.Topic.Name = "unheard" }))
	op := asked[*backend.FetchTopic](p, 0)
	op.Found = &backend.Topic{Name: "unheard"}
	p.reply(&op.Exchange, backend.Fault{})
	c.streams("40402 CODE: 17  DESC: No topic route info in name server for the topic: unheard", "time")
}

// TestReceivePollTime is the arithmetic of steps 2 and 3.
func TestReceivePollTime(t *testing.T) {
	const short = " The deadline time remaining is not enough for polling, please check network condition"
	const s = time.Second
	for _, test := range []struct {
		asked, left, request time.Duration // below 0: not given
		version              string
		poll                 time.Duration
		refused              string
	}{
		{20 * s, 23 * s, -1, "5.1.3", 20 * s, ""},
		{60 * s, 63 * s, -1, "5.1.3", 20 * s, ""},
		{1 * s, 23 * s, -1, "5.1.3", 5 * s, ""},
		{-1, 13 * s, 6 * s, "5.1.3", 10 * s, ""}, // 13 - 6/2
		{-1, 13 * s, -1, "5.1.3", 13*s - pollReserve, ""},
		{-1, 7 * s, 20 * s, "5.1.3", 5 * s, ""}, // 7 - 10, clamped
		{20 * s, 8 * s, -1, "5.1.3", 8*s - pollReserve, ""},
		{8 * s, 8 * s, -1, "5.0.0", 8*s - pollReserve, ""}, // as the Rust client asks
		{8 * s, 8*s + pollReserve, -1, "5.1.3", 8 * s, ""},
		{20 * s, 5 * s, -1, "5.1.3", 5*s - pollReserve, ""},
		{20 * s, 5*s - time.Millisecond, -1, "5.1.3", 0, "40018" + short},
		{1 * s, 4 * s, -1, "5.0.3", 0, "40018" + short},
		{1 * s, 4 * s, -1, "5.0.2", 0, "40000" + short},
		{1 * s, 4 * s, -1, "10.0.0", 0, "40000" + short}, // the reference compares text
		{1 * s, 4 * s, -1, "", 0, "40000" + short},
		{20 * s, -1, -1, "5.1.3", 20 * s, ""}, // no deadline is none
		{-1, -1, -1, "5.1.3", 20 * s, ""},
	} {
		w := newWorld(t)
		settings := consumerSettings(apiv2.ClientType_SIMPLE_CONSUMER, "readers", "orders")
		if test.request >= 0 {
			settings.RequestTimeout = durationpb.New(test.request)
		}
		w.settled("client-1", settings)
		p := w.connect()
		headers := []string{"x-mq-client-id", "client-1", "x-mq-client-version", test.version}
		if test.left >= 0 {
			headers = within(test.left, test.version)
		}
		c := p.call("ReceiveMessage", receiveRequest(func(r *apiv2.ReceiveMessageRequest) {
			r.LongPollingTimeout = nil
			if test.asked >= 0 {
				r.LongPollingTimeout = durationpb.New(test.asked)
			}
			if test.refused != "" {
				r.Group = nil // is looked at later
			}
		}), headers...)
		if test.refused != "" {
			c.streams(test.refused, "time")
			continue
		}
		if op := asked[*backend.Pop](p, 0); op.Poll != test.poll {
			t.Errorf("%+v: polls %v", test, op.Poll)
		}
		p.works()
	}
}

// TestReceiveAutoRenew takes the proxy's own invisible time.
func TestReceiveAutoRenew(t *testing.T) {
	for renew, want := range map[bool]time.Duration{true: time.Minute, false: time.Second} {
		p := newWorld(t, func(c *Config) { c.AutoRenew = renew; c.InvisibleMin = time.Second }).reader()
		p.call("ReceiveMessage", receiveRequest(func(r *apiv2.ReceiveMessageRequest) {
			r.AutoRenew, r.InvisibleDuration = true, durationpb.New(time.Second)
		}))
		if op := asked[*backend.Pop](p, 0); op.Invisible != want {
			t.Errorf("renewing %v: invisible for %v, want %v", renew, op.Invisible, want)
		}
		p.works()
	}
}

// TestReceiveWaitsForSettings that are on their way, but not for any that are not.
func TestReceiveWaitsForSettings(t *testing.T) {
	p := newWorld(t).connect()
	stream := p.slowTelemetry()
	c := p.call("ReceiveMessage", receiveRequest())
	p.hears("group slowly")
	if words, _ := c.elements(); len(words) != 0 {
		t.Fatalf("%q before the settings came", words)
	}
	op := asked[*backend.FetchGroup](p, 0)
	op.Found = &backend.Group{Name: "slowly", Exists: true}
	p.reply(&op.Exchange, backend.Fault{})
	p.settle()
	p.hears("pop orders for readers, 32, 20s")
	p.works()
	c.streams("40401 no match message", "time")
	stream.halfClose()

	p = newWorld(t).connect()
	stream = p.slowTelemetry()
	c = p.call("ReceiveMessage", receiveRequest())
	gone := p.call("ReceiveMessage", receiveRequest())
	gone.cancel()
	stream.cancel() // no settings will come
	p.settle()
	c.streams("40015 cannot find client settings for this client", "time")
	p.works()
}

// TestReceiveThatWaitedForSettings polls for what is left, though a receive that came so late would be
// refused.
func TestReceiveThatWaitedForSettings(t *testing.T) {
	p := newWorld(t).connect()
	stream := p.slowTelemetry()
	c := p.call("ReceiveMessage", receiveRequest(), within(5*time.Second, "5.1.3")...)
	p.hears("group slowly")
	op := asked[*backend.FetchGroup](p, 0)
	op.Found = &backend.Group{Name: "slowly", Exists: true}
	p.reply(&op.Exchange, backend.Fault{}) // on the turn's own clock, which went on meanwhile
	p.settle()
	if poll, most := asked[*backend.Pop](p, 0).Poll, 5*time.Second-pollReserve; poll >= most || poll < most-time.Second {
		t.Errorf("polls %v, want a little less than %v", poll, most)
	}
	p.works()
	c.streams("40401 no match message", "time")
	stream.halfClose()
}

// slowTelemetry opens a telemetry stream whose settings wait for the group "slowly".
func (p *peer) slowTelemetry() *callStream {
	stream := p.open("Telemetry")
	stream.send(telemetrySettings(consumerSettings(apiv2.ClientType_PUSH_CONSUMER, "slowly", "orders")), 0)
	return stream
}

// TestReceiveLearnsTopicAndGroup before it pops; a group that cannot be had counts as one that
// nobody configured, and so does one that does not exist.
func TestReceiveLearnsTopicAndGroup(t *testing.T) {
	for _, found := range []*backend.Group{nil, {Name: "new"}} {
		p := newWorld(t).reader()
		c := p.call("ReceiveMessage", receiveRequest(func(r *apiv2.ReceiveMessageRequest) {
			r.Group, r.MessageQueue.Topic = resource("new"), resource("unheard")
		}))
		p.hears("topic unheard")
		topic := asked[*backend.FetchTopic](p, 0)
		topic.Found = &backend.Topic{Name: "unheard", Exists: true}
		p.reply(&topic.Exchange, backend.Fault{})
		p.hears("group new")
		group := asked[*backend.FetchGroup](p, 0)
		group.Found = found
		p.reply(&group.Exchange, backend.Fault{Kind: backend.Timeout})
		p.hears("pop unheard for new, 32, 20s")
		op := asked[*backend.Pop](p, 0)
		fill(op, p.now, stored{"again", "UNIQ_KEY=ID1;", 16})
		p.reply(&op.Exchange, backend.Fault{})
		c.streams("20000 OK", `message "again"`, "time")
		p.hears()
	}
}

func TestReceiveOrderly(t *testing.T) {
	w := newWorld(t)
	w.fake.knowGroup(&backend.Group{Name: "readers", Exists: true, Orderly: true})
	p := w.reader()
	p.call("ReceiveMessage", receiveRequest())
	if !asked[*backend.Pop](p, 0).FIFO {
		t.Error("the group is orderly")
	}
	p.works()
}
