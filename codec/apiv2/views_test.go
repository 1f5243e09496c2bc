package apiv2

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"rocketmq-proxy/pool"
)

// viewCase is one request seen twice. parse reads it with the view, project reads it with the
// generated type; both say what they saw as a generated message with only the fields the view
// knows, where an absent submessage counts as an empty one. So the two can be compared.
type viewCase struct {
	name      string
	generated func() proto.Message
	parse     func(*pool.Chain) (proto.Message, error)
	project   func(proto.Message) proto.Message
}

// viewCases has one view of each kind, parsed again and again, so that what is left over from
// the message before would show.
func viewCases() []viewCase {
	return []viewCase{sendCase(), receiveCase(), pullCase(), ackCase(), changeCase()}
}

func sendCase() viewCase {
	var v SendView
	limits := DefaultLimits()
	return viewCase{
		name:      "SendMessageRequest",
		generated: func() proto.Message { return new(SendMessageRequest) },
		parse: func(chain *pool.Chain) (proto.Message, error) {
			if err := v.Parse(chain, &limits); err != nil {
				return nil, err
			}
			return sendSeen(&v, chain), nil
		},
		project: func(m proto.Message) proto.Message { return sendProjected(m.(*SendMessageRequest)) },
	}
}

func sendSeen(v *SendView, chain *pool.Chain) *SendMessageRequest {
	whole := chain.AppendTo(nil)
	seen := &SendMessageRequest{}
	for i := range v.Messages {
		m := &v.Messages[i]
		message := &Message{
			Topic:          resourceSeen(m.Topic),
			UserProperties: map[string]string{},
			Body:           whole[m.Body.Offset : m.Body.Offset+m.Body.Len],
			SystemProperties: &SystemProperties{
				Tag:                                 optional(m.Tag),
				MessageId:                           string(m.MessageID),
				BodyEncoding:                        m.BodyEncoding,
				MessageType:                         m.MessageType,
				BornTimestamp:                       timestampSeen(m.BornTimestamp),
				BornHost:                            string(m.BornHost),
				DeliveryTimestamp:                   timestampSeen(m.DeliveryTimestamp),
				DeliveryAttempt:                     &m.DeliveryAttempt,
				MessageGroup:                        optional(m.MessageGroup),
				TraceContext:                        optional(m.TraceContext),
				OrphanedTransactionRecoveryDuration: durationSeen(m.OrphanedTransactionRecovery),
				LiteTopic:                           optional(m.LiteTopic),
			},
		}
		for _, p := range m.UserProperties {
			message.UserProperties[string(p.Key)] = string(p.Value)
		}
		for _, key := range m.Keys {
			message.SystemProperties.Keys = append(message.SystemProperties.Keys, string(key))
		}
		if m.HasPriority {
			message.SystemProperties.Priority = &m.Priority
		}
		seen.Messages = append(seen.Messages, message)
	}
	return seen
}

func sendProjected(g *SendMessageRequest) *SendMessageRequest {
	projected := &SendMessageRequest{}
	for _, m := range g.Messages {
		s := m.GetSystemProperties()
		projected.Messages = append(projected.Messages, &Message{
			Topic:          resourceProjected(m.GetTopic()),
			UserProperties: m.GetUserProperties(),
			Body:           m.GetBody(),
			SystemProperties: &SystemProperties{
				Tag:                                 optionalOf(s.GetTag(), s != nil && s.Tag != nil),
				Keys:                                s.GetKeys(),
				MessageId:                           s.GetMessageId(),
				BodyEncoding:                        s.GetBodyEncoding(),
				MessageType:                         s.GetMessageType(),
				BornTimestamp:                       timestampProjected(s.GetBornTimestamp()),
				BornHost:                            s.GetBornHost(),
				DeliveryTimestamp:                   timestampProjected(s.GetDeliveryTimestamp()),
				DeliveryAttempt:                     proto.Int32(s.GetDeliveryAttempt()),
				MessageGroup:                        optionalOf(s.GetMessageGroup(), s != nil && s.MessageGroup != nil),
				TraceContext:                        optionalOf(s.GetTraceContext(), s != nil && s.TraceContext != nil),
				OrphanedTransactionRecoveryDuration: durationProjected(s.GetOrphanedTransactionRecoveryDuration()),
				LiteTopic:                           optionalOf(s.GetLiteTopic(), s != nil && s.LiteTopic != nil),
				Priority:                            optionalOf(s.GetPriority(), s != nil && s.Priority != nil),
			},
		})
	}
	return projected
}

func receiveCase() viewCase {
	var v ReceiveView
	return viewCase{
		name:      "ReceiveMessageRequest",
		generated: func() proto.Message { return new(ReceiveMessageRequest) },
		parse: func(chain *pool.Chain) (proto.Message, error) {
			if err := v.Parse(chain); err != nil {
				return nil, err
			}
			return &ReceiveMessageRequest{
				Group: resourceSeen(v.Group),
				MessageQueue: &MessageQueue{
					Topic:  resourceSeen(v.Topic),
					Id:     v.QueueID,
					Broker: &Broker{Name: string(v.BrokerName)},
				},
				FilterExpression:   &FilterExpression{Type: v.FilterType, Expression: string(v.FilterExpression)},
				BatchSize:          v.BatchSize,
				InvisibleDuration:  durationSeen(v.InvisibleDuration),
				AutoRenew:          v.AutoRenew,
				LongPollingTimeout: durationSeen(v.LongPollingTimeout),
				AttemptId:          optional(v.AttemptID),
			}, nil
		},
		project: func(m proto.Message) proto.Message {
			g := m.(*ReceiveMessageRequest)
			q, f := g.GetMessageQueue(), g.GetFilterExpression()
			return &ReceiveMessageRequest{
				Group: resourceProjected(g.Group),
				MessageQueue: &MessageQueue{
					Topic:  resourceProjected(q.GetTopic()),
					Id:     q.GetId(),
					Broker: &Broker{Name: q.GetBroker().GetName()},
				},
				FilterExpression:   &FilterExpression{Type: f.GetType(), Expression: f.GetExpression()},
				BatchSize:          g.BatchSize,
				InvisibleDuration:  durationProjected(g.InvisibleDuration),
				AutoRenew:          g.AutoRenew,
				LongPollingTimeout: durationProjected(g.LongPollingTimeout),
				AttemptId:          g.AttemptId,
			}
		},
	}
}

func pullCase() viewCase {
	var v PullView
	return viewCase{
		name:      "PullMessageRequest",
		generated: func() proto.Message { return new(PullMessageRequest) },
		parse: func(chain *pool.Chain) (proto.Message, error) {
			if err := v.Parse(chain); err != nil {
				return nil, err
			}
			return &PullMessageRequest{
				Group: resourceSeen(v.Group),
				MessageQueue: &MessageQueue{
					Topic:  resourceSeen(v.Topic),
					Id:     v.QueueID,
					Broker: &Broker{Name: string(v.BrokerName)},
				},
				Offset:             v.Offset,
				BatchSize:          v.BatchSize,
				FilterExpression:   &FilterExpression{Type: v.FilterType, Expression: string(v.FilterExpression)},
				LongPollingTimeout: durationSeen(v.LongPollingTimeout),
			}, nil
		},
		project: func(m proto.Message) proto.Message {
			g := m.(*PullMessageRequest)
			q, f := g.GetMessageQueue(), g.GetFilterExpression()
			return &PullMessageRequest{
				Group: resourceProjected(g.Group),
				MessageQueue: &MessageQueue{
					Topic:  resourceProjected(q.GetTopic()),
					Id:     q.GetId(),
					Broker: &Broker{Name: q.GetBroker().GetName()},
				},
				Offset:             g.Offset,
				BatchSize:          g.BatchSize,
				FilterExpression:   &FilterExpression{Type: f.GetType(), Expression: f.GetExpression()},
				LongPollingTimeout: durationProjected(g.LongPollingTimeout),
			}
		},
	}
}

func ackCase() viewCase {
	var v AckView
	limits := DefaultLimits()
	return viewCase{
		name:      "AckMessageRequest",
		generated: func() proto.Message { return new(AckMessageRequest) },
		parse: func(chain *pool.Chain) (proto.Message, error) {
			if err := v.Parse(chain, &limits); err != nil {
				return nil, err
			}
			seen := &AckMessageRequest{Group: resourceSeen(v.Group), Topic: resourceSeen(v.Topic)}
			for _, e := range v.Entries {
				seen.Entries = append(seen.Entries, &AckMessageEntry{
					MessageId:     string(e.MessageID),
					ReceiptHandle: string(e.ReceiptHandle),
					LiteTopic:     optional(e.LiteTopic),
				})
			}
			return seen, nil
		},
		project: func(m proto.Message) proto.Message {
			g := m.(*AckMessageRequest)
			projected := &AckMessageRequest{Group: resourceProjected(g.Group), Topic: resourceProjected(g.Topic)}
			for _, e := range g.Entries {
				projected.Entries = append(projected.Entries, &AckMessageEntry{
					MessageId: e.MessageId, ReceiptHandle: e.ReceiptHandle, LiteTopic: e.LiteTopic,
				})
			}
			return projected
		},
	}
}

func changeCase() viewCase {
	var v ChangeInvisibleView
	return viewCase{
		name:      "ChangeInvisibleDurationRequest",
		generated: func() proto.Message { return new(ChangeInvisibleDurationRequest) },
		parse: func(chain *pool.Chain) (proto.Message, error) {
			if err := v.Parse(chain); err != nil {
				return nil, err
			}
			return &ChangeInvisibleDurationRequest{
				Group:             resourceSeen(v.Group),
				Topic:             resourceSeen(v.Topic),
				ReceiptHandle:     string(v.ReceiptHandle),
				InvisibleDuration: durationSeen(v.InvisibleDuration),
				MessageId:         string(v.MessageID),
				LiteTopic:         optional(v.LiteTopic),
				Suspend:           &v.Suspend,
			}, nil
		},
		project: func(m proto.Message) proto.Message {
			g := m.(*ChangeInvisibleDurationRequest)
			return &ChangeInvisibleDurationRequest{
				Group:             resourceProjected(g.Group),
				Topic:             resourceProjected(g.Topic),
				ReceiptHandle:     g.ReceiptHandle,
				InvisibleDuration: durationProjected(g.InvisibleDuration),
				MessageId:         g.MessageId,
				LiteTopic:         g.LiteTopic,
				Suspend:           proto.Bool(g.GetSuspend()),
			}
		},
	}
}

func optional(b []byte) *string { return optionalOf(string(b), b != nil) }

func optionalOf[T any](value T, set bool) *T {
	if !set {
		return nil
	}
	return &value
}

func resourceSeen(r ResourceView) *Resource {
	return &Resource{ResourceNamespace: string(r.Namespace), Name: string(r.Name)}
}

func resourceProjected(r *Resource) *Resource {
	return &Resource{ResourceNamespace: r.GetResourceNamespace(), Name: r.GetName()}
}

func timestampSeen(t Timestamp) *timestamppb.Timestamp {
	if !t.Set {
		return nil
	}
	return &timestamppb.Timestamp{Seconds: t.Seconds, Nanos: t.Nanos}
}

func timestampProjected(t *timestamppb.Timestamp) *timestamppb.Timestamp {
	if t == nil {
		return nil
	}
	return &timestamppb.Timestamp{Seconds: t.Seconds, Nanos: t.Nanos}
}

func durationSeen(d Duration) *durationpb.Duration {
	if !d.Set {
		return nil
	}
	return &durationpb.Duration{Seconds: d.Seconds, Nanos: d.Nanos}
}

func durationProjected(d *durationpb.Duration) *durationpb.Duration {
	if d == nil {
		return nil
	}
	return &durationpb.Duration{Seconds: d.Seconds, Nanos: d.Nanos}
}
