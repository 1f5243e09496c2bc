package conformance

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

const (
	brokerKills = 5
	// lateMost is what a call may take over its deadline.
	lateMost = time.Second
	// recoveryMost is from the broker serving again to the first send that goes
	// through. The Java proxy may have learnt meanwhile that the topic has no
	// broker, and keeps that for 20 s and more.
	recoveryMost          = 10 * time.Second
	recoveryMostReference = time.Minute
)

// rawLoad sends at a steady pace with the generated stubs and keeps a journal.
type rawLoad struct {
	mu       sync.Mutex
	acked    map[string]bool // message ids
	failed   int
	slowest  time.Duration
	lastGood time.Time     // when the last acknowledged call began
	changed  chan struct{} // closed and made anew at each entry
	stop     func()
}

func (p peer) startsLoad(topic string) *rawLoad {
	l := &rawLoad{acked: map[string]bool{}, changed: make(chan struct{})}
	ctx, cancel := context.WithCancel(p.Context())
	var workers sync.WaitGroup
	l.stop = func() { cancel(); workers.Wait() }
	for range 4 {
		workers.Go(func() {
			pace := time.NewTicker(100 * time.Millisecond)
			defer pace.Stop()
			for ctx.Err() == nil {
				select {
				case <-pace.C:
					l.sendOne(p, topic)
				case <-ctx.Done():
				}
			}
		})
	}
	return l
}

func (l *rawLoad) sendOne(p peer, topic string) {
	m := message(topic)
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(p.Context(), p.header()), requestTimeout)
	defer cancel()
	begin := time.Now()
	answer, err := p.SendMessage(ctx, &v2.SendMessageRequest{Messages: []*v2.Message{m}})
	took := time.Since(begin)

	l.mu.Lock()
	defer l.mu.Unlock()
	l.slowest = max(l.slowest, took)
	if err == nil && answer.GetStatus().GetCode() == v2.Code_OK {
		l.acked[m.SystemProperties.MessageId] = true
		l.lastGood = begin
	} else {
		l.failed++
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

// await waits until the journal says so.
func (l *rawLoad) await(t *testing.T, what string, patience time.Duration, holds func() bool) {
	t.Helper()
	end := time.After(patience)
	for {
		l.mu.Lock()
		ok, changed := holds(), l.changed
		l.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-end:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// TestBrokerKilledUnderLoadLosesNothingAcknowledged: four official clients and
// raw stubs send through one proxy while the broker, which flushes before it
// acknowledges, is killed and started again five times.
func TestBrokerKilledUnderLoadLosesNothingAcknowledged(t *testing.T) {
	for _, g := range the.targets {
		if g.cluster != nil && g.cluster.Owned() {
			brokerKilled(t, g)
			return
		}
	}
	t.SkipNow() // no broker, or somebody else's
}

func brokerKilled(t *testing.T, g *target) {
	pid := proxyPid(g)

	var talks []talk
	topics := map[string]string{}
	for _, k := range kinds {
		if _, lacking := lacks[k.language][loads]; lacking {
			continue
		}
		c := startClient(t, g, k)
		topics[c.client.Name] = g.makeTopic(t, "NORMAL", 4)
		talks = append(talks, c)
		series := small()
		c.must("producer", "topic", topics[c.client.Name])
		c.must("load-start", "topic", topics[c.client.Name], "seed", series.Seed, "most", series.BytesMost, "every", 50)
	}
	p := dial(t, g, insecure.NewCredentials())
	rawTopic := g.makeTopic(t, "NORMAL", 4)
	load := p.startsLoad(rawTopic)
	defer load.stop()

	for round := range brokerKills {
		start, _ := load.counts()
		load.await(t, "100 sends acknowledged before the kill", 30*time.Second, func() bool { return len(load.acked) > start+100 })
		_, failed := load.counts()
		killed := time.Now()
		g.cluster.KillBroker()
		load.await(t, "a send that fails while the broker is dead", 30*time.Second, func() bool { return load.failed > failed })
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		err := g.cluster.StartBroker(ctx)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		up := time.Now()
		down := up.Sub(killed)
		most := recoveryMost
		if g.proxy == nil {
			most = recoveryMostReference
		}
		load.await(t, "a send acknowledged after the restart", most, func() bool { return load.lastGood.After(up) })
		t.Logf("kill %d: the broker was away for %v; sends go through %v after it serves again",
			round+1, down.Round(time.Millisecond), time.Since(up).Round(time.Millisecond))
	}
	load.stop()

	if load.slowest > requestTimeout+lateMost {
		t.Errorf("raw: a call with a deadline of %v took %v", requestTimeout, load.slowest)
	}
	t.Logf("raw: %d acknowledged, %d failed, the slowest in %v", len(load.acked), load.failed, load.slowest)
	reader := dial(t, g, insecure.NewCredentials())
	missing(t, "raw", load.acked, reader.drains(rawTopic, freshName(t)))

	var checks sync.WaitGroup
	for _, c := range talks {
		checks.Go(func() { nothingLost(c, topics[c.client.Name]) })
	}
	checks.Wait()
	if now := proxyPid(g); now != pid || g.proxy != nil && !g.proxy.Running() {
		t.Errorf("the proxy was process %d and is %d", pid, now)
	}
}

func (l *rawLoad) counts() (acked, failed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked), l.failed
}

// nothingLost stops a client's load and reads back what it was promised.
func nothingLost(t talk, topic string) {
	name, group := t.client.Name, freshName(t.T)
	journal, err := t.ask("load-stop", "topic", topic)
	if err != nil {
		t.Error(err)
		return
	}
	if slowest := journal.Micros("slowest"); slowest > requestTimeout+lateMost {
		t.Errorf("%s: a send with a deadline of %v took %v", name, requestTimeout, slowest)
	}
	acked := set(journal.Text("ids"))
	t.Logf("%s: %d acknowledged, %d failed (the last: %.120s), the slowest in %v",
		name, len(acked), journal.Int("failed"), journal.Text("failure"), journal.Micros("slowest"))
	if len(acked) == 0 {
		t.Errorf("%s: nothing was acknowledged", name)
	}
	if _, err := t.ask("simple", "group", group, "topic", topic, "filter", "*", "await", pollAwait); err != nil {
		t.Error(err)
		return
	}
	// One poll that ends with nothing is enough: the topic has no more writers.
	drained, err := t.askFor(time.Minute, "drain-ids", "group", group, "idle", time.Second)
	if err != nil {
		t.Error(err)
		return
	}
	missing(t.T, name, acked, set(drained.Text("ids")))
}

// drains receives and acknowledges until a poll ends with nothing.
func (p peer) drains(topic, group string) map[string]bool {
	p.Helper()
	c := p.consumer(topic, group)
	all := map[string]bool{}
	for {
		got, err := c.polls(c.with(), receiveRequest(topic, group, func(r *v2.ReceiveMessageRequest) { r.BatchSize = 32 }))
		if err != nil {
			p.Fatal(err)
		}
		if len(got.messages) == 0 {
			return all
		}
		ack := &v2.AckMessageRequest{Topic: resource(topic), Group: resource(group)}
		for _, m := range got.messages {
			s := m.GetSystemProperties()
			all[s.GetMessageId()] = true
			ack.Entries = append(ack.Entries, &v2.AckMessageEntry{MessageId: s.GetMessageId(), ReceiptHandle: s.GetReceiptHandle()})
		}
		if answer, err := c.AckMessage(c.with(), ack); err != nil || answer.GetStatus().GetCode() != v2.Code_OK {
			p.Errorf("acknowledging %d messages: %v, %v", len(ack.Entries), answer.GetStatus(), err)
		}
	}
}

func missing(t *testing.T, who string, acked, received map[string]bool) {
	t.Helper()
	var lost []string
	for id := range acked {
		if !received[id] {
			lost = append(lost, id)
		}
	}
	if len(lost) > 0 {
		t.Errorf("%s: %d of %d acknowledged messages are lost: %.200q", who, len(lost), len(acked), lost)
	}
}

func set(ids string) map[string]bool {
	all := map[string]bool{}
	for id := range strings.SplitSeq(ids, ",") {
		if id != "" {
			all[id] = true
		}
	}
	return all
}

func proxyPid(g *target) int {
	if g.proxy == nil {
		return 0
	}
	return g.proxy.Pid()
}
