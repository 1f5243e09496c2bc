package server_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/remoting/fakebroker"
)

func TestQueryRoute(t *testing.T) {
	overBoth(t, func(t *testing.T, w *world) {
		c := w.client("producer-1")
		route := c.queryRoute(apiv2.Code_OK, "orders")
		if len(route.GetMessageQueues()) == 0 {
			t.Fatal("no queues")
		}
		for _, q := range route.GetMessageQueues() {
			at := q.GetBroker().GetEndpoints().GetAddresses()
			if len(at) != 1 || at[0].GetHost() != "127.0.0.1" || int(at[0].GetPort()) != w.proxy.Port() {
				t.Errorf("queue %d is at %v, the proxy at port %d", q.GetId(), at, w.proxy.Port())
			}
		}
		c.queryRoute(apiv2.Code_TOPIC_NOT_FOUND, "nothing")
		c.queryRoute(apiv2.Code_ILLEGAL_TOPIC, "no such name")
	})
}

func TestTelemetry(t *testing.T) {
	overBoth(t, func(t *testing.T, w *world) {
		stream, told := w.client("producer-1").introduces(producerSettings("orders"))
		if p := told.GetPublishing(); !p.GetValidateMessageType() || p.GetMaxBodySize() != 4<<20 || told.GetBackoffPolicy().GetMaxAttempts() != 3 {
			t.Errorf("a producer was told %v", told)
		}
		stream.send(&apiv2.TelemetryCommand{Command: &apiv2.TelemetryCommand_Settings{Settings: producerSettings("orders")}}, false)
		stream.message(1, &apiv2.TelemetryCommand{}) // every settings get an answer
		stream.sendRaw(nil, true)
		if s := stream.status(); s != "0" {
			t.Errorf("half-closed: status %q", s)
		}
		for _, kind := range []apiv2.ClientType{apiv2.ClientType_PUSH_CONSUMER, apiv2.ClientType_SIMPLE_CONSUMER} {
			_, told := w.client("consumer-" + kind.String()).introduces(consumerSettings(kind, "orders"))
			if s := told.GetSubscription(); s.GetReceiveBatchSize() != 32 || s.GetLongPollingTimeout().AsDuration() != 20*time.Second || told.GetBackoffPolicy().GetMaxAttempts() != 17 {
				t.Errorf("a %v was told %v", kind, told)
			}
		}
		lost := w.client("lost").open("Telemetry", 0)
		lost.send(&apiv2.TelemetryCommand{Command: &apiv2.TelemetryCommand_Settings{Settings: &apiv2.Settings{}}}, false)
		if s := lost.status(); s != "3" {
			t.Errorf("neither producer nor consumer: status %q", s)
		}
	})
}

func TestSendMessage(t *testing.T) {
	overBoth(t, func(t *testing.T, w *world) {
		c := w.client("producer-1")
		c.introduces(producerSettings("orders"))
		one := c.sends(apiv2.Code_OK, "orders", "apples")
		if len(one.GetEntries()) != 1 || one.GetEntries()[0].GetMessageId() == "" {
			t.Errorf("one message: %v", one)
		}
		batch := c.sends(apiv2.Code_OK, "orders", "pears", "plums")
		if len(batch.GetEntries()) != 1 || strings.Count(batch.GetEntries()[0].GetMessageId(), ",") != 1 {
			t.Errorf("two messages: %v", batch)
		}
		large := strings.Repeat("L", 4<<20)
		c.sends(apiv2.Code_OK, "orders", large)
		c.sends(apiv2.Code_MESSAGE_BODY_TOO_LARGE, "orders", large+"+")
		c.sends(apiv2.Code_MESSAGE_BODY_EMPTY, "orders", "")
		c.sends(apiv2.Code_MESSAGE_CORRUPTED, "orders")
		c.sends(apiv2.Code_MESSAGE_PROPERTY_CONFLICT_WITH_TYPE, "nothing", "x")

		stored := w.broker.Messages("orders")
		slices.Sort(stored)
		if want := []string{large, "apples", "pears", "plums"}; !slices.Equal(stored, want) {
			t.Errorf("%d messages were stored, want %d", len(stored), len(want))
		}
	})
}

func TestReceiveAndAck(t *testing.T) {
	overBoth(t, func(t *testing.T, w *world) {
		w.client("producer-1").sends(apiv2.Code_OK, "orders", "apples", "pears")
		c := w.consumer("consumer-1")
		got := c.receives("orders")
		if len(got) != 2 || string(got[0].GetBody()) != "apples" || string(got[1].GetBody()) != "pears" {
			t.Fatalf("received %v", got)
		}
		if m := got[0]; m.GetUserProperties()["colour"] != "green" || m.GetSystemProperties().GetKeys()[0] != "key-apples" ||
			m.GetSystemProperties().GetDeliveryAttempt() != 1 || m.GetTopic().GetName() != "orders" {
			t.Errorf("received %v", m)
		}
		answer := ask(c, "AckMessage", ackRequest("orders", got...), &apiv2.AckMessageResponse{}, apiv2.Code_OK)
		if len(answer.GetEntries()) != 2 || w.broker.Invisible() != 0 {
			t.Errorf("%d entries, %d messages still invisible", len(answer.GetEntries()), w.broker.Invisible())
		}
		ask(c, "AckMessage", ackRequest("orders"), &apiv2.AckMessageResponse{}, apiv2.Code_INTERNAL_SERVER_ERROR)
	})
}

// A message whose invisible duration is made 0 is there again.
func TestChangeInvisibleDuration(t *testing.T) {
	overBoth(t, func(t *testing.T, w *world) {
		w.client("producer-1").sends(apiv2.Code_OK, "orders", "apples")
		c := w.consumer("consumer-1")
		handle := c.receives("orders")[0].GetSystemProperties().GetReceiptHandle()
		change := &apiv2.ChangeInvisibleDurationRequest{
			Group: resource(group), Topic: resource("orders"), ReceiptHandle: handle, InvisibleDuration: durationpb.New(0),
		}
		answer := ask(c, "ChangeInvisibleDuration", change, &apiv2.ChangeInvisibleDurationResponse{}, apiv2.Code_OK)
		if answer.GetReceiptHandle() == handle || answer.GetReceiptHandle() == "" {
			t.Errorf("the new handle is %q", answer.GetReceiptHandle())
		}
		again := c.receives("orders")
		if len(again) != 1 || again[0].GetSystemProperties().GetDeliveryAttempt() != 2 {
			t.Errorf("received again: %v", again)
		}
		change.ReceiptHandle = "nonsense"
		ask(c, "ChangeInvisibleDuration", change, &apiv2.ChangeInvisibleDurationResponse{}, apiv2.Code_INTERNAL_SERVER_ERROR)
	})
}

// A poll on an empty topic ends in its own time; another ends when a message comes.
func TestLongPoll(t *testing.T) {
	overBoth(t, func(t *testing.T, w *world) {
		c := w.consumer("consumer-1")
		begun := time.Now()
		code, got := c.polls("orders", 500*time.Millisecond).received()
		if code != apiv2.Code_MESSAGE_NOT_FOUND || len(got) > 0 || time.Since(begun) < 400*time.Millisecond {
			t.Errorf("an empty topic: %v, %d messages after %v", code, len(got), time.Since(begun))
		}
		poll := c.polls("orders", 20*time.Second)
		eventually(t, "the poll waits", func() bool { return w.broker.Waiting() == 1 })
		begun = time.Now()
		w.client("producer-1").sends(apiv2.Code_OK, "orders", "apples")
		if code, got := poll.received(); code != apiv2.Code_OK || len(got) != 1 {
			t.Errorf("woken with %v, %d messages", code, len(got))
		}
		if waited := time.Since(begun); waited > 10*time.Second {
			t.Errorf("woken after %v", waited)
		}
	})
}

// A pull reads a queue from an offset on, waits at its end, and ends when a message comes; the
// group's offset is kept by the broker.
func TestPullAndOffsets(t *testing.T) {
	overBoth(t, func(t *testing.T, w *world) {
		w.fake.SetTopic(fakebroker.Topic{Name: "line", Queues: 1})
		w.fake.SetGroup(group, nil)
		c, producer := w.client("puller-1"), w.client("producer-1")
		producer.sends(apiv2.Code_OK, "line", "apples")
		queue := &apiv2.MessageQueue{Topic: resource("line"), Broker: &apiv2.Broker{Name: w.broker.Name}}
		pull := &apiv2.PullMessageRequest{Group: resource(group), MessageQueue: queue, LongPollingTimeout: durationpb.New(20 * time.Second)}
		if words := c.begin("PullMessage", pull, patience).pulled(); words != "20000 apples next:1" {
			t.Error(words)
		}
		pull.Offset = 1
		wait := c.begin("PullMessage", pull, patience)
		eventually(t, "the pull waits", func() bool { return w.broker.Pulling() == 1 })
		producer.sends(apiv2.Code_OK, "line", "pears")
		if words := wait.pulled(); words != "20000 pears next:2" {
			t.Error(words)
		}
		ask(c, "GetOffset", &apiv2.GetOffsetRequest{Group: resource(group), MessageQueue: queue}, &apiv2.GetOffsetResponse{}, apiv2.Code_OFFSET_NOT_FOUND)
		update := &apiv2.UpdateOffsetRequest{Group: resource(group), MessageQueue: queue, Offset: 2}
		ask(c, "UpdateOffset", update, &apiv2.UpdateOffsetResponse{}, apiv2.Code_OK)
		get := ask(c, "GetOffset", &apiv2.GetOffsetRequest{Group: resource(group), MessageQueue: queue}, &apiv2.GetOffsetResponse{}, apiv2.Code_OK)
		end := &apiv2.QueryOffsetRequest{MessageQueue: queue, QueryOffsetPolicy: apiv2.QueryOffsetPolicy_END}
		query := ask(c, "QueryOffset", end, &apiv2.QueryOffsetResponse{}, apiv2.Code_OK)
		if get.GetOffset() != 2 || query.GetOffset() != 2 {
			t.Errorf("the group is at %d of %d", get.GetOffset(), query.GetOffset())
		}
	})
}

// pulled waits for the end of a PullMessage and puts its elements into words.
func (r *rpc) pulled() string {
	r.Helper()
	if s := r.status(); s != "0" {
		r.Fatalf("%s: status %q", r.method, s)
	}
	var words []string
	for _, b := range r.messages {
		m := &apiv2.PullMessageResponse{}
		if err := proto.Unmarshal(b, m); err != nil {
			r.Fatal(err)
		}
		switch content := m.GetContent().(type) {
		case *apiv2.PullMessageResponse_Status:
			words = append(words, strconv.Itoa(int(content.Status.GetCode())))
		case *apiv2.PullMessageResponse_Message:
			words = append(words, string(content.Message.GetBody()))
		case *apiv2.PullMessageResponse_NextOffset:
			words = append(words, "next:"+strconv.FormatInt(content.NextOffset, 10))
		}
	}
	return strings.Join(words, " ")
}

// The answer to one call does not wait for another.
func TestManyAtOnce(t *testing.T) {
	overBoth(t, func(t *testing.T, w *world) {
		c := w.consumer("consumer-1")
		poll := c.polls("elsewhere", 20*time.Second) // nothing comes of it
		_ = poll
		var sends []*rpc
		for _, body := range bodies("m", 300) {
			sends = append(sends, c.begin("SendMessage", sendRequest("orders", body), patience))
		}
		for _, s := range sends {
			s.answers(&apiv2.SendMessageResponse{}, apiv2.Code_OK)
		}
		got := map[string]bool{}
		for len(got) < 300 {
			for _, m := range c.receives("orders") {
				if got[string(m.GetBody())] {
					t.Fatalf("%s came twice", m.GetBody())
				}
				got[string(m.GetBody())] = true
			}
		}
	})
}

func TestHeartbeatAndTermination(t *testing.T) {
	overBoth(t, func(t *testing.T, w *world) {
		c := w.client("consumer-1")
		beat := &apiv2.HeartbeatRequest{Group: resource(group), ClientType: apiv2.ClientType_SIMPLE_CONSUMER}
		ask(c, "Heartbeat", beat, &apiv2.HeartbeatResponse{}, apiv2.Code_UNRECOGNIZED_CLIENT_TYPE)
		c.introduces(consumerSettings(apiv2.ClientType_SIMPLE_CONSUMER, "orders"))
		ask(c, "Heartbeat", beat, &apiv2.HeartbeatResponse{}, apiv2.Code_OK)
		leave := &apiv2.NotifyClientTerminationRequest{Group: resource(group)}
		ask(c, "NotifyClientTermination", leave, &apiv2.NotifyClientTerminationResponse{}, apiv2.Code_OK)
		ask(c, "NotifyClientTermination", leave, &apiv2.NotifyClientTerminationResponse{}, apiv2.Code_UNRECOGNIZED_CLIENT_TYPE)
	})
}

// What is not served is said so.
func TestUnimplemented(t *testing.T) {
	w := start(t)
	c := w.client("curious")
	if r := c.begin("PeekMessage", &apiv2.QueryRouteRequest{}, patience); r.status() != "12" {
		t.Errorf("PeekMessage: status %q %q", r.status(), r.trailer["grpc-message"])
	}
	nobody := w.client("")
	ask(nobody, "QueryRoute", &apiv2.QueryRouteRequest{Topic: resource("orders")}, &apiv2.QueryRouteResponse{}, apiv2.Code_CLIENT_ID_REQUIRED)
	broken := c.open("SendMessage", patience)
	broken.sendRaw([]byte{0, 0, 0, 0, 3, 0xff, 0xff, 0xff}, true)
	if s := broken.status(); s != "13" {
		t.Errorf("no protobuf: status %q", s)
	}
	c.queryRoute(apiv2.Code_OK, "orders")
}
