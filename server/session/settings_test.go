package session

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/backend"
)

func consumer(change func(*apiv2.Settings)) *apiv2.Settings {
	s := &apiv2.Settings{PubSub: &apiv2.Settings_Subscription{Subscription: &apiv2.Subscription{}}}
	change(s)
	return s
}

var policy = Policy{ReceiveBatchSize: 32, PollTimeout: 20 * time.Second, LiteTopicBytes: 64}

// TestStored: the defaults lie under what a consumer says, as protobuf merges.
func TestStored(t *testing.T) {
	client := consumer(func(s *apiv2.Settings) {
		s.GetSubscription().ReceiveBatchSize, s.GetSubscription().Fifo = proto.Int32(7), proto.Bool(true)
		s.BackoffPolicy = &apiv2.RetryPolicy{MaxAttempts: 3, Strategy: &apiv2.RetryPolicy_CustomizedBackoff{
			CustomizedBackoff: &apiv2.CustomizedBackoff{Next: []*durationpb.Duration{durationpb.New(time.Hour)}}}}
	})
	before := proto.CloneOf(client)
	got := policy.Stored(client)
	sub := got.GetSubscription()
	if sub.GetReceiveBatchSize() != 7 || !sub.GetFifo() || sub.GetLongPollingTimeout().AsDuration() != 20*time.Second ||
		sub.GetLiteSubscriptionQuota() != 2000 || sub.GetMaxLiteTopicSize() != 64 {
		t.Errorf("subscription %v", sub)
	}
	next := got.GetBackoffPolicy().GetCustomizedBackoff().GetNext()
	if got.GetBackoffPolicy().GetMaxAttempts() != 3 || len(next) != 19 || next[17].AsDuration() != 2*time.Hour || next[18].AsDuration() != time.Hour {
		t.Errorf("backoff %v", got.GetBackoffPolicy())
	}
	if !proto.Equal(client, before) {
		t.Error("the client's own settings were changed")
	}

	got = policy.Stored(consumer(func(s *apiv2.Settings) {
		s.BackoffPolicy = &apiv2.RetryPolicy{Strategy: &apiv2.RetryPolicy_ExponentialBackoff{ExponentialBackoff: &apiv2.ExponentialBackoff{Multiplier: 3}}}
	}))
	if b := got.GetBackoffPolicy(); b.GetExponentialBackoff().GetMultiplier() != 3 || b.GetCustomizedBackoff() != nil || b.GetMaxAttempts() != 17 {
		t.Errorf("backoff %v", b)
	}

	producer := &apiv2.Settings{PubSub: &apiv2.Settings_Publishing{Publishing: &apiv2.Publishing{}}}
	if got = policy.Stored(producer); !proto.Equal(got, producer) || got == producer {
		t.Errorf("a producer's settings became %v", got)
	}
}

// TestMerged for a group that nobody knows is what was stored; metrics are told to all.
func TestMerged(t *testing.T) {
	stored := policy.Stored(consumer(func(s *apiv2.Settings) {
		s.AccessPoint = &apiv2.Endpoints{Scheme: apiv2.AddressScheme_IPv4}
	}))
	want := proto.CloneOf(stored)
	want.Metric = &apiv2.Metric{}
	if got := policy.Merged(stored, nil); !proto.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}

	on := policy
	on.MetricOn = true
	if got := on.Merged(stored, nil).GetMetric(); !got.GetOn() || !proto.Equal(got.GetEndpoints(), stored.AccessPoint) {
		t.Errorf("metric %v", got)
	}
	on.MetricEndpoints = &apiv2.Endpoints{Scheme: apiv2.AddressScheme_DOMAIN_NAME}
	if got := on.Merged(stored, &backend.Group{}).GetMetric(); got.GetEndpoints().GetScheme() != apiv2.AddressScheme_DOMAIN_NAME {
		t.Errorf("metric %v", got)
	}
	if stored.GetMetric() != nil {
		t.Error("what is stored was changed")
	}
}
