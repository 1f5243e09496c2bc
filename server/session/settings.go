package session

import (
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/backend"
)

// Policy is what clients are told in answer to their settings.
type Policy struct {
	ProducerAttemptsMax       int32
	ProducerBackoffInitial    time.Duration
	ProducerBackoffMax        time.Duration
	ProducerBackoffMultiplier float32
	ValidateMessageType       bool
	BodyBytesMax              int32

	ReceiveBatchSize int32
	PollTimeout      time.Duration
	LiteTopicBytes   int32
	MetricOn         bool
	MetricEndpoints  *apiv2.Endpoints // nil: the client's own access point
}

// Stored is what is kept of a client's settings: for a consumer the server's defaults lie
// under what the client says (gRPC specification 5.1 step 4).
func (p *Policy) Stored(client *apiv2.Settings) *apiv2.Settings {
	if client.GetSubscription() == nil {
		return proto.CloneOf(client)
	}
	defaults := &apiv2.Settings{PubSub: &apiv2.Settings_Subscription{Subscription: &apiv2.Subscription{}}}
	p.consume(defaults, &backend.DefaultGroup)
	proto.Merge(defaults, client)
	return defaults
}

// Merged is what a client is answered: its own settings with the server's will over them
// (gRPC specification 5.2). group is nil for producers, and for groups nobody knows.
func (p *Policy) Merged(stored *apiv2.Settings, group *backend.Group) *apiv2.Settings {
	merged := proto.CloneOf(stored)
	switch {
	case merged.GetPublishing() != nil:
		p.publish(merged)
	case merged.GetSubscription() != nil && group != nil:
		p.consume(merged, group)
	}
	merged.Metric = &apiv2.Metric{On: p.MetricOn}
	if p.MetricOn {
		merged.Metric.Endpoints = p.MetricEndpoints
		if merged.Metric.Endpoints == nil {
			merged.Metric.Endpoints = merged.GetAccessPoint()
		}
	}
	return merged
}

func (p *Policy) publish(s *apiv2.Settings) {
	s.BackoffPolicy = &apiv2.RetryPolicy{
		MaxAttempts: p.ProducerAttemptsMax,
		Strategy: &apiv2.RetryPolicy_ExponentialBackoff{ExponentialBackoff: &apiv2.ExponentialBackoff{
			Initial:    durationpb.New(p.ProducerBackoffInitial),
			Max:        durationpb.New(p.ProducerBackoffMax),
			Multiplier: p.ProducerBackoffMultiplier,
		}},
	}
	s.GetPublishing().ValidateMessageType = p.ValidateMessageType
	s.GetPublishing().MaxBodySize = p.BodyBytesMax
}

func (p *Policy) consume(s *apiv2.Settings, group *backend.Group) {
	sub := s.GetSubscription()
	sub.ReceiveBatchSize = proto.Int32(p.ReceiveBatchSize)
	sub.LongPollingTimeout = durationpb.New(p.PollTimeout)
	sub.Fifo = proto.Bool(group.Orderly)
	sub.LiteSubscriptionQuota = proto.Int32(int32(group.LiteQuota))
	sub.MaxLiteTopicSize = proto.Int32(p.LiteTopicBytes)
	s.BackoffPolicy = &apiv2.RetryPolicy{MaxAttempts: int32(group.RetryMax) + 1}
	if r := group.Retry; r.Exponential {
		s.BackoffPolicy.Strategy = &apiv2.RetryPolicy_ExponentialBackoff{ExponentialBackoff: &apiv2.ExponentialBackoff{
			Initial: durationpb.New(r.Initial), Max: durationpb.New(r.Max), Multiplier: r.Multiplier,
		}}
		return
	}
	next := make([]*durationpb.Duration, len(group.Retry.Next))
	for i, d := range group.Retry.Next {
		next[i] = durationpb.New(d)
	}
	s.BackoffPolicy.Strategy = &apiv2.RetryPolicy_CustomizedBackoff{CustomizedBackoff: &apiv2.CustomizedBackoff{Next: next}}
}
