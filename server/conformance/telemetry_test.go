package conformance

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// telemetry is an open stream.
type telemetry struct {
	peer
	stream v2.MessagingService_TelemetryClient
}

// opens opens a stream that lives as long as the test.
func (p peer) opens(header ...string) telemetry {
	p.Helper()
	stream, err := p.Telemetry(metadata.NewOutgoingContext(p.Context(), p.header(header...)))
	if err != nil {
		p.Fatal(err)
	}
	return telemetry{p, stream}
}

// says sends settings.
func (t telemetry) says(s *v2.Settings) {
	t.Helper()
	if err := t.stream.Send(&v2.TelemetryCommand{Command: &v2.TelemetryCommand_Settings{Settings: s}}); err != nil {
		t.Fatal(err)
	}
}

// hears waits for a command, but not for ever.
func (t telemetry) hears() (*v2.TelemetryCommand, error) { return t.hearsWithin(10 * time.Second) }

func (t telemetry) hearsWithin(patience time.Duration) (*v2.TelemetryCommand, error) {
	type heard struct {
		command *v2.TelemetryCommand
		err     error
	}
	c := make(chan heard, 1)
	go func() {
		command, err := t.stream.Recv()
		c <- heard{command, err}
	}()
	select {
	case h := <-c:
		return h.command, h.err
	case <-time.After(patience):
		return nil, fmt.Errorf("nothing heard for %v", patience)
	}
}

// settles sends settings and returns the merged ones.
func (t telemetry) settles(s *v2.Settings) *v2.Settings {
	t.Helper()
	t.says(s)
	command, err := t.hears()
	if err != nil {
		t.Fatal(err)
	}
	if command.GetStatus().GetCode() != v2.Code_OK || command.GetSettings() == nil {
		t.Fatalf("settings are answered with %v", command)
	}
	return command.GetSettings()
}

func (g *target) producerSettings(topics ...string) *v2.Settings {
	s := g.settings(v2.ClientType_PRODUCER)
	publishing := &v2.Publishing{}
	for _, topic := range topics {
		publishing.Topics = append(publishing.Topics, resource(topic))
	}
	s.PubSub = &v2.Settings_Publishing{Publishing: publishing}
	s.BackoffPolicy = &v2.RetryPolicy{MaxAttempts: 9, Strategy: &v2.RetryPolicy_ExponentialBackoff{
		ExponentialBackoff: &v2.ExponentialBackoff{Initial: durationpb.New(time.Hour), Max: durationpb.New(time.Hour), Multiplier: 7},
	}}
	return s
}

func (g *target) consumerSettings(kind v2.ClientType, topic, group, filter string) *v2.Settings {
	s := g.settings(kind)
	s.PubSub = &v2.Settings_Subscription{Subscription: &v2.Subscription{
		Group: resource(group),
		Subscriptions: []*v2.SubscriptionEntry{{
			Topic:      resource(topic),
			Expression: &v2.FilterExpression{Type: v2.FilterType_TAG, Expression: filter},
		}},
	}}
	return s
}

func (g *target) settings(kind v2.ClientType) *v2.Settings {
	return &v2.Settings{
		ClientType:     &kind,
		AccessPoint:    g.endpoints(),
		RequestTimeout: durationpb.New(3 * time.Second),
		UserAgent:      &v2.UA{Language: v2.Language_GOLANG, Version: "5.1.4", Platform: "linux", Hostname: "here"},
	}
}

// TestSettingsAreMerged: what the client said comes back, and what the server
// decides is added or put over it.
func TestSettingsAreMerged(t *testing.T) {
	eachTransport(t, "stubs: telemetry and settings", func(p peer) {
		name, group := p.topic("NORMAL"), freshName(p.T)
		echoed := func(what string, sent, got *v2.Settings) {
			if got.GetClientType() != sent.GetClientType() || !proto.Equal(got.GetAccessPoint(), sent.GetAccessPoint()) ||
				!proto.Equal(got.GetUserAgent(), sent.GetUserAgent()) || !proto.Equal(got.GetRequestTimeout(), sent.GetRequestTimeout()) {
				p.Errorf("%s: sent %v, got %v", what, sent, got)
			}
		}

		sent := p.producerSettings(name)
		got := p.another().opens().settles(sent)
		echoed("producer", sent, got)
		wantBackoff := &v2.RetryPolicy{MaxAttempts: 3, Strategy: &v2.RetryPolicy_ExponentialBackoff{
			ExponentialBackoff: &v2.ExponentialBackoff{Initial: durationpb.New(10 * time.Millisecond), Max: durationpb.New(time.Second), Multiplier: 2},
		}}
		if !proto.Equal(got.GetBackoffPolicy(), wantBackoff) {
			p.Errorf("producer's backoff %v, want %v", got.GetBackoffPolicy(), wantBackoff)
		}
		publishing := got.GetPublishing()
		if !publishing.GetValidateMessageType() || publishing.GetMaxBodySize() != 4<<20 || len(publishing.GetTopics()) != 1 || publishing.GetTopics()[0].GetName() != name {
			p.Errorf("publishing %v", publishing)
		}
		if got.GetMetric() == nil || got.GetMetric().GetOn() {
			p.Errorf("metric %v, want it there and off", got.GetMetric())
		}

		for _, kind := range []v2.ClientType{v2.ClientType_PUSH_CONSUMER, v2.ClientType_SIMPLE_CONSUMER} {
			sent := p.consumerSettings(kind, name, group, "a || b")
			got := p.another().opens().settles(sent)
			echoed(kind.String(), sent, got)
			s := got.GetSubscription()
			if s.GetGroup().GetName() != group || s.GetReceiveBatchSize() != 32 || s.GetLongPollingTimeout().AsDuration() != 20*time.Second || s.GetFifo() {
				p.Errorf("%v: subscription %v", kind, s)
			}
			if len(s.GetSubscriptions()) != 1 || s.GetSubscriptions()[0].GetExpression().GetExpression() != "a || b" {
				p.Errorf("%v: subscriptions %v", kind, s.GetSubscriptions())
			}
			if got.GetBackoffPolicy().GetMaxAttempts() != 17 {
				p.Errorf("%v: %d attempts, want 17", kind, got.GetBackoffPolicy().GetMaxAttempts())
			}
			var next []time.Duration
			for _, d := range got.GetBackoffPolicy().GetCustomizedBackoff().GetNext() {
				next = append(next, d.AsDuration())
			}
			m := time.Minute
			want := []time.Duration{time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
				m, 2 * m, 3 * m, 4 * m, 5 * m, 6 * m, 7 * m, 8 * m, 9 * m, 10 * m, 20 * m, 30 * m, 60 * m, 120 * m}
			if !slices.Equal(next, want) {
				p.Errorf("%v: backoff %v, want %v", kind, next, want)
			}
		}
	})
}

// TestTelemetryAnswersAgainAndEnds: one answer for each settings, and the
// stream ends well when the client has no more to say.
func TestTelemetryAnswersAgainAndEnds(t *testing.T) {
	eachTransport(t, "stubs: telemetry and settings", func(p peer) {
		name := p.topic("NORMAL")
		stream := p.opens()
		first := stream.settles(p.producerSettings(name))
		if err := stream.stream.Send(&v2.TelemetryCommand{}); err != nil { // nothing to answer
			p.Fatal(err)
		}
		if again := stream.settles(p.producerSettings(name)); !proto.Equal(first, again) {
			p.Errorf("answered again with %v, before with %v", again, first)
		}
		if err := stream.stream.CloseSend(); err != nil {
			p.Fatal(err)
		}
		if command, err := stream.hears(); !errors.Is(err, io.EOF) {
			p.Errorf("half-closed, and heard %v, %v", command, err)
		}
	})
}

// TestTelemetryRefuses: what is wrong with settings is told by the gRPC status,
// what is wrong with the caller by a command.
func TestTelemetryRefuses(t *testing.T) {
	eachTransport(t, "stubs: telemetry and settings", func(p peer) {
		name := p.topic("NORMAL")
		for _, c := range []struct {
			name     string
			settings *v2.Settings
			want     []codes.Code
		}{
			{"neither publishing nor subscription", p.settings(v2.ClientType_PRODUCER), []codes.Code{codes.InvalidArgument}},
			{"illegal topic", p.producerSettings("no topic"), []codes.Code{codes.InvalidArgument}},
			{"illegal group", p.consumerSettings(v2.ClientType_PUSH_CONSUMER, name, "no group", "*"), []codes.Code{codes.InvalidArgument}},
			{"system group", p.consumerSettings(v2.ClientType_PUSH_CONSUMER, name, "CID_RMQ_SYS_x", "*"), []codes.Code{codes.InvalidArgument}},
			{"illegal filter", p.consumerSettings(v2.ClientType_PUSH_CONSUMER, name, "g", "||"), []codes.Code{codes.InvalidArgument}},
			{"subscription of a producer", p.consumerSettings(v2.ClientType_PRODUCER, name, "g", "*"), []codes.Code{codes.Internal, codes.InvalidArgument}},
		} {
			stream := p.another().opens()
			stream.says(c.settings)
			if command, err := stream.hears(); !slices.Contains(c.want, status.Code(err)) {
				p.Errorf("%s: heard %v, %v; want %v", c.name, command, err, c.want)
			}
		}

		nobody := p.opens("x-mq-client-id", "")
		nobody.says(p.producerSettings(name))
		command, err := nobody.hears()
		if err != nil || command.GetStatus().GetCode() != v2.Code_CLIENT_ID_REQUIRED {
			p.Errorf("no client id: heard %v, %v", command, err)
		}
		if command, err := nobody.hears(); !errors.Is(err, io.EOF) {
			p.Errorf("no client id: then heard %v, %v", command, err)
		}
	})
}
