package differential

import (
	"strconv"
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// What rows are built from: each function is one thing to say, in the way that clients say it.

func resource(name string) *v2.Resource { return &v2.Resource{Name: name} }

func seconds(n float64) *durationpb.Duration {
	return durationpb.New(time.Duration(n * float64(time.Second)))
}

// message is one that every check lets pass; changes make it special.
func message(topic string, changes ...func(*v2.Message)) *v2.Message {
	m := &v2.Message{
		Topic:          resource(topic),
		Body:           []byte("ten apples"),
		UserProperties: map[string]string{"colour": "green"},
		SystemProperties: &v2.SystemProperties{
			Tag:           proto.String("red"),
			Keys:          []string{"k1", "k2"},
			MessageId:     "{message1}",
			BornTimestamp: at(-time.Second),
			BornHost:      "here",
			BodyEncoding:  v2.Encoding_IDENTITY,
			MessageType:   v2.MessageType_NORMAL,
		},
	}
	for _, change := range changes {
		change(m)
	}
	return m
}

// system changes what the system knows of a message.
func system(change func(*v2.SystemProperties)) func(*v2.Message) {
	return func(m *v2.Message) { change(m.SystemProperties) }
}

func id(text string) func(*v2.Message) {
	return system(func(s *v2.SystemProperties) { s.MessageId = text })
}

func tag(text string) func(*v2.Message) {
	return system(func(s *v2.SystemProperties) { s.Tag = proto.String(text) })
}

func keys(texts ...string) func(*v2.Message) {
	return system(func(s *v2.SystemProperties) { s.Keys = texts })
}

func messageGroup(text string) func(*v2.Message) {
	return system(func(s *v2.SystemProperties) {
		s.MessageGroup, s.MessageType = proto.String(text), v2.MessageType_FIFO
	})
}

func liteTopic(text string) func(*v2.Message) {
	return system(func(s *v2.SystemProperties) {
		s.LiteTopic, s.MessageType = proto.String(text), v2.MessageType_LITE
	})
}

func priority(n int32) func(*v2.Message) {
	return system(func(s *v2.SystemProperties) { s.Priority, s.MessageType = proto.Int32(n), v2.MessageType_PRIORITY })
}

func delayed(d time.Duration) func(*v2.Message) {
	return system(func(s *v2.SystemProperties) {
		s.DeliveryTimestamp, s.MessageType = at(d), v2.MessageType_DELAY
	})
}

func half() func(*v2.Message) {
	return system(func(s *v2.SystemProperties) { s.MessageType = v2.MessageType_TRANSACTION })
}

func recovery(n float64) func(*v2.Message) {
	return system(func(s *v2.SystemProperties) { s.OrphanedTransactionRecoveryDuration = seconds(n) })
}

func body(text string) func(*v2.Message) { return func(m *v2.Message) { m.Body = []byte(text) } }

func property(key, value string) func(*v2.Message) {
	return func(m *v2.Message) { m.UserProperties[key] = value }
}

// properties gives a message this many.
func properties(n int) func(*v2.Message) {
	return func(m *v2.Message) {
		m.UserProperties = map[string]string{}
		for i := range n {
			m.UserProperties["p"+strconv.Itoa(i)] = "v"
		}
	}
}

func send(messages ...*v2.Message) Call {
	return Call{Method: "SendMessage", Request: &v2.SendMessageRequest{Messages: messages}}
}

// sends is send of one message that is special in one way, to a topic that all rows share: for
// what is refused.
func sends(topic string, changes ...func(*v2.Message)) Call { return send(message(topic, changes...)) }

// receiveRequest is what a simple consumer asks with.
func receiveRequest(changes ...func(*v2.ReceiveMessageRequest)) *v2.ReceiveMessageRequest {
	m := &v2.ReceiveMessageRequest{
		Group:              resource("{group}"),
		MessageQueue:       &v2.MessageQueue{Topic: resource("{own}"), Id: -1},
		FilterExpression:   &v2.FilterExpression{Type: v2.FilterType_TAG, Expression: "*"},
		BatchSize:          1,
		InvisibleDuration:  seconds(30),
		LongPollingTimeout: seconds(5),
	}
	for _, change := range changes {
		change(m)
	}
	return m
}

// polls receives once.
func polls(changes ...func(*v2.ReceiveMessageRequest)) Call {
	return Call{Method: "ReceiveMessage", Request: receiveRequest(changes...)}
}

// receiveTries is how often a row polls for a message that must come.
const receiveTries = 8

// receives polls until there is a message.
func receives(changes ...func(*v2.ReceiveMessageRequest)) Call {
	c := polls(changes...)
	c.Until = receiveTries
	return c
}

func from(topic string) func(*v2.ReceiveMessageRequest) {
	return func(m *v2.ReceiveMessageRequest) { m.MessageQueue.Topic.Name = topic }
}

func by(group string) func(*v2.ReceiveMessageRequest) {
	return func(m *v2.ReceiveMessageRequest) { m.Group.Name = group }
}

func invisible(n float64) func(*v2.ReceiveMessageRequest) {
	return func(m *v2.ReceiveMessageRequest) { m.InvisibleDuration = seconds(n) }
}

func batch(n int32) func(*v2.ReceiveMessageRequest) {
	return func(m *v2.ReceiveMessageRequest) { m.BatchSize = n }
}

func filter(kind v2.FilterType, expression string) func(*v2.ReceiveMessageRequest) {
	return func(m *v2.ReceiveMessageRequest) {
		m.FilterExpression = &v2.FilterExpression{Type: kind, Expression: expression}
	}
}

func settings(s *v2.Settings) *Tells {
	return &Tells{Command: &v2.TelemetryCommand{Command: &v2.TelemetryCommand_Settings{Settings: s}}}
}

// opens is a client that says what it is.
func opens(s *v2.Settings) Opens { return Opens{First: settings(s)} }

func clientSettings(kind v2.ClientType, changes ...func(*v2.Settings)) *v2.Settings {
	s := &v2.Settings{
		ClientType: &kind,
		AccessPoint: &v2.Endpoints{
			Scheme: v2.AddressScheme_IPv4, Addresses: []*v2.Address{{Host: "192.0.2.1", Port: 8081}},
		},
		RequestTimeout: seconds(3),
		UserAgent:      &v2.UA{Language: v2.Language_GOLANG, Version: "5.1.4", Platform: "linux", Hostname: "here"},
	}
	for _, change := range changes {
		change(s)
	}
	return s
}

func producer(topics ...string) *v2.Settings {
	publishing := &v2.Publishing{}
	for _, topic := range topics {
		publishing.Topics = append(publishing.Topics, resource(topic))
	}
	return clientSettings(v2.ClientType_PRODUCER, func(s *v2.Settings) { s.PubSub = &v2.Settings_Publishing{Publishing: publishing} })
}

func consumer(kind v2.ClientType, topic, group string, changes ...func(*v2.Settings)) *v2.Settings {
	return clientSettings(kind, append([]func(*v2.Settings){func(s *v2.Settings) {
		s.PubSub = &v2.Settings_Subscription{Subscription: &v2.Subscription{
			Group: resource(group),
			Subscriptions: []*v2.SubscriptionEntry{{
				Topic:      resource(topic),
				Expression: &v2.FilterExpression{Type: v2.FilterType_TAG, Expression: "*"},
			}},
		}}
	}}, changes...)...)
}

// simple is a simple consumer of the row's own topic and group.
func simple() Opens { return opens(consumer(v2.ClientType_SIMPLE_CONSUMER, "{own}", "{group}")) }

// push is a push consumer of them.
func push() Opens { return opens(consumer(v2.ClientType_PUSH_CONSUMER, "{own}", "{group}")) }

// delivered are the steps that most rows about receipt handles begin with: a message that a simple
// consumer has received.
func delivered(then ...Step) []Step {
	return append([]Step{simple(), send(message("{own}")), receives()}, then...)
}

func ack(handles ...string) Call {
	request := &v2.AckMessageRequest{Topic: resource("{own}"), Group: resource("{group}")}
	for _, h := range handles {
		request.Entries = append(request.Entries, &v2.AckMessageEntry{MessageId: "{message1}", ReceiptHandle: h})
	}
	return Call{Method: "AckMessage", Request: request}
}

func change(handle string, n float64, changes ...func(*v2.ChangeInvisibleDurationRequest)) Call {
	request := &v2.ChangeInvisibleDurationRequest{
		Topic: resource("{own}"), Group: resource("{group}"), ReceiptHandle: handle, MessageId: "{message1}", InvisibleDuration: seconds(n),
	}
	for _, f := range changes {
		f(request)
	}
	return Call{Method: "ChangeInvisibleDuration", Request: request}
}

func forward(handle string, changes ...func(*v2.ForwardMessageToDeadLetterQueueRequest)) Call {
	request := &v2.ForwardMessageToDeadLetterQueueRequest{
		Topic: resource("{own}"), Group: resource("{group}"), ReceiptHandle: handle, MessageId: "{message1}",
		DeliveryAttempt: 1, MaxDeliveryAttempts: 1,
	}
	for _, f := range changes {
		f(request)
	}
	return Call{Method: "ForwardMessageToDeadLetterQueue", Request: request}
}

func heartbeat(group string, kind v2.ClientType) Call {
	request := &v2.HeartbeatRequest{ClientType: kind}
	if group != "" {
		request.Group = resource(group)
	}
	return Call{Method: "Heartbeat", Request: request}
}

func goodbye(group string) Call {
	request := &v2.NotifyClientTerminationRequest{}
	if group != "" {
		request.Group = resource(group)
	}
	return Call{Method: "NotifyClientTermination", Request: request}
}

func route(topic *v2.Resource, endpoints *v2.Endpoints) Call {
	return Call{Method: "QueryRoute", Request: &v2.QueryRouteRequest{Topic: topic, Endpoints: endpoints}}
}

func assignment(topic, group string, endpoints *v2.Endpoints) Call {
	return Call{Method: "QueryAssignment", Request: &v2.QueryAssignmentRequest{Topic: resource(topic), Group: resource(group), Endpoints: endpoints}}
}

func endpoints(scheme v2.AddressScheme, addresses ...*v2.Address) *v2.Endpoints {
	return &v2.Endpoints{Scheme: scheme, Addresses: addresses}
}

func address(host string, port int32) *v2.Address { return &v2.Address{Host: host, Port: port} }

// dialled is what a client puts into its questions for routes.
var dialled = endpoints(v2.AddressScheme_IPv4, address("192.0.2.1", 8081))

// headed is a call with other headers.
func headed(c Call, pairs ...string) Call {
	c.Header = pairs
	return c
}

// within is a call with another deadline.
func within(c Call, d time.Duration) Call {
	c.Within = d
	return c
}

// one is a row of a single call.
func one(name string, c Call) Row { return Row{Name: name, Steps: []Step{c}} }

// steps are those of a row.
func steps(all ...Step) []Step { return all }
