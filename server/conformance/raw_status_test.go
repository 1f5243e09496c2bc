package conformance

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// refusal is a call and the Status it gets. The first code is the Java proxy's;
// the others are better answers to what it answers with an exception.
type refusal struct {
	name string
	call func(p peer) (*v2.Status, error)
	want []v2.Code
}

func code(c ...v2.Code) []v2.Code { return c }

// refused runs a table of them. The gRPC status of each is OK.
func refused(p peer, table []refusal) {
	p.Helper()
	for _, r := range table {
		got, err := r.call(p)
		if err != nil {
			p.Errorf("%s: gRPC says %v, want Status %v", r.name, err, r.want)
			continue
		}
		if !slices.Contains(r.want, got.GetCode()) {
			p.Errorf("%s: %v %q, want %v", r.name, got.GetCode(), got.GetMessage(), r.want)
		}
		if got.GetMessage() == "" {
			p.Errorf("%s: %v has no message", r.name, got.GetCode())
		}
	}
}

// TestClientIDIsRequired of every call, and a blank one is none.
func TestClientIDIsRequired(t *testing.T) {
	type answer interface{ GetStatus() *v2.Status }
	eachTransport(t, "stubs: refusals of each method", func(p peer) {
		none := p.with("x-mq-client-id", "")
		empty := metadata.AppendToOutgoingContext(none, "x-mq-client-id", "")
		blank := p.with("x-mq-client-id", " ")
		for _, ctx := range []context.Context{none, empty, blank} {
			call := func(name string, ask func() (answer, error)) refusal {
				return refusal{name, func(peer) (*v2.Status, error) {
					a, err := ask()
					return a.GetStatus(), err
				}, code(v2.Code_CLIENT_ID_REQUIRED)}
			}
			refused(p, []refusal{
				call("QueryRoute", func() (answer, error) { return p.QueryRoute(ctx, &v2.QueryRouteRequest{}) }),
				call("QueryAssignment", func() (answer, error) { return p.QueryAssignment(ctx, &v2.QueryAssignmentRequest{}) }),
				call("Heartbeat", func() (answer, error) { return p.Heartbeat(ctx, &v2.HeartbeatRequest{}) }),
				call("SendMessage", func() (answer, error) { return p.SendMessage(ctx, &v2.SendMessageRequest{}) }),
				call("AckMessage", func() (answer, error) { return p.AckMessage(ctx, &v2.AckMessageRequest{}) }),
				call("ChangeInvisibleDuration", func() (answer, error) {
					return p.ChangeInvisibleDuration(ctx, &v2.ChangeInvisibleDurationRequest{})
				}),
				call("ForwardMessageToDeadLetterQueue", func() (answer, error) {
					return p.ForwardMessageToDeadLetterQueue(ctx, &v2.ForwardMessageToDeadLetterQueueRequest{})
				}),
				call("NotifyClientTermination", func() (answer, error) {
					return p.NotifyClientTermination(ctx, &v2.NotifyClientTerminationRequest{})
				}),
			})
			// Transactions and recall are not in scope yet; until they are, the
			// proxy may say that they are not there.
			for name, ask := range map[string]func() (answer, error){
				"EndTransaction": func() (answer, error) { return p.EndTransaction(ctx, &v2.EndTransactionRequest{}) },
				"RecallMessage":  func() (answer, error) { return p.RecallMessage(ctx, &v2.RecallMessageRequest{}) },
			} {
				if a, err := ask(); status.Code(err) != codes.Unimplemented {
					refused(p, []refusal{call(name, func() (answer, error) { return a, err })})
				}
			}

			got, err := p.polls(ctx, receiveRequest("t", "g"))
			if err != nil || got.status.GetCode() != v2.Code_CLIENT_ID_REQUIRED || !slices.Equal(got.elements, []string{"status"}) {
				p.Errorf("ReceiveMessage: %+v, %v; want one status", got, err)
			}
		}
	})
}

// TestSendRefuses goes through the checks of SendMessage.
func TestSendRefuses(t *testing.T) {
	eachTransport(t, "stubs: refusals of each method", func(p peer) {
		normal, fifo := p.topic("NORMAL"), p.topic("FIFO")
		all := func(name string, want []v2.Code, messages ...*v2.Message) refusal {
			return refusal{name, func(p peer) (*v2.Status, error) {
				answer, err := p.SendMessage(p.with(), &v2.SendMessageRequest{Messages: messages})
				return answer.GetStatus(), err
			}, want}
		}
		one := func(name string, want v2.Code, change func(m *v2.Message)) refusal {
			return all(name, code(want), message(normal, change))
		}
		system := func(name string, want v2.Code, change func(s *v2.SystemProperties)) refusal {
			return one(name, want, func(m *v2.Message) { change(m.SystemProperties) })
		}
		property := func(name string, want v2.Code, key, value string) refusal {
			return one(name, want, func(m *v2.Message) { m.UserProperties[key] = value })
		}
		text := func(s string) *string { return &s }
		// Java answers by the type it does not find. 40402 says more.
		missing := code(v2.Code_MESSAGE_PROPERTY_CONFLICT_WITH_TYPE, v2.Code_TOPIC_NOT_FOUND)
		if p.local() {
			missing = code(v2.Code_OK) // it is made on first use
		}
		refused(p, []refusal{
			all("no message", code(v2.Code_MESSAGE_CORRUPTED)),
			all("two topics", code(v2.Code_MESSAGE_CORRUPTED), message(normal), message(fifo)),
			all("blank topic", code(v2.Code_ILLEGAL_TOPIC), message(" ")),
			all("illegal topic", code(v2.Code_ILLEGAL_TOPIC), message("or ders")),
			all("long topic", code(v2.Code_ILLEGAL_TOPIC), message(strings.Repeat("t", 128))),
			all("system topic", code(v2.Code_ILLEGAL_TOPIC), message("SCHEDULE_TOPIC_XXXX")),
			all("unknown topic", missing, message(freshName(p.T))),
			one("empty body", v2.Code_MESSAGE_BODY_EMPTY, func(m *v2.Message) { m.Body = nil }),
			one("body of 4 MiB and one byte", v2.Code_MESSAGE_BODY_TOO_LARGE, func(m *v2.Message) { m.Body = make([]byte, 4<<20+1) }),
			one("129 properties", v2.Code_MESSAGE_PROPERTIES_TOO_LARGE, func(m *v2.Message) {
				for i := range 128 {
					m.UserProperties[strings.Repeat("p", i+1)] = "v"
				}
			}),
			property("properties over 16 KiB", v2.Code_MESSAGE_PROPERTIES_TOO_LARGE, "p", strings.Repeat("v", 16384)),
			property("system's property", v2.Code_ILLEGAL_MESSAGE_PROPERTY_KEY, "UNIQ_KEY", "x"),
			property("control character in a property's key", v2.Code_ILLEGAL_MESSAGE_PROPERTY_KEY, "a\x01b", "x"),
			property("control character in a property", v2.Code_ILLEGAL_MESSAGE_PROPERTY_KEY, "a", "\x02"),
			system("blank tag", v2.Code_ILLEGAL_MESSAGE_TAG, func(s *v2.SystemProperties) { s.Tag = text(" ") }),
			system("tag with a bar", v2.Code_ILLEGAL_MESSAGE_TAG, func(s *v2.SystemProperties) { s.Tag = text("a|b") }),
			system("tag with a control character", v2.Code_ILLEGAL_MESSAGE_TAG, func(s *v2.SystemProperties) { s.Tag = text("a\tb") }),
			system("blank key", v2.Code_ILLEGAL_MESSAGE_KEY, func(s *v2.SystemProperties) { s.Keys = []string{" "} }),
			system("key with a control character", v2.Code_ILLEGAL_MESSAGE_KEY, func(s *v2.SystemProperties) { s.Keys = []string{"a\nb"} }),
			system("no message id", v2.Code_ILLEGAL_MESSAGE_ID, func(s *v2.SystemProperties) { s.MessageId = "" }),
			system("blank message group", v2.Code_ILLEGAL_MESSAGE_GROUP, func(s *v2.SystemProperties) { s.MessageGroup = text(" ") }),
			system("message group of 64 bytes", v2.Code_ILLEGAL_MESSAGE_GROUP, func(s *v2.SystemProperties) { s.MessageGroup = text(strings.Repeat("g", 64)) }),
			system("delayed for more than a day", v2.Code_ILLEGAL_DELIVERY_TIME, func(s *v2.SystemProperties) {
				s.DeliveryTimestamp = timestamppb.New(time.Now().Add(25 * time.Hour))
			}),
			system("message group on a normal topic", v2.Code_MESSAGE_PROPERTY_CONFLICT_WITH_TYPE, func(s *v2.SystemProperties) { s.MessageGroup = text("g") }),
			system("delay on a normal topic", v2.Code_MESSAGE_PROPERTY_CONFLICT_WITH_TYPE, func(s *v2.SystemProperties) {
				s.DeliveryTimestamp = timestamppb.New(time.Now().Add(time.Minute))
			}),
			all("no message group on a fifo topic", code(v2.Code_MESSAGE_PROPERTY_CONFLICT_WITH_TYPE), message(fifo)),
			system("negative priority", v2.Code_INTERNAL_SERVER_ERROR, func(s *v2.SystemProperties) { less := int32(-1); s.Priority = &less }),
		})
	})
}

// TestReceiveRefuses goes through the checks of ReceiveMessage, in their order.
func TestReceiveRefuses(t *testing.T) {
	eachTransport(t, "stubs: refusals of each method", func(p peer) {
		name, group := p.topic("NORMAL"), freshName(p.T)
		receive := func(what string, want []v2.Code, change func(r *v2.ReceiveMessageRequest)) refusal {
			return refusal{what, func(p peer) (*v2.Status, error) {
				got, err := p.polls(p.with(), receiveRequest(name, group, change))
				return got.status, err
			}, want}
		}
		// Java looks the settings up and falls over.
		refused(p.another(), []refusal{receive("no settings", code(v2.Code_INTERNAL_SERVER_ERROR, v2.Code_UNRECOGNIZED_CLIENT_TYPE),
			func(*v2.ReceiveMessageRequest) {})})

		p.opens().settles(p.consumerSettings(v2.ClientType_SIMPLE_CONSUMER, name, group, "*"))
		missing := v2.Code_TOPIC_NOT_FOUND
		if p.local() {
			missing = v2.Code_MESSAGE_NOT_FOUND // it is made on first use
		}
		refused(p, []refusal{
			receive("blank topic", code(v2.Code_ILLEGAL_TOPIC), func(r *v2.ReceiveMessageRequest) { r.MessageQueue.Topic.Name = "" }),
			receive("illegal topic", code(v2.Code_ILLEGAL_TOPIC), func(r *v2.ReceiveMessageRequest) { r.MessageQueue.Topic.Name = "a*b" }),
			receive("illegal group", code(v2.Code_ILLEGAL_CONSUMER_GROUP), func(r *v2.ReceiveMessageRequest) { r.Group.Name = "a*b" }),
			receive("invisible for 9 s", code(v2.Code_ILLEGAL_INVISIBLE_TIME), func(r *v2.ReceiveMessageRequest) { r.InvisibleDuration = durationpb.New(9 * time.Second) }),
			receive("invisible for 13 h", code(v2.Code_ILLEGAL_INVISIBLE_TIME), func(r *v2.ReceiveMessageRequest) { r.InvisibleDuration = durationpb.New(13 * time.Hour) }),
			receive("filter of separators", code(v2.Code_ILLEGAL_FILTER_EXPRESSION), func(r *v2.ReceiveMessageRequest) { r.FilterExpression.Expression = "||" }),
			receive("empty SQL", code(v2.Code_ILLEGAL_FILTER_EXPRESSION), func(r *v2.ReceiveMessageRequest) {
				r.FilterExpression = &v2.FilterExpression{Type: v2.FilterType_SQL}
			}),
			receive("unknown topic", code(missing), func(r *v2.ReceiveMessageRequest) { r.MessageQueue.Topic.Name = freshName(p.T) }),
		})

		// A poll takes 5 s at least; Java refuses a call that has less, with
		// another code to old clients. To serve what can be served is as good.
		for version, want := range map[string]v2.Code{"5.1.4": v2.Code_ILLEGAL_POLLING_TIME, "5.0.2": v2.Code_BAD_REQUEST} {
			ctx, cancel := context.WithTimeout(p.with("x-mq-client-version", version), 3*time.Second)
			got, err := p.polls(ctx, receiveRequest(name, group))
			cancel()
			if err != nil || got.status.GetCode() != want && got.status.GetCode() != v2.Code_MESSAGE_NOT_FOUND {
				p.Errorf("polled for 5 s with a deadline of 3 s, version %s: %v, %v; want %v", version, got.status, err, want)
			}
		}
	})
}
