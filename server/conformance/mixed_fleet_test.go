package conformance

import (
	"context"
	"maps"
	"sync"
	"testing"
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/grpc/credentials/insecure"
	protobuf "google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"rocketmq-proxy/server/conformance/cluster"
	"rocketmq-proxy/server/conformance/proxy"
)

// fleetInvisible is how long a message of a push consumer is invisible before it is renewed, in a
// fleet: the reference's minute makes a test too long.
const fleetInvisible = 15 * time.Second

// fleet is a Java proxy and one of ours in front of one cluster, as in a swap that is under way.
type fleet struct {
	ours, reference *target
	kill            map[*target]func()
}

func startFleet(t *testing.T) *fleet {
	t.Helper()
	for _, g := range the.targets {
		if g.proxy != nil && g.cluster != nil && g.cluster.Owned() {
			return fleetOn(t, g.cluster)
		}
	}
	t.Skip("a mixed fleet takes a cluster of ours")
	return nil
}

func fleetOn(t *testing.T, c *cluster.Cluster) *fleet {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	config := cluster.ProxyConfig(c.Namesrv)
	config["defaultInvisibleTimeMills"] = fleetInvisible.Milliseconds()
	config["transactionHeartbeatPeriodSecond"] = 2
	process, endpoint, err := c.StartReferenceProxy(ctx, maps.Clone(config))
	if process != nil {
		t.Cleanup(process.Kill)
	}
	if err != nil {
		t.Fatal(err)
	}
	p, err := proxy.Make(the.program, the.dir, "fleet-"+suffix(), config)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("our proxy last said:\n%s", p.LogTail(20))
		}
	})
	f := &fleet{
		ours:      &target{name: "ours", endpoint: p.Endpoint, brokerName: cluster.BrokerName, cluster: c, proxy: p},
		reference: &target{name: "reference", endpoint: endpoint, brokerName: cluster.BrokerName, cluster: c},
	}
	f.kill = map[*target]func(){f.ours: p.Kill, f.reference: process.Kill}
	return f
}

// TestMixedFleetWorksTogether: what one proxy began the other one ends, in both directions.
func TestMixedFleetWorksTogether(t *testing.T) {
	f := startFleet(t)
	for name, pair := range map[string][2]*target{
		"ours then the reference": {f.ours, f.reference}, "the reference then ours": {f.reference, f.ours},
	} {
		t.Run(name, func(t *testing.T) {
			one, other := dial(t, pair[0], insecure.NewCredentials()), dial(t, pair[1], insecure.NewCredentials())
			for what, conversation := range map[string]func(one, other peer){
				"sent, received, acknowledged":  acksElsewhere,
				"made visible":                  changesElsewhere,
				"forwarded to the dead letters": forwardsElsewhere,
				"recalled":                      recallsElsewhere,
				"known":                         knownElsewhere,
			} {
				t.Run(what, func(t *testing.T) {
					t.Parallel()
					conversation(one.of(t), other.of(t))
				})
			}
		})
	}
}

// of is the same client in a subtest.
func (p peer) of(t *testing.T) peer {
	p.T = t
	return p.another()
}

// acksElsewhere sends by one, receives by the other and acknowledges by the first.
func acksElsewhere(one, other peer) {
	name, group := one.topic("NORMAL"), freshName(one.T)
	reader := other.consumer(name, group)
	sent := one.sends(message(name))
	got := reader.gets(name, group)
	if got.GetSystemProperties().GetMessageId() != sent.GetMessageId() {
		one.Errorf("received %v, sent %v", got, sent)
	}
	one.acks(name, group, got)
	reader.nothing(name, group, 12*time.Second, 10*time.Second)
}

// changesElsewhere gives a message back that the other proxy delivered, and the other way round.
func changesElsewhere(one, other peer) {
	name, group := one.topic("NORMAL"), freshName(one.T)
	first, second := one.consumer(name, group), other.consumer(name, group)
	one.sends(message(name))
	got := first.gets(name, group)
	answer, err := second.ChangeInvisibleDuration(second.with(), &v2.ChangeInvisibleDurationRequest{
		Topic: resource(name), Group: resource(group), MessageId: got.GetSystemProperties().GetMessageId(),
		ReceiptHandle: got.GetSystemProperties().GetReceiptHandle(), InvisibleDuration: durationpb.New(10 * time.Second),
	})
	if err != nil || answer.GetStatus().GetCode() != v2.Code_OK {
		one.Fatalf("change: %v, %v", answer, err)
	}
	got.GetSystemProperties().ReceiptHandle = protobuf.String(answer.GetReceiptHandle())
	first.acks(name, group, got)
	first.nothing(name, group, 12*time.Second, 10*time.Second)
}

// forwardsElsewhere moves a message to the dead letters that the other proxy delivered.
func forwardsElsewhere(one, other peer) {
	name, group := one.topic("NORMAL"), freshName(one.T)
	first, second := one.consumer(name, group), other.consumer(name, group)
	one.sends(message(name))
	got := first.gets(name, group)
	answer, err := second.ForwardMessageToDeadLetterQueue(second.with(), &v2.ForwardMessageToDeadLetterQueueRequest{
		Topic: resource(name), Group: resource(group), MessageId: got.GetSystemProperties().GetMessageId(),
		ReceiptHandle: got.GetSystemProperties().GetReceiptHandle(), DeliveryAttempt: 1, MaxDeliveryAttempts: 1,
	})
	if err != nil || answer.GetStatus().GetCode() != v2.Code_OK {
		one.Fatalf("forward: %v, %v", answer, err)
	}
	first.nothing(name, group, 12*time.Second, 10*time.Second)
}

// recallsElsewhere takes a delayed message back that the other proxy sent.
func recallsElsewhere(one, other peer) {
	name := one.topic("DELAY")
	sent := one.sends(message(name, func(m *v2.Message) {
		m.SystemProperties.MessageType = v2.MessageType_DELAY
		m.SystemProperties.DeliveryTimestamp = timestamppb.New(time.Now().Add(time.Minute))
	}))
	answer, err := other.RecallMessage(other.with(), &v2.RecallMessageRequest{Topic: resource(name), RecallHandle: sent.GetRecallHandle()})
	if err != nil || answer.GetStatus().GetCode() != v2.Code_OK || answer.GetMessageId() != sent.GetMessageId() {
		one.Errorf("recall of %v: %v, %v", sent, answer, err)
	}
}

// fleetPatience is how long a proxy may take to hear of another one's client.
const fleetPatience = 45 * time.Second

// knownElsewhere tells its settings to one proxy and receives through the other, until it says to
// the first that it goes.
func knownElsewhere(one, other peer) {
	name, group := one.topic("NORMAL"), freshName(one.T)
	one.sends(message(name))
	here := one.consumer(name, group)
	there := other
	there.id = here.id
	begun := time.Now()
	stop := here.beats(group) // the reference announces a client anew with each of its heartbeats
	there.awaitsHeartbeat(group, v2.Code_OK)
	stop()
	one.Logf("%s knows a client of %s after %v", other.target.name, one.target.name, time.Since(begun).Round(time.Millisecond))
	here.acks(name, group, there.gets(name, group))
	goodbye, err := here.NotifyClientTermination(here.with(), &v2.NotifyClientTerminationRequest{Group: resource(group)})
	if err != nil || goodbye.GetStatus().GetCode() != v2.Code_OK {
		one.Fatalf("goodbye: %v, %v", goodbye, err)
	}
	if other.target.proxy != nil { // the heartbeats made it a client of the Java proxy's own
		there.awaitsHeartbeat(group, v2.Code_UNRECOGNIZED_CLIENT_TYPE)
	}
}

// beats sends heartbeats, as clients do but more often, until it is stopped.
func (p peer) beats(group string) (stop func()) {
	ctx, cancel := context.WithCancel(p.Context())
	var beating sync.WaitGroup
	beating.Go(func() {
		pace := time.NewTicker(time.Second)
		defer pace.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-pace.C:
			}
			if _, err := p.Heartbeat(p.in(ctx), &v2.HeartbeatRequest{Group: resource(group), ClientType: v2.ClientType_SIMPLE_CONSUMER}); err != nil && ctx.Err() == nil {
				p.Errorf("heartbeat through %s: %v", p.target.name, err)
			}
		}
	})
	stop = func() { cancel(); beating.Wait() }
	p.Cleanup(stop)
	return stop
}

// awaitsHeartbeat sends heartbeats until one is answered with a code.
func (p peer) awaitsHeartbeat(group string, want v2.Code) {
	p.Helper()
	for end := time.Now().Add(fleetPatience); ; time.Sleep(50 * time.Millisecond) {
		answer, err := p.Heartbeat(p.with(), &v2.HeartbeatRequest{Group: resource(group), ClientType: v2.ClientType_SIMPLE_CONSUMER})
		if err != nil {
			p.Fatal(err)
		}
		if answer.GetStatus().GetCode() == want {
			return
		}
		if time.Now().After(end) {
			p.Fatalf("a heartbeat through %s is answered %v after %v, want %v", p.target.name, answer.GetStatus(), fleetPatience, want)
		}
	}
}

// acks acknowledges one message.
func (p peer) acks(topic, group string, m *v2.Message) {
	p.Helper()
	s := m.GetSystemProperties()
	answer, err := p.AckMessage(p.with(), &v2.AckMessageRequest{
		Topic: resource(topic), Group: resource(group),
		Entries: []*v2.AckMessageEntry{{MessageId: s.GetMessageId(), ReceiptHandle: s.GetReceiptHandle()}},
	})
	if err != nil || answer.GetStatus().GetCode() != v2.Code_OK {
		p.Errorf("ack through %s: %v, %v", p.target.name, answer, err)
	}
}

// nothing polls for a time in which nothing may come.
func (p peer) nothing(topic, group string, patience, invisible time.Duration) {
	p.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		got, err := p.polls(p.with(), receiveRequest(topic, group, func(r *v2.ReceiveMessageRequest) { r.InvisibleDuration = durationpb.New(invisible) }))
		if err != nil {
			p.Fatal(err)
		}
		if len(got.messages) > 0 {
			p.Fatalf("received %v, want nothing", got.messages[0])
		}
	}
}

// TestMixedFleetSurvivesAKill: one proxy of two dies. What clients of the other work on stays
// theirs, what those of the dead one worked on comes back through the other, and its half messages
// are asked about there. First ours dies, then, with another one of ours, the Java proxy.
func TestMixedFleetSurvivesAKill(t *testing.T) {
	f := startFleet(t)
	t.Run("ours", func(t *testing.T) { f.survives(t, f.ours, f.reference) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := f.ours.proxy.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Run("the reference", func(t *testing.T) { f.survives(t, f.reference, f.ours) })
}

func (f *fleet) survives(t *testing.T, dying, living *target) {
	victim, survivor := dial(t, dying, insecure.NewCredentials()), dial(t, living, insecure.NewCredentials())
	name, group := survivor.topic("NORMAL"), freshName(t)
	stays, moves := survivor.pushes(name, group), victim.pushes(name, group)

	half, asked := victim.topic("TRANSACTION"), freshName(t)
	producer := survivor.opens()
	producer.settles(survivor.producerSettings(half))
	victim.opens().settles(victim.producerSettings(half)) // hears the first questions and says nothing
	survivor.awaitProducers(half, 2)

	survivor.sends(message(name))
	kept := stays.takes(name, group, 10*time.Second)
	since := time.Now()
	survivor.sends(message(name))
	lost := moves.takes(name, group, 10*time.Second)
	sent := victim.sends(message(half, func(m *v2.Message) { m.SystemProperties.MessageType = v2.MessageType_TRANSACTION }))
	f.kill[dying]()
	killed := time.Now()

	command, err := producer.hearsWithin(time.Minute)
	if err != nil {
		t.Fatalf("waiting for the question about %v: %v", sent, err)
	}
	question := command.GetRecoverOrphanedTransactionCommand()
	t.Logf("asked about the half message %v after the kill", time.Since(killed).Round(time.Millisecond))
	if question.GetMessage().GetSystemProperties().GetMessageId() != sent.GetMessageId() {
		t.Fatalf("asked %v, want about %v", command, sent)
	}
	answer, err := survivor.EndTransaction(survivor.with(), &v2.EndTransactionRequest{
		Topic: resource(half), MessageId: sent.GetMessageId(), TransactionId: question.GetTransactionId(),
		Resolution: v2.TransactionResolution_COMMIT, Source: v2.TransactionSource_SOURCE_SERVER_CHECK,
	})
	if err != nil || answer.GetStatus().GetCode() != v2.Code_OK {
		t.Fatalf("end of the transaction: %v, %v", answer, err)
	}
	reader := survivor.consumer(half, asked)
	if got := reader.gets(half, asked); got.GetSystemProperties().GetMessageId() != sent.GetMessageId() {
		t.Errorf("received %v, want %v", got, sent)
	}

	moved := survivor.pushes(name, group)
	again := moved.takes(name, group, 3*fleetInvisible)
	t.Logf("what the dead one's consumer had came back %v after the kill", time.Since(killed).Round(time.Millisecond))
	if got := again.GetSystemProperties(); got.GetMessageId() != lost.GetSystemProperties().GetMessageId() {
		t.Errorf("received %v, want %v", again, lost)
	}
	back := time.Now()
	for time.Since(back) < 2*fleetInvisible || time.Since(since) < 2*fleetInvisible { // both are renewed meanwhile
		moved.nothing(name, group, time.Second, 10*time.Second)
	}
	stays.acks(name, group, kept)
	moved.acks(name, group, again)
	moved.nothing(name, group, 5*time.Second, 10*time.Second)
}

// pushes is a push consumer.
func (p peer) pushes(topic, group string) peer {
	p.Helper()
	c := p.another()
	c.opens().settles(p.consumerSettings(v2.ClientType_PUSH_CONSUMER, topic, group, "*"))
	return c
}

// takes receives one message that the proxy keeps invisible.
func (p peer) takes(topic, group string, patience time.Duration) *v2.Message {
	p.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		got, err := p.polls(p.with(), receiveRequest(topic, group, func(r *v2.ReceiveMessageRequest) { r.AutoRenew = true }))
		if err != nil {
			p.Fatal(err)
		}
		if len(got.messages) > 0 {
			return got.messages[0]
		}
	}
	p.Fatalf("nothing came in %v", patience)
	return nil
}

// awaitProducers waits until the broker may ask n connections about half messages.
func (p peer) awaitProducers(topic string, n int) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), callPatience)
	defer cancel()
	if err := p.cluster.AwaitProducers(ctx, topic, n); err != nil {
		p.Fatal(err)
	}
}
