package conformance

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"rocketmq-proxy/server/conformance/cluster"
)

const (
	mixtureProducers = 12
	mixtureConsumers = 3 // of each topic
	mixtureBytesMost = 600
	mixtureLines     = 200 // message groups
	mixtureDelayMost = 5 * time.Second
	mixtureLifeLeast = 2 * time.Second // of a client; at most three times as long
)

// mixture is a load of everything that there is to do, at a bounded rate. Its clients live for
// seconds: some say goodbye, the others just go.
type mixture struct {
	*target
	sends        int // a second
	topics       map[v2.MessageType]string
	group, lines string // consumer groups, the second one in order

	sent, received, again, acked, left, buried, checked, joined atomic.Int64

	mu     sync.Mutex
	faults []string
}

func newMixture(t *testing.T, g *target, sends int) *mixture {
	m := &mixture{target: g, sends: sends, topics: map[v2.MessageType]string{}}
	for kind, name := range map[v2.MessageType]string{
		v2.MessageType_NORMAL: "NORMAL", v2.MessageType_FIFO: "FIFO", v2.MessageType_DELAY: "DELAY", v2.MessageType_TRANSACTION: "TRANSACTION",
	} {
		m.topics[kind] = g.makeTopic(t, name, 4)
	}
	m.group, m.lines = g.makeGroup(t, cluster.Group{RetryMax: 2}), g.makeGroup(t, cluster.Group{RetryMax: 2, Orderly: true})
	return m
}

// String is what has been done.
func (m *mixture) String() string {
	return fmt.Sprintf("%d sent, %d received, %d of them again, %d acknowledged, %d left, %d dead letters, %d transactions asked about, %d clients",
		m.sent.Load(), m.received.Load(), m.again.Load(), m.acked.Load(), m.left.Load(), m.buried.Load(), m.checked.Load(), m.joined.Load())
}

func (m *mixture) fault(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.faults) < 20 {
		m.faults = append(m.faults, fmt.Sprintf(format, args...))
	}
}

// judge fails the test when something was refused, or never done.
func (m *mixture) judge(t *testing.T) {
	t.Log(m)
	for _, f := range m.faults {
		t.Error(f)
	}
	for what, n := range map[string]*atomic.Int64{
		"sent": &m.sent, "received": &m.received, "delivered again": &m.again, "acknowledged": &m.acked, "left lying": &m.left,
		"forwarded to the dead letters": &m.buried, "asked about": &m.checked,
	} {
		if n.Load() == 0 {
			t.Errorf("nothing was %s", what)
		}
	}
}

// start begins the load; the function ends it, and waits for that.
func (m *mixture) start(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	live := func(settings *v2.Settings, lives func(context.Context, member)) {
		all.Go(func() {
			for ctx.Err() == nil {
				m.life(ctx, settings, lives)
			}
		})
	}
	turns := make(chan struct{})
	all.Go(func() { m.pace(ctx, turns) })
	for range mixtureProducers {
		live(m.producerSettings(m.topics[v2.MessageType_TRANSACTION]), func(ctx context.Context, c member) { m.produce(ctx, c, turns) })
	}
	consume := func(topic, group string) {
		settings := m.consumerSettings(v2.ClientType_SIMPLE_CONSUMER, topic, group, "*")
		live(settings, func(ctx context.Context, c member) { m.consume(ctx, c, topic, group) })
	}
	for kind, topic := range m.topics {
		group := m.group
		if kind == v2.MessageType_FIFO {
			group = m.lines
		}
		for range mixtureConsumers {
			consume(topic, group)
		}
	}
	for _, group := range []string{m.group, m.lines} {
		consume("%DLQ%"+group, "undertakers-"+group)
	}
	return func() {
		cancel()
		all.Wait()
	}
}

// pace hands out turns to send. Those that nobody took in time are not made up for.
func (m *mixture) pace(ctx context.Context, turns chan<- struct{}) {
	const grain = 10 * time.Millisecond
	tick := time.NewTicker(grain)
	defer tick.Stop()
	for begun, given := time.Now(), 0; ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		due := int(time.Since(begun).Seconds() * float64(m.sends))
		for given = max(given, due-m.sends/10); given < due; given++ {
			select {
			case turns <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}
}

// member is a client that has joined.
type member struct {
	v2.MessagingServiceClient
	id     string
	random *rand.Rand
	ended  func() bool // its time is over
}

func (c member) header(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "x-mq-client-id", c.id, "x-mq-language", "GO", "x-mq-client-version", "5.1.4", "x-mq-protocol", "v2")
}

// life is one client from its first connection to its end.
func (m *mixture) life(ctx context.Context, settings *v2.Settings, lives func(context.Context, member)) {
	conn, err := grpc.NewClient("passthrough:///"+m.endpoint, grpc.WithTransportCredentials(transports["raw-cleartext"]))
	if err != nil {
		m.fault("dial: %v", err)
		return
	}
	defer conn.Close()
	random := rand.New(rand.NewPCG(rand.Uint64(), 0))
	until := time.Now().Add(mixtureLifeLeast + time.Duration(random.Int64N(int64(2*mixtureLifeLeast))))
	c := member{
		MessagingServiceClient: v2.NewMessagingServiceClient(conn), id: "soak-" + suffix() + suffix(), random: random,
		ended: func() bool { return ctx.Err() != nil || time.Now().After(until) },
	}
	// What falls takes its calls with it: a long poll too.
	life, end := context.WithCancel(ctx)
	defer end()
	defer time.AfterFunc(time.Until(until)+500*time.Millisecond, end).Stop()
	stream, err := c.Telemetry(c.header(life))
	if err == nil {
		err = stream.Send(&v2.TelemetryCommand{Command: &v2.TelemetryCommand_Settings{Settings: settings}})
	}
	if err == nil {
		_, err = stream.Recv()
	}
	if err != nil {
		m.refused(life, "join", err)
		return
	}
	m.joined.Add(1)
	listening := make(chan struct{})
	go func() {
		defer close(listening)
		m.listen(life, c, stream)
	}()
	lives(life, c)
	if random.IntN(2) == 0 {
		answer, err := c.NotifyClientTermination(c.header(life), &v2.NotifyClientTerminationRequest{Group: settings.GetSubscription().GetGroup()})
		if err == nil && answer.GetStatus().GetCode() != v2.Code_OK {
			err = errors.New(answer.GetStatus().String())
		}
		m.refused(life, "goodbye", err)
	}
	end()
	<-listening
}

// refused notes an error, unless the client's time is over.
func (m *mixture) refused(life context.Context, what string, err error) {
	if err != nil && life.Err() == nil {
		m.fault("%s: %v", what, err)
	}
}

// listen answers what a producer is asked.
func (m *mixture) listen(ctx context.Context, c member, stream v2.MessagingService_TelemetryClient) {
	for {
		command, err := stream.Recv()
		if err != nil {
			m.refused(ctx, "telemetry", err)
			return
		}
		if orphan := command.GetRecoverOrphanedTransactionCommand(); orphan != nil {
			m.checked.Add(1)
			s := orphan.GetMessage().GetSystemProperties()
			m.end(ctx, c, orphan.GetTransactionId(), s.GetMessageId(), v2.TransactionSource_SOURCE_SERVER_CHECK, time.Time{})
		}
	}
}

// end decides about a transaction that was begun at some time.
func (m *mixture) end(ctx context.Context, c member, transaction, message string, source v2.TransactionSource, begun time.Time) {
	resolution := v2.TransactionResolution_COMMIT
	if len(message)%2 == 0 && message[len(message)-1]%2 == 0 {
		resolution = v2.TransactionResolution_ROLLBACK
	}
	answer, err := c.EndTransaction(c.header(ctx), &v2.EndTransactionRequest{
		Topic: resource(m.topics[v2.MessageType_TRANSACTION]), MessageId: message, TransactionId: transaction, Resolution: resolution, Source: source,
	})
	// Who is later than the first question may find it decided by somebody else.
	if err == nil && answer.GetStatus().GetCode() != v2.Code_OK && time.Since(begun) < checkAfter {
		err = errors.New(answer.GetStatus().String())
	}
	m.refused(ctx, "end of a transaction", err)
}

// produce sends a message of some type at each turn.
func (m *mixture) produce(ctx context.Context, c member, turns <-chan struct{}) {
	body := []byte(strings.Repeat("x", mixtureBytesMost))
	for !c.ended() {
		select {
		case <-turns:
		case <-ctx.Done():
			return
		}
		kind := v2.MessageType_NORMAL
		switch n := c.random.IntN(10); {
		case n == 0:
			kind = v2.MessageType_TRANSACTION
		case n == 1:
			kind = v2.MessageType_DELAY
		case n < 4:
			kind = v2.MessageType_FIFO
		}
		sent := message(m.topics[kind], func(s *v2.Message) {
			s.Body = body[:1+c.random.IntN(len(body))]
			s.SystemProperties.MessageType = kind
			switch kind {
			case v2.MessageType_FIFO:
				group := fmt.Sprintf("line-%d", c.random.IntN(mixtureLines))
				s.SystemProperties.MessageGroup = &group
			case v2.MessageType_DELAY:
				s.SystemProperties.DeliveryTimestamp = timestamppb.New(time.Now().Add(time.Duration(c.random.Int64N(int64(mixtureDelayMost)))))
			}
		})
		begun := time.Now()
		answer, err := c.SendMessage(c.header(ctx), &v2.SendMessageRequest{Messages: []*v2.Message{sent}})
		if err == nil && answer.GetStatus().GetCode() != v2.Code_OK {
			err = errors.New(answer.GetStatus().String())
		}
		if err != nil {
			m.refused(ctx, "send", err)
			continue
		}
		m.sent.Add(1)
		if kind == v2.MessageType_TRANSACTION && c.random.IntN(10) > 0 { // the others are asked about
			m.end(ctx, c, answer.GetEntries()[0].GetTransactionId(), sent.SystemProperties.MessageId, v2.TransactionSource_SOURCE_CLIENT, begun)
		}
	}
}

// consume receives and acknowledges. Some batches are left lying, and some messages buried.
func (m *mixture) consume(ctx context.Context, c member, topic, group string) {
	for !c.ended() {
		got, err := peer{MessagingServiceClient: c.MessagingServiceClient}.polls(c.header(ctx), receiveRequest(topic, group, func(r *v2.ReceiveMessageRequest) {
			r.BatchSize = int32(1 + c.random.IntN(32))
			r.InvisibleDuration = durationpb.New(invisibleInRounds)
			r.LongPollingTimeout = durationpb.New(time.Second)
		}))
		if err == nil && got.status.GetCode() != v2.Code_OK && got.status.GetCode() != v2.Code_MESSAGE_NOT_FOUND {
			err = errors.New(got.status.String())
		}
		if err != nil {
			m.refused(ctx, "receive", err)
			continue
		}
		if len(got.messages) == 0 {
			continue
		}
		m.received.Add(int64(len(got.messages)))
		for _, r := range got.messages {
			if r.GetSystemProperties().GetDeliveryAttempt() > 1 {
				m.again.Add(1)
			}
		}
		if c.random.IntN(20) == 0 {
			m.left.Add(int64(len(got.messages)))
			continue
		}
		m.finish(ctx, c, topic, group, got.messages)
	}
}

func (m *mixture) finish(ctx context.Context, c member, topic, group string, messages []*v2.Message) {
	ack := &v2.AckMessageRequest{Topic: resource(topic), Group: resource(group)}
	for _, r := range messages {
		s := r.GetSystemProperties()
		if c.random.IntN(100) == 0 && !strings.HasPrefix(topic, "%DLQ%") {
			_, err := c.ForwardMessageToDeadLetterQueue(c.header(ctx), &v2.ForwardMessageToDeadLetterQueueRequest{
				Topic: resource(topic), Group: resource(group), ReceiptHandle: s.GetReceiptHandle(), MessageId: s.GetMessageId(),
				DeliveryAttempt: s.GetDeliveryAttempt(), MaxDeliveryAttempts: 3,
			})
			m.refused(ctx, "dead letter", err)
			m.buried.Add(1)
			continue
		}
		ack.Entries = append(ack.Entries, &v2.AckMessageEntry{MessageId: s.GetMessageId(), ReceiptHandle: s.GetReceiptHandle()})
	}
	if len(ack.Entries) == 0 {
		return
	}
	answer, err := c.AckMessage(c.header(ctx), ack)
	if err != nil {
		m.refused(ctx, "acknowledgement", err)
		return
	}
	for _, e := range answer.GetEntries() { // one may have been too late
		if e.GetStatus().GetCode() == v2.Code_OK {
			m.acked.Add(1)
		}
	}
}
