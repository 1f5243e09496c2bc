package local

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"rocketmq-proxy/codec/handle"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/local/catalog"
)

func TestMessagesSurviveARestart(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	w.sends("orders", "a", "")
	w.sends("orders", "b", "")
	w.restart()
	all := w.pop("orders", "readers")
	if len(all) != 2 {
		t.Fatal(bodies(all))
	}
	if f := w.ack("orders", "readers", all[0]); !f.OK() {
		t.Error(f)
	}
	w.restart()
	w.wants(w.pop("orders", "readers"), "")
	if f := w.ack("orders", "readers", all[1]); !f.OK() {
		t.Error("a receipt from before the restart:", f)
	}
	w.wants(w.pop("orders", "others"), bodies(all))
}

func TestPollWakes(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	w.topic("orders")
	came := make(chan []got, 1)
	go func() { came <- w.pop("orders", "readers", func(op *backend.Pop) { op.Poll = 20 * time.Second }) }()
	w.sends("orders", "a", "")
	w.wants(<-came, "a/0")
}

func TestPollEnds(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	begun := time.Now()
	w.wants(w.pop("orders", "readers", func(op *backend.Pop) { op.Poll = 30 * time.Millisecond }), "")
	if took := time.Since(begun); took < 29*time.Millisecond { // the broker's clock has whole milliseconds
		t.Errorf("it took %v", took)
	}
}

func TestDelayedMessageComesOnTime(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	// A machine may be so busy that the time has come before anybody has looked.
	for delay := 80 * time.Millisecond; ; delay *= 2 {
		topic := "orders-" + delay.String()
		due := time.Now().Add(delay).UnixMilli()
		op := w.send(topic, "late", fmt.Sprintf("TIMER_DELIVER_MS=%d;", due))
		early := w.pop(topic, "readers")
		if time.Now().UnixMilli() >= due {
			continue
		}
		w.wants(early, "")
		if r, err := handle.ParseRecall(op.RecallHandle); err != nil || r.Timestamp != due+1 || string(r.MessageID) != "late" {
			t.Errorf("%+v %v", r, err)
		}
		w.wants(w.pop(topic, "readers", func(op *backend.Pop) { op.Poll = 10 * time.Second }), "late/0")
		if now := time.Now().UnixMilli(); now < due {
			t.Errorf("%d ms early", due-now)
		}
		return
	}
}

func TestRecall(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	due := time.Now().Add(time.Hour).UnixMilli()
	sent := w.send("orders", "late", fmt.Sprintf("TIMER_DELIVER_MS=%d;", due))
	r, err := handle.ParseRecall(sent.RecallHandle)
	if err != nil {
		t.Fatal(err)
	}
	op := &backend.Recall{Topic: []byte("orders"), Text: sent.RecallHandle, Handle: r}
	w.do(func(x backend.Exchange) { op.Exchange = x; w.Recall(op, time.Now()) })
	if !op.Fault.OK() || string(op.MessageID) != "late" {
		t.Error(op.Fault, string(op.MessageID))
	}
	op.Handle.Broker = []byte("elsewhere")
	w.do(func(x backend.Exchange) { op.Exchange = x; w.Recall(op, time.Now()) })
	if op.Fault.Kind != backend.BadBroker {
		t.Error(op.Fault)
	}
}

func TestTransaction(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	half := w.send("orders", "half", "TRAN_MSG=true;")
	w.wants(w.pop("orders", "readers"), "")
	end := func(v backend.Verdict) backend.Fault {
		op := &backend.EndTransaction{Topic: []byte("orders"), TransactionID: half.TransactionID, Verdict: v}
		w.do(func(x backend.Exchange) { op.Exchange = x; w.EndTransaction(op, time.Now()) })
		return op.Fault
	}
	if f := end(backend.Undecided); !f.OK() {
		t.Error(f)
	}
	w.restart()
	if f := end(backend.Commit); !f.OK() {
		t.Error(f)
	}
	w.wants(w.pop("orders", "readers"), "half/0")
	if f := end(backend.Rollback); f.Kind != backend.TransactionNotFound {
		t.Error(f)
	}
}

// producers answers checks as a producer would.
type producers struct {
	backend.Clients
	asked chan *backend.TransactionCheck
}

func (p producers) CheckTransaction(c *backend.TransactionCheck) bool { p.asked <- c; return true }

func TestProducersAreAsked(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), func(c *Config) { c.Broker.CheckInterval, c.Broker.CheckAfter = 50, 10 })
	p := producers{asked: make(chan *backend.TransactionCheck, 16)}
	w.Attach(p)
	w.sends("orders", "half", "TRAN_MSG=true;colour=red;")
	for range 2 {
		c := <-p.asked
		if body := c.Body.AppendTo(nil); c.Topic != "orders" || c.TransactionID != "half" || string(body[c.Record.BodyOffset:]) != "half" {
			t.Errorf("%+v %q", c, body)
		}
		c.Release()
	}
	w.close()
	for len(p.asked) > 0 {
		(<-p.asked).Release()
	}
}

func TestFilters(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	for i, colour := range []string{"red", "green", "blue"} {
		w.sends("orders", colour, fmt.Sprintf("TAGS=%s;size=%d;", colour, i))
	}
	sql := func(text string) func(*backend.Pop) {
		return func(op *backend.Pop) { op.SQL, op.Expression = true, []byte(text) }
	}
	w.wants(w.pop("orders", "small", sql("size < 1")), "red/0")
	w.wants(w.pop("orders", "tagged", func(op *backend.Pop) { op.Expression = []byte("green || grey") }), "green/0")
	w.wants(w.pop("orders", "blank", func(op *backend.Pop) { op.Expression = []byte(" || ") }), "")
	op := &backend.Pop{Topic: w.topic("orders"), Group: []byte("bad"), MessagesMax: 1, SQL: true, Expression: []byte("size <")}
	w.do(func(x backend.Exchange) { op.Exchange = x; w.Pop(op, time.Now()) })
	if op.Fault.Kind != backend.BadFilter {
		t.Error(op.Fault)
	}
}

func TestBatchBelowNothingIsRefused(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	w.sends("orders", "a", "")
	op := &backend.Pop{Topic: w.topic("orders"), Group: []byte("readers"), MessagesMax: -1, Invisible: time.Minute}
	w.do(func(x backend.Exchange) { op.Exchange = x; w.Pop(op, time.Now()) })
	if op.Fault.Kind != backend.Internal {
		t.Error(op.Fault)
	}
}

func TestChangeInvisibleGivesANewHandle(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	w.sends("orders", "a", "")
	first := w.pop("orders", "readers")[0]
	op := &backend.ChangeInvisible{Delivery: w.delivery("orders", "readers", first), Invisible: 30 * time.Second}
	w.do(func(x backend.Exchange) { op.Exchange = x; w.ChangeInvisible(op, time.Now()) })
	if !op.Fault.OK() || !op.Known {
		t.Fatal(op.Fault, op.Known)
	}
	second := got{handle: string(op.NewHandle)}
	if f := w.ack("orders", "readers", first); !f.OK() {
		t.Error("the old handle is no fault:", f)
	}
	op = &backend.ChangeInvisible{Delivery: w.delivery("orders", "readers", second)}
	w.do(func(x backend.Exchange) { op.Exchange = x; w.ChangeInvisible(op, time.Now()) })
	w.wants(w.pop("orders", "readers", func(op *backend.Pop) { op.Poll = 5 * time.Second }), "a/1")
}

func TestDeadLetter(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	w.sends("orders", "a", "")
	g := w.pop("orders", "readers")[0]
	op := &backend.DeadLetter{Delivery: w.delivery("orders", "readers", g), MessageID: []byte("a")}
	w.do(func(x backend.Exchange) { op.Exchange = x; w.DeadLetter(op, time.Now()) })
	if !op.Fault.OK() {
		t.Fatal(op.Fault)
	}
	w.wants(w.pop("%DLQ%readers", "undertakers"), "a/1")
}

func TestForeignHandle(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	w.sends("orders", "a", "")
	g := w.pop("orders", "readers")[0]
	d := w.delivery("orders", "readers", g)
	d.Handle.Broker = []byte("elsewhere")
	op := &backend.Ack{Delivery: d}
	w.do(func(x backend.Exchange) { op.Exchange = x; w.Ack(op, time.Now()) })
	if op.Fault.Kind != backend.BadHandle {
		t.Error(op.Fault)
	}
}

// consumers are those of each group that are connected.
type consumers struct {
	backend.Clients
	of map[string][]backend.Consumer
}

func (c consumers) Consumers(group string) []backend.Consumer { return c.of[group] }

func TestCatalog(t *testing.T) {
	begun := time.Now().Truncate(time.Millisecond)
	w := newWorld(t, vfs.NewMem())
	c := w.Catalog()
	if outcome, err := c.CreateTopic(catalog.TopicChange{Name: "lines", Attributes: "+message.type=FIFO", WriteQueues: 2}); err != nil || outcome != catalog.Created {
		t.Fatal(outcome, err)
	}
	if known := w.Topic([]byte("lines"), time.Now()); known == nil || known.Type != backend.TypeFIFO || known.Queues[0].Write != 2 {
		t.Errorf("%+v", known)
	}
	orderly, retries := true, 3
	if outcome, err := c.CreateGroup(catalog.GroupChange{Name: "workers", Orderly: &orderly, RetryMax: &retries}); err != nil || outcome != catalog.Created {
		t.Fatal(outcome, err)
	}
	w.restart()
	c = w.Catalog()
	if g := w.Group([]byte("workers"), time.Now()); g == nil || !g.Orderly || g.RetryMax != 3 {
		t.Errorf("%+v", g)
	}
	w.sends("lines", "a", "__SHARDINGKEY=g;")
	if listed, err := c.Groups(); err != nil || len(listed) != 1 || listed[0].Clients != 0 {
		t.Errorf("%+v %v", listed, err)
	}
	w.Attach(consumers{of: map[string][]backend.Consumer{"workers": {{ID: "b"}, {ID: "a"}}}})
	w.pop("lines", "workers", func(op *backend.Pop) { op.FIFO = true })
	info, err := c.Group("workers")
	if err != nil || info.InFlight != 1 || info.Lag != 0 || info.Clients != 2 {
		t.Errorf("%+v %v", info, err)
	}
	if listed, err := c.Groups(); err != nil || len(listed) != 1 || listed[0].Clients != 2 {
		t.Errorf("%+v %v", listed, err)
	}
	topic, err := c.Topic("lines")
	if err != nil || topic.Messages != 1 || len(topic.Queues) != 4 {
		t.Errorf("%+v %v", topic, err)
	}
	for _, q := range topic.Queues {
		if stored := time.UnixMilli(q.StoredMs); q.Max > 0 && (stored.Before(begun) || stored.After(time.Now())) || q.Max == 0 && q.StoredMs != 0 {
			t.Errorf("%+v", q)
		}
	}
	if err := c.DeleteTopic("lines"); err != nil {
		t.Error(err)
	}
	if err := c.DeleteGroup("workers"); err != nil {
		t.Error(err)
	}
	if topics, err := c.Topics(); err != nil || len(topics) != 0 {
		t.Errorf("%+v %v", topics, err)
	}
	if _, err := c.Topic("lines"); catalog.AsError(err).Kind != catalog.NotFound {
		t.Error(err)
	}
}

func TestAsyncFlush(t *testing.T) {
	w := newWorld(t, vfs.NewMem(), func(c *Config) { c.Sync, c.FlushInterval = false, 10*time.Millisecond })
	w.sends("orders", "a", "")
	w.restart()
	w.wants(w.pop("orders", "readers"), "a/0")
}

func TestClosed(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	topic := w.topic("orders")
	l := w.Local
	came := make(chan struct{})
	poll := &backend.Pop{Topic: topic, Group: []byte("readers"), MessagesMax: 1, Poll: 20 * time.Second}
	go func() {
		defer close(came)
		w.do(func(x backend.Exchange) { poll.Exchange = x; l.Pop(poll, time.Now()) })
	}()
	w.sends("other", "a", "") // the poll is there, or comes behind the end: it must end either way
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	<-came
	op := &backend.Send{Topic: topic, Messages: []backend.Message{{}}}
	w.do(func(x backend.Exchange) { op.Exchange = x; l.Send(op, time.Now()) })
	if op.Fault.OK() {
		t.Error("a send was taken after the end")
	}
	w.Local = nil
}

// members are two consumers, one of which says what its threads do.
type members struct{ backend.Clients }

func (members) Consumers(group string) []backend.Consumer {
	if group != "readers" {
		return nil
	}
	return []backend.Consumer{{ID: "b", Version: "GOLANG 5.1.4"}, {ID: "a", Version: "JAVA 5.0.7", Pushes: true}}
}

func (members) RunningInfo(op *backend.RunningInfo) {
	if op.ClientID != "a" || !op.Stack {
		op.End(backend.Fault{Kind: backend.Internal, Text: "not connected"})
		return
	}
	op.Threads = "main of " + op.Group
	op.End(backend.Fault{})
}

// TestMembersAreShown in the catalog of a proxy that runs.
func TestMembersAreShown(t *testing.T) {
	w := newWorld(t, vfs.NewMem())
	c := w.Catalog()
	for _, name := range []string{"readers", "writers"} {
		if _, err := c.CreateGroup(catalog.GroupChange{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Threads("readers", "a"); err == nil {
		t.Error("nobody is connected to a proxy that does not run")
	}
	if info, err := c.Group("readers"); err != nil || info.Clients != 0 {
		t.Errorf("%+v %v", info, err)
	}
	w.Attach(members{})
	info, err := c.Group("readers")
	want := []catalog.Member{{ID: "a", Version: "JAVA 5.0.7", Pushes: true}, {ID: "b", Version: "GOLANG 5.1.4"}}
	if err != nil || info.Clients != 2 || !slices.Equal(info.Members, want) {
		t.Errorf("%+v %v", info, err)
	}
	all, err := c.Groups()
	if err != nil || len(all) != 2 || all[0].Clients != 2 || all[1].Clients != 0 || all[0].Members != nil {
		t.Errorf("%+v %v", all, err)
	}
	if text, err := c.Threads("readers", "a"); err != nil || text != "main of readers" {
		t.Errorf("%q %v", text, err)
	}
	if _, err := c.Threads("readers", "b"); err == nil || err.Error() != "not connected" {
		t.Error(err)
	}
}
