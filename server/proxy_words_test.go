package server_test

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"rocketmq-proxy/codec/apiv2"
)

// What clients of RocketMQ say.

func resource(name string) *apiv2.Resource { return &apiv2.Resource{Name: name} }

var messageIDs atomic.Int64

func message(topic, body string) *apiv2.Message {
	return &apiv2.Message{
		Topic: resource(topic), Body: []byte(body),
		UserProperties: map[string]string{"colour": "green"},
		SystemProperties: &apiv2.SystemProperties{
			MessageId: fmt.Sprintf("01AABBCCDDEEFF0001%016X", messageIDs.Add(1)), MessageType: apiv2.MessageType_NORMAL,
			Keys: []string{"key-" + body[:min(len(body), 8)]},
		},
	}
}

func sendRequest(topic string, bodies ...string) *apiv2.SendMessageRequest {
	request := &apiv2.SendMessageRequest{}
	for _, body := range bodies {
		request.Messages = append(request.Messages, message(topic, body))
	}
	return request
}

// sends sends messages in one call and wants a code.
func (c *client) sends(want apiv2.Code, topic string, bodies ...string) *apiv2.SendMessageResponse {
	c.Helper()
	return ask(c, "SendMessage", sendRequest(topic, bodies...), &apiv2.SendMessageResponse{}, want)
}

func (c *client) queryRoute(want apiv2.Code, topic string) *apiv2.QueryRouteResponse {
	c.Helper()
	request := &apiv2.QueryRouteRequest{Topic: resource(topic), Endpoints: &apiv2.Endpoints{
		Scheme: apiv2.AddressScheme_IPv4, Addresses: []*apiv2.Address{{Host: "127.0.0.1", Port: 1}},
	}}
	return ask(c, "QueryRoute", request, &apiv2.QueryRouteResponse{}, want)
}

const group = "shop"

func consumerSettings(kind apiv2.ClientType, topic string) *apiv2.Settings {
	return &apiv2.Settings{
		ClientType: kind.Enum(), RequestTimeout: durationpb.New(3 * time.Second),
		PubSub: &apiv2.Settings_Subscription{Subscription: &apiv2.Subscription{
			Group:         resource(group),
			Subscriptions: []*apiv2.SubscriptionEntry{{Topic: resource(topic), Expression: everything()}},
		}},
	}
}

func producerSettings(topic string) *apiv2.Settings {
	return &apiv2.Settings{
		ClientType: apiv2.ClientType_PRODUCER.Enum(), RequestTimeout: durationpb.New(3 * time.Second),
		PubSub: &apiv2.Settings_Publishing{Publishing: &apiv2.Publishing{Topics: []*apiv2.Resource{resource(topic)}}},
	}
}

func everything() *apiv2.FilterExpression {
	return &apiv2.FilterExpression{Type: apiv2.FilterType_TAG, Expression: "*"}
}

// introduces opens the telemetry stream, tells the settings and returns what they became.
func (c *client) introduces(settings *apiv2.Settings) (*rpc, *apiv2.Settings) {
	c.Helper()
	r := c.open("Telemetry", 0)
	r.send(&apiv2.TelemetryCommand{Command: &apiv2.TelemetryCommand_Settings{Settings: settings}}, false)
	var command apiv2.TelemetryCommand
	r.message(0, &command)
	if command.GetStatus().GetCode() != apiv2.Code_OK {
		c.Fatalf("Telemetry: %v", command.GetStatus())
	}
	return r, command.GetSettings()
}

// consumer connects a simple consumer whose settings are known.
func (w *world) consumer(id string) *client {
	w.Helper()
	c := w.client(id)
	c.introduces(consumerSettings(apiv2.ClientType_SIMPLE_CONSUMER, "orders"))
	return c
}

func receiveRequest(topic string, poll time.Duration) *apiv2.ReceiveMessageRequest {
	return &apiv2.ReceiveMessageRequest{
		Group: resource(group), MessageQueue: &apiv2.MessageQueue{Topic: resource(topic), Id: -1},
		FilterExpression: everything(), BatchSize: 32,
		InvisibleDuration: durationpb.New(time.Minute), LongPollingTimeout: durationpb.New(poll),
	}
}

// polls begins a long poll.
func (c *client) polls(topic string, poll time.Duration) *rpc {
	c.Helper()
	return c.begin("ReceiveMessage", receiveRequest(topic, poll), poll+patience)
}

// received is the answer to a long poll: its code, its messages, and that the time came last.
func (r *rpc) received() (apiv2.Code, []*apiv2.Message) {
	r.Helper()
	if s := r.status(); s != "0" {
		r.Fatalf("ReceiveMessage: status %q %q", s, r.trailer["grpc-message"])
	}
	code, last := apiv2.Code(-1), len(r.messages)-1
	var all []*apiv2.Message
	for i := range r.messages {
		var element apiv2.ReceiveMessageResponse
		r.message(i, &element)
		switch content := element.GetContent().(type) {
		case *apiv2.ReceiveMessageResponse_Status:
			if code = content.Status.GetCode(); i != 0 {
				r.Fatalf("the status is element %d", i)
			}
		case *apiv2.ReceiveMessageResponse_Message:
			all = append(all, content.Message)
		case *apiv2.ReceiveMessageResponse_DeliveryTimestamp:
			if i != last {
				r.Fatalf("the time of delivery is element %d of %d", i, last+1)
			}
		}
	}
	return code, all
}

// receives polls until a message has come.
func (c *client) receives(topic string) []*apiv2.Message {
	c.Helper()
	code, all := c.polls(topic, 10*time.Second).received()
	if code != apiv2.Code_OK {
		c.Fatalf("ReceiveMessage: %v", code)
	}
	return all
}

func ackRequest(topic string, messages ...*apiv2.Message) *apiv2.AckMessageRequest {
	request := &apiv2.AckMessageRequest{Group: resource(group), Topic: resource(topic)}
	for _, m := range messages {
		request.Entries = append(request.Entries, &apiv2.AckMessageEntry{
			MessageId: m.GetSystemProperties().GetMessageId(), ReceiptHandle: m.GetSystemProperties().GetReceiptHandle(),
		})
	}
	return request
}

func bodies(prefix string, n int) (all []string) {
	for i := range n {
		all = append(all, prefix+strconv.Itoa(i))
	}
	return all
}
