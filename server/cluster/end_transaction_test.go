package cluster_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/cluster"
)

// clients are those behind a proxy that publish to some topics.
type clients struct {
	backend.Clients // what they are not asked here

	mu           sync.Mutex
	topics       []string
	checks       []string
	unsubscribed []string
}

func (c *clients) Published() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.topics)
}

func (c *clients) Subscribed() map[string]int { return nil }

func (c *clients) CheckTransaction(check *backend.TransactionCheck) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	var body pool.Chain
	body.Share(&check.Body, check.Record.BodyOffset, check.Record.BodyLen)
	c.checks = append(c.checks, fmt.Sprintf("%s %s: %s of %s", check.Topic, check.TransactionID, body.AppendTo(nil), check.Record.Topic))
	body.Release()
	check.Release()
	return true
}

func (c *clients) Unsubscribed(clientID, group, liteTopic string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unsubscribed = append(c.unsubscribed, clientID+" "+group+" "+liteTopic)
}

func (c *clients) heard() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.checks)
}

// half sends a half message.
func (w *world) half(topic, id, body string) *backend.Send {
	w.Helper()
	op := sends(w.topic(topic), "", body)
	op.Messages[0].SysFlag = message.FlagTransactionPrepared
	op.Messages[0].Properties = []byte("UNIQ_KEY\x01" + id + "\x02TRAN_MSG\x01true\x02PGROUP\x01" + topic + "\x02")
	if w.send(op); !op.Fault.OK() {
		w.Fatalf("%+v", op.Fault)
	}
	return op
}

// ends ends a transaction and tells how that went.
func (w *world) ends(topic, id string, verdict backend.Verdict, change ...func(op *backend.EndTransaction)) backend.Fault {
	w.Helper()
	op := &backend.EndTransaction{Topic: []byte(topic), MessageID: []byte(id), TransactionID: []byte(id), Verdict: verdict}
	for _, c := range change {
		c(op)
	}
	w.wait(w.start(&op.Exchange, func(now time.Time) { w.EndTransaction(op, now) }))
	return op.Fault
}

var notFound = backend.Fault{Kind: backend.TransactionNotFound, Text: "cannot found transaction data"}

func transactional(t *testing.T, change ...func(*cluster.Config)) *world {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "deals", Queues: 1, Type: "TRANSACTION"})
	return newWorld(t, fake, change...)
}

// TestEndTransaction once, as the half message was stored.
func TestEndTransaction(t *testing.T) {
	w := transactional(t)
	b := w.fake.Brokers[0]
	if op := w.half("deals", "A", "apples"); string(op.TransactionID) != "A" {
		t.Errorf("transaction %q", op.TransactionID)
	}
	w.half("deals", "B", "pears")
	w.half("deals", "C", "plums")
	if f := w.ends("deals", "A", backend.Commit); !f.OK() {
		t.Errorf("%+v", f)
	}
	w.eventually("the message is delivered", func() bool { return slices.Equal(b.Messages("deals"), []string{"apples"}) })
	if f := w.ends("deals", "B", backend.Rollback); !f.OK() {
		t.Errorf("%+v", f)
	}
	w.eventually("the message is forgotten", func() bool { return b.Halves() == 1 })
	for _, id := range []string{"A", "B", "unheard"} {
		if f := w.ends("deals", id, backend.Commit); f != notFound {
			t.Errorf("%s: %+v", id, f)
		}
	}
	if f := w.ends("others", "C", backend.Commit); f != notFound {
		t.Errorf("%+v", f)
	}
	if f := w.ends("deals", "C", backend.Undecided); !f.OK() {
		t.Errorf("%+v", f)
	}
	w.eventually("the broker is told", func() bool { return b.Requests(37) == 3 })
	if n := b.Halves(); n != 1 {
		t.Errorf("%d are open", n)
	}
}

// TestEndTransactionHead is what the broker is told.
func TestEndTransactionHead(t *testing.T) {
	w := transactional(t)
	w.half("deals", "A", "apples")
	told := make(chan *fakebroker.Request, 1)
	w.fake.Brokers[0].Control(37, func(r *fakebroker.Request) (fakebroker.Response, bool) {
		told <- r
		return fakebroker.Response{}, false
	})
	w.ends("deals", "A", backend.Commit, func(op *backend.EndTransaction) { op.FromCheck = true })
	r := <-told
	for key, want := range map[string]string{
		"topic": "deals", "producerGroup": "deals", "tranStateTableOffset": "0", "commitOrRollback": "8",
		"fromTransactionCheck": "true", "msgId": "A", "transactionId": "A",
	} {
		if r.Ext[key] != want {
			t.Errorf("%s is %q, want %q", key, r.Ext[key], want)
		}
	}
	if !r.Oneway() {
		t.Error("an answer is expected")
	}
}

// TestEndTransactionMayBeTriedAgain when the broker could not be told.
func TestEndTransactionMayBeTriedAgain(t *testing.T) {
	w := transactional(t)
	b := w.fake.Brokers[0]
	w.half("deals", "A", "apples")
	b.Stop()
	w.eventually("the proxy notices on both lanes in use", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.reports) >= 2
	})
	for range 2 {
		if f := w.ends("deals", "A", backend.Commit); f.Kind != backend.Internal {
			t.Errorf("%+v", f)
		}
	}
	b.Restart()
	w.eventually("the end succeeds", func() bool { return w.ends("deals", "A", backend.Commit).OK() })
	w.eventually("the message is delivered", func() bool { return len(b.Messages("deals")) == 1 })
}

// TestTransactionsExpire: the broker will ask.
func TestTransactionsExpire(t *testing.T) {
	w := transactional(t, func(c *cluster.Config) { c.TransactionExpiry = time.Millisecond })
	w.half("deals", "A", "apples")
	time.Sleep(2 * time.Millisecond)
	if f := w.ends("deals", "A", backend.Commit); f != notFound {
		t.Errorf("%+v", f)
	}
	w.sent("deals", "not half a message")
	if f := w.ends("deals", "ID0", backend.Commit); f != notFound {
		t.Errorf("%+v", f)
	}
}
