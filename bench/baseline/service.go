package main

import (
	"context"
	"errors"
	"io"
	"strconv"
	"sync"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/durationpb"
)

// service implements the RPCs that the bench uses.
type service struct {
	v2.UnimplementedMessagingServiceServer
	cluster *cluster

	mu       sync.RWMutex
	settings map[string]*v2.Settings // by client id
}

func newService(nameServer string) *service {
	return &service{cluster: newCluster(nameServer), settings: map[string]*v2.Settings{}}
}

func legalName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '%' && c != '|' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

func status(code v2.Code, message string) *v2.Status { return &v2.Status{Code: code, Message: message} }

func ok() *v2.Status { return status(v2.Code_OK, "OK") }

// statusOf turns an error into the status a client is told.
func statusOf(err error) *v2.Status {
	var broker *brokerError
	switch {
	case errors.As(err, &broker) && broker.code == 17:
		return status(v2.Code_TOPIC_NOT_FOUND, err.Error())
	case errors.As(err, &broker) && broker.code == 2:
		return status(v2.Code_TOO_MANY_REQUESTS, err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return status(v2.Code_PROXY_TIMEOUT, err.Error())
	}
	return status(v2.Code_INTERNAL_SERVER_ERROR, err.Error())
}

func checkTopic(name string) *v2.Status {
	if name == "" || len(name) > 127 || !legalName(name) {
		return status(v2.Code_ILLEGAL_TOPIC, "illegal topic "+strconv.Quote(name))
	}
	return nil
}

func checkGroup(name string) *v2.Status {
	if name == "" || len(name) > 120 || !legalName(name) {
		return status(v2.Code_ILLEGAL_CONSUMER_GROUP, "illegal group "+strconv.Quote(name))
	}
	return nil
}

// clientID is the caller's identity, from the metadata.
func clientID(ctx context.Context) (string, *v2.Status) {
	if ids := metadata.ValueFromIncomingContext(ctx, "x-mq-client-id"); len(ids) > 0 && ids[0] != "" {
		return ids[0], nil
	}
	return "", status(v2.Code_CLIENT_ID_REQUIRED, "client id cannot be empty")
}

func (s *service) QueryRoute(ctx context.Context, r *v2.QueryRouteRequest) (*v2.QueryRouteResponse, error) {
	if _, bad := clientID(ctx); bad != nil {
		return &v2.QueryRouteResponse{Status: bad}, nil
	}
	if bad := checkTopic(r.GetTopic().GetName()); bad != nil {
		return &v2.QueryRouteResponse{Status: bad}, nil
	}
	info, err := s.cluster.topic(ctx, r.GetTopic().GetName())
	if err != nil {
		return &v2.QueryRouteResponse{Status: statusOf(err)}, nil
	}
	answer := &v2.QueryRouteResponse{Status: ok()}
	for _, q := range info.route.QueueDatas {
		broker := &v2.Broker{Name: q.BrokerName, Endpoints: r.GetEndpoints()}
		for id := range min(q.ReadQueueNums, q.WriteQueueNums) {
			answer.MessageQueues = append(answer.MessageQueues, &v2.MessageQueue{
				Topic: r.GetTopic(), Id: int32(id), Permission: v2.Permission_READ_WRITE, Broker: broker,
				AcceptMessageTypes: []v2.MessageType{v2.MessageType(v2.MessageType_value[info.kind])},
			})
		}
	}
	return answer, nil
}

func (s *service) Heartbeat(ctx context.Context, _ *v2.HeartbeatRequest) (*v2.HeartbeatResponse, error) {
	id, bad := clientID(ctx)
	if bad != nil {
		return &v2.HeartbeatResponse{Status: bad}, nil
	}
	if s.settingsOf(id) == nil {
		return &v2.HeartbeatResponse{Status: status(v2.Code_UNRECOGNIZED_CLIENT_TYPE, "cannot find client settings for this client")}, nil
	}
	return &v2.HeartbeatResponse{Status: ok()}, nil
}

func (s *service) Telemetry(stream v2.MessagingService_TelemetryServer) error {
	id, bad := clientID(stream.Context())
	if bad != nil {
		return stream.Send(&v2.TelemetryCommand{Status: bad})
	}
	for {
		command, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		settings := command.GetSettings()
		if settings == nil {
			continue
		}
		merged := s.merge(stream.Context(), settings)
		s.mu.Lock()
		s.settings[id] = merged
		s.mu.Unlock()
		answer := &v2.TelemetryCommand{Status: ok(), Command: &v2.TelemetryCommand_Settings{Settings: merged}}
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
}

func (s *service) settingsOf(id string) *v2.Settings {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.settings[id]
}

// merge fills in what the server decides.
func (s *service) merge(ctx context.Context, settings *v2.Settings) *v2.Settings {
	if p := settings.GetPublishing(); p != nil {
		p.MaxBodySize, p.ValidateMessageType = 4<<20, true
		settings.BackoffPolicy = &v2.RetryPolicy{MaxAttempts: 3}
	}
	if sub := settings.GetSubscription(); sub != nil && len(sub.GetSubscriptions()) > 0 {
		config, err := s.cluster.group(ctx, sub.Subscriptions[0].GetTopic().GetName(), sub.GetGroup().GetName())
		if err == nil {
			sub.Fifo = &config.ConsumeMessageOrderly
			settings.BackoffPolicy = &v2.RetryPolicy{MaxAttempts: int32(config.RetryMaxTimes + 1)}
		}
		batch := int32(32)
		sub.ReceiveBatchSize, sub.LongPollingTimeout = &batch, &durationpb.Duration{Seconds: 20}
	}
	return settings
}
