package conformance

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/protobuf/types/known/durationpb"

	"rocketmq-proxy/server/conformance/cluster"
	"rocketmq-proxy/server/conformance/proxy"
)

// killRounds is how often the process is killed: CONFORMANCE_KILLS, say 500, or as usual.
func killRounds(usual int) int {
	if n, err := strconv.Atoi(os.Getenv("CONFORMANCE_KILLS")); err == nil {
		return n
	}
	return usual
}

const (
	// invisibleInRounds is how long a delivery lasts there: short, so that what was not
	// acknowledged comes again while the test runs.
	invisibleInRounds = 2 * time.Second
	pollInRounds      = 300 * time.Millisecond
	normalSenders     = 8
	normalReceivers   = 3
	messageGroups     = 6
	backlogMost       = 2000 // more, and senders to message groups wait: a forgotten delivery holds up its group
	fifoReceivers     = 3
)

// ownLocal starts a proxy in Local mode for one test, with a store of its own.
func ownLocal(t *testing.T, change map[string]any) *target {
	t.Helper()
	if !wanted(localTarget) {
		t.SkipNow()
	}
	dir := t.TempDir()
	config := localConfig(filepath.Join(dir, "store"))
	config["minInvisibleTimeMillsForRecv"] = 0
	config["grpcClientConsumerMinLongPollingTimeoutMillis"] = 0
	maps.Copy(config, change)
	p, err := proxy.Make(the.program, dir, "local", config)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Logf("the proxy last said:\n%s", p.LogTail(30))
		}
	})
	return &target{name: localTarget, endpoint: p.Endpoint, brokerName: "local", proxy: p, store: filepath.Join(dir, "store")}
}

// TestLocalKilledUnderLoad kills the real process with signal 9 while clients send and consume,
// and starts it again on the same store.
func TestLocalKilledUnderLoad(t *testing.T) {
	for flush, usual := range map[string]int{"SYNC_FLUSH": 20, "ASYNC_FLUSH": 3} {
		t.Run(flush, func(t *testing.T) {
			the.table.enter(t, "Local: killed under load, "+flush, localTarget, "raw-cleartext")
			rounds(t, killRounds(usual), map[string]any{"flushDiskType": flush}, func(p *proxy.Proxy) { p.Kill() })
		})
	}
}

// TestLocalTerminatedUnderLoad ends the process politely instead: it exits with 0.
func TestLocalTerminatedUnderLoad(t *testing.T) {
	the.table.enter(t, "Local: SIGTERM under load", localTarget, "raw-cleartext")
	rounds(t, 2, nil, func(p *proxy.Proxy) {
		p.Terminate()
		select {
		case <-p.Exited():
			if code := p.ExitCode(); code != 0 {
				t.Errorf("ended by SIGTERM with exit code %d", code)
			}
		case <-time.After(45 * time.Second):
			t.Error("45 s after SIGTERM the process still runs")
			p.Kill()
		}
	})
}

func rounds(t *testing.T, count int, config map[string]any, end func(*proxy.Proxy)) {
	seed := seed()
	t.Logf("seed %d (CONFORMANCE_SEED)", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	g := ownLocal(t, config)
	w := &workload{
		target: g, journal: newJournal(),
		normal: g.makeTopic(t, "NORMAL", 4), fifo: g.makeTopic(t, "FIFO", 2),
		group: freshName(t), orderly: g.makeGroup(t, cluster.Group{Orderly: true, RetryMax: 1000}),
	}
	slowest := time.Duration(0)
	for range count {
		ctx, cancel := context.WithCancel(t.Context())
		done := w.run(t, ctx)
		time.Sleep(time.Duration(100+random.IntN(700)) * time.Millisecond)
		end(g.proxy)
		cancel()
		<-done
		began := time.Now()
		if err := g.proxy.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		slowest = max(slowest, time.Since(began))
	}
	w.sending = false
	ctx, cancel := context.WithCancel(t.Context())
	done := w.run(t, ctx)
	began, backlog := time.Now(), w.journal.unconsumed()
	for left, moved := backlog, began; left > 0 && time.Since(moved) < 15*time.Second; time.Sleep(50 * time.Millisecond) {
		if now := w.journal.unconsumed(); now != left {
			left, moved = now, time.Now()
		}
	}
	t.Logf("a backlog of %d messages was consumed in %v", backlog, time.Since(began).Round(time.Millisecond))
	time.Sleep(invisibleInRounds + time.Second) // and what must not come again has its chance
	cancel()
	<-done
	w.journal.judge(t)
	t.Logf("%d rounds; the slowest start took %v", count, slowest.Round(time.Millisecond))
}

// workload sends and consumes, as much as goes.
type workload struct {
	*target
	*journal
	normal, fifo   string // topics
	group, orderly string // consumer groups
	sending        bool
	once           sync.Once
}

// run works until ctx ends or the proxy does; then the channel is closed.
func (w *workload) run(t *testing.T, ctx context.Context) <-chan struct{} {
	w.once.Do(func() { w.sending = true })
	var all sync.WaitGroup
	p := dial(t, w.target, transports["raw-cleartext"])
	if w.sending {
		for range normalSenders {
			all.Go(func() {
				for w.sends(ctx, p, w.normal, "") {
				}
			})
		}
		for i := range messageGroups {
			all.Go(func() {
				for w.sends(ctx, p, w.fifo, groupName(i)) {
				}
			})
		}
	}
	for _, c := range []struct {
		topic, group string
		receivers    int
	}{{w.normal, w.group, normalReceivers}, {w.fifo, w.orderly, fifoReceivers}} {
		consumer := p.consumer(c.topic, c.group)
		for i := range c.receivers {
			random := rand.New(rand.NewPCG(uint64(i), uint64(time.Now().UnixNano())))
			all.Go(func() {
				for w.receives(ctx, consumer, c.topic, c.group, random) {
				}
			})
		}
	}
	done := make(chan struct{})
	go func() {
		all.Wait()
		p.conn.Close()
		close(done)
	}()
	return done
}

// sends sends one message; false when that did not work.
func (w *workload) sends(ctx context.Context, p peer, topic, group string) bool {
	m := message(topic)
	if group != "" {
		m.SystemProperties.MessageType, m.SystemProperties.MessageGroup = v2.MessageType_FIFO, &group
	}
	f := w.send(m.SystemProperties.MessageId, group)
	ctx, cancel := context.WithTimeout(p.in(ctx), 5*time.Second)
	defer cancel()
	answer, err := p.SendMessage(ctx, &v2.SendMessageRequest{Messages: []*v2.Message{m}})
	if err != nil || answer.GetStatus().GetCode() != v2.Code_OK {
		w.failed(f)
		return err == nil
	}
	w.acknowledged(f)
	for group != "" && w.unconsumed() > backlogMost && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	return true
}

// receives receives once and acknowledges most of it.
func (w *workload) receives(ctx context.Context, p peer, topic, group string, random *rand.Rand) bool {
	asked := time.Now()
	call, cancel := context.WithTimeout(p.in(ctx), 5*time.Second)
	defer cancel()
	got, err := p.polls(call, receiveRequest(topic, group, func(r *v2.ReceiveMessageRequest) {
		r.BatchSize = int32(1 + random.IntN(16))
		r.InvisibleDuration = durationpb.New(invisibleInRounds)
		r.LongPollingTimeout = durationpb.New(pollInRounds)
	}))
	var ids []string
	byID := map[string]*v2.Message{}
	for _, m := range got.messages {
		id := m.GetSystemProperties().GetMessageId()
		ids = append(ids, id)
		byID[id] = m
	}
	fates := w.receive(ids, asked)
	if err != nil {
		return false
	}
	if w.sending && random.IntN(10) == 0 {
		return true // forgotten: it comes again
	}
	w.consuming(fates)
	ack := &v2.AckMessageRequest{Topic: resource(topic), Group: resource(group)}
	for _, f := range fates {
		ack.Entries = append(ack.Entries, &v2.AckMessageEntry{MessageId: f.id, ReceiptHandle: byID[f.id].GetSystemProperties().GetReceiptHandle()})
	}
	if len(fates) == 0 {
		return ctx.Err() == nil
	}
	answer, err := p.AckMessage(call, ack)
	if err != nil {
		return false
	}
	if time.Since(asked) < invisibleInRounds {
		for i, e := range answer.GetEntries() {
			if e.GetStatus().GetCode() == v2.Code_OK {
				w.consumed(fates[i])
			}
		}
	}
	return true
}

// TestLocalFirstSend measures from exec to the first SendMessage that is acknowledged.
func TestLocalFirstSend(t *testing.T) {
	the.table.enter(t, "Local: first send in 1 s", localTarget, "raw-cleartext")
	const goal = time.Second
	best := time.Hour
	for range 5 {
		if took := firstSend(t); took < best {
			best = took
		}
		if best < goal {
			break
		}
	}
	fmt.Printf("conformance: Local mode, empty store: %v from exec to the first SendMessage OK\n", best.Round(time.Millisecond))
	if best > goal {
		t.Errorf("%v from exec to the first SendMessage OK, want %v at most", best, goal)
	}
}

func firstSend(t *testing.T) time.Duration {
	if !wanted(localTarget) {
		t.SkipNow()
	}
	dir := t.TempDir()
	p, err := proxy.Make(the.program, dir, "local", localConfig(filepath.Join(dir, "store")))
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := p.Exec(); err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	g := &target{name: localTarget, endpoint: p.Endpoint, proxy: p}
	for time.Since(began) < 30*time.Second {
		c := dial(t, g, transports["raw-cleartext"])
		answer, err := c.SendMessage(c.with(), &v2.SendMessageRequest{Messages: []*v2.Message{message("first")}})
		c.conn.Close()
		if err == nil && answer.GetStatus().GetCode() == v2.Code_OK {
			return time.Since(began)
		}
		time.Sleep(2 * time.Millisecond)
	}
	t.Fatalf("no SendMessage went through in 30 s:\n%s", p.LogTail(20))
	return 0
}

// TestLocalStoreBelongsToOne: a second process on the same store goes away and names the first.
func TestLocalStoreBelongsToOne(t *testing.T) {
	the.table.enter(t, "Local: second process refused", localTarget, "raw-cleartext")
	g := ownLocal(t, nil)
	second, err := proxy.Make(the.program, t.TempDir(), "second", localConfig(g.store))
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Exec(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-second.Exited():
	case <-time.After(20 * time.Second):
		second.Kill()
		t.Fatal("a second process on the store is still there after 20 s")
	}
	said := second.LogTail(10)
	if second.ExitCode() == 0 || !containsWord(said, strconv.Itoa(g.proxy.Pid())) {
		t.Errorf("the second process ended with %d and does not name process %d:\n%s", second.ExitCode(), g.proxy.Pid(), said)
	}
	name := g.makeTopic(t, "NORMAL", 1)
	dial(t, g, transports["raw-cleartext"]).sends(message(name)) // the first is none the worse
}
