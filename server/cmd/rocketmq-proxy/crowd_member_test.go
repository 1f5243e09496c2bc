package main_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"rocketmq-proxy/codec/apiv2"
)

// The rhythm of official push consumers.
const (
	memberBeat    = 10 * time.Second
	memberPoll    = 20 * time.Second
	memberPatient = 30 * time.Second // with a poll
)

// crowd is many push consumers, each with a connection of its own.
type crowd struct {
	testing.TB
	members  sync.WaitGroup
	end      context.CancelFunc
	door     chan struct{} // of those who join: a thousand handshakes at once are another test
	settled  atomic.Int32  // members that have settings
	received atomic.Int32  // messages that they hold
	failures atomic.Int32
}

// joinCrowd returns when everybody has settings and everything there is has been received.
func joinCrowd(tb testing.TB, addr string, secure bool) *crowd {
	tb.Helper()
	ctx, end := context.WithCancel(context.Background())
	c := &crowd{TB: tb, end: end, door: make(chan struct{}, 32)}
	const members = crowdGroups * crowdMembers
	for i := range members {
		m := &member{
			crowd: c, id: fmt.Sprint("member-", i), group: fmt.Sprint("group-", i%crowdGroups),
			honestClient: dialHonest(addr, secure),
		}
		m.http.Timeout = 0 // the telemetry stream stays
		c.members.Go(func() { m.live(ctx) })
	}
	if !within(patience, func() bool { return c.settled.Load() == members && c.received.Load() == members }) {
		c.leave()
		tb.Fatalf("%d of %d members have settings, %d messages were received", c.settled.Load(), members, c.received.Load())
	}
	return c
}

func (c *crowd) leave() {
	c.end()
	c.members.Wait()
	if n := c.failures.Load(); n > 0 {
		c.Errorf("%d calls of the crowd failed", n)
	}
}

// member is one push consumer.
type member struct {
	*crowd
	*honestClient
	id, group string
}

// live opens the telemetry stream and then polls and sends heartbeats until the end.
func (m *member) live(ctx context.Context) {
	defer m.close()
	said, say := io.Pipe()
	defer say.Close()
	heard := m.join(ctx, said, say)
	if heard == nil {
		return
	}
	defer heard.close()
	var polls sync.WaitGroup
	defer polls.Wait()
	polls.Go(func() {
		for ctx.Err() == nil {
			m.poll(ctx)
		}
	})
	beat := time.NewTimer(rand.N(memberBeat)) // clients have started at any time
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			m.beat(ctx)
			beat.Reset(memberBeat)
		}
	}
}

// join tells the settings and hears the answer. It returns the stream, which is open, nil after a
// failure.
func (m *member) join(ctx context.Context, said io.Reader, say io.Writer) *answers {
	m.door <- struct{}{}
	defer func() { <-m.door }()
	heard := m.open(ctx, "Telemetry", said)
	if heard == nil {
		return nil
	}
	settings := grpcMessage(&apiv2.TelemetryCommand{Command: &apiv2.TelemetryCommand_Settings{Settings: m.settings()}})
	if _, err := say.Write(settings); err != nil {
		m.failed(ctx, "Telemetry", err)
	}
	if err := heard.next(&apiv2.TelemetryCommand{}); err != nil {
		m.failed(ctx, "Telemetry", err)
		heard.close()
		return nil
	}
	m.settled.Add(1)
	return heard
}

func (m *member) settings() *apiv2.Settings {
	return &apiv2.Settings{
		ClientType: apiv2.ClientType_PUSH_CONSUMER.Enum(), RequestTimeout: durationpb.New(3 * time.Second),
		PubSub: &apiv2.Settings_Subscription{Subscription: &apiv2.Subscription{
			Group:         &apiv2.Resource{Name: m.group},
			Subscriptions: []*apiv2.SubscriptionEntry{{Topic: &apiv2.Resource{Name: crowdTopic}, Expression: &apiv2.FilterExpression{Expression: "*"}}},
		}},
	}
}

// poll receives at most one message, and keeps it.
func (m *member) poll(ctx context.Context) {
	answers := m.open(ctx, "ReceiveMessage", bytes.NewReader(grpcMessage(&apiv2.ReceiveMessageRequest{
		Group: &apiv2.Resource{Name: m.group}, MessageQueue: &apiv2.MessageQueue{Topic: &apiv2.Resource{Name: crowdTopic}, Id: -1},
		BatchSize: 1, AutoRenew: true, LongPollingTimeout: durationpb.New(memberPoll),
	})))
	if answers == nil {
		return
	}
	defer answers.close()
	for {
		var answer apiv2.ReceiveMessageResponse
		switch err := answers.next(&answer); {
		case err == io.EOF:
			return
		case err != nil:
			m.failed(ctx, "ReceiveMessage", err)
			return
		case answer.GetMessage() != nil:
			m.received.Add(1)
		}
	}
}

func (m *member) beat(ctx context.Context) {
	answers := m.open(ctx, "Heartbeat", bytes.NewReader(grpcMessage(&apiv2.HeartbeatRequest{Group: &apiv2.Resource{Name: m.group}})))
	if answers == nil {
		return
	}
	defer answers.close()
	var answer apiv2.HeartbeatResponse
	if err := answers.next(&answer); err != nil || answer.GetStatus().GetCode() != apiv2.Code_OK {
		m.failed(ctx, "Heartbeat", fmt.Errorf("%v, %w", answer.GetStatus(), err))
	}
}

// open begins a call and returns its answers, nil after a failure.
func (m *member) open(ctx context.Context, method string, request io.Reader) *answers {
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url+servicePath+method, request)
	if err != nil {
		m.failed(ctx, method, err)
		return nil
	}
	post.Header.Set("Content-Type", "application/grpc")
	post.Header.Set("TE", "trailers")
	post.Header.Set("X-Mq-Client-Id", m.id)
	if method == "ReceiveMessage" {
		post.Header.Set("Grpc-Timeout", fmt.Sprintf("%dS", int(memberPatient.Seconds())))
	}
	response, err := m.http.Do(post) //nolint:bodyclose // answers.close does
	if err != nil {
		m.failed(ctx, method, err)
		return nil
	}
	return &answers{response}
}

func (m *member) failed(ctx context.Context, method string, err error) {
	if ctx.Err() == nil && m.failures.Add(1) <= 3 {
		m.Logf("%s: %s: %v", m.id, method, err)
	}
}

// answers is what a call is answered.
type answers struct{ *http.Response }

func (a *answers) close() { _ = a.Body.Close() }

// next reads one message; io.EOF is a good end.
func (a *answers) next(into proto.Message) error {
	var prefix [5]byte
	_, err := io.ReadFull(a.Body, prefix[:])
	if status := a.Trailer.Get("Grpc-Status"); err == io.EOF && status != "0" {
		return fmt.Errorf("gRPC status %s %s", status, a.Trailer.Get("Grpc-Message"))
	}
	if err != nil {
		return err
	}
	encoded := make([]byte, binary.BigEndian.Uint32(prefix[1:]))
	if _, err := io.ReadFull(a.Body, encoded); err != nil {
		return err
	}
	return proto.Unmarshal(encoded, into)
}
