package cluster_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"rocketmq-proxy/pool"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/cluster"
)

func often(c *cluster.Config) { c.ProducerBeat = 20 * time.Millisecond }

// TestBrokersAskProducers, who then end the transaction, though their first chance has passed.
func TestBrokersAskProducers(t *testing.T) {
	live := pool.Live()
	w := transactional(t, often, func(c *cluster.Config) { c.TransactionExpiry = time.Second })
	w.fake.SetTopic(fakebroker.Topic{Name: "mixed", Type: "MIXED"})
	w.fake.SetTopic(fakebroker.Topic{Name: "orders"})
	who := &clients{topics: []string{"orders", "deals", "mixed", "unheard"}}
	b := w.fake.Brokers[0]
	w.Attach(who)
	w.half("deals", "A", "apples")
	w.eventually("the broker knows the producers", func() bool {
		return len(b.Producers("deals")) > 0 && len(b.Producers("mixed")) > 0
	})
	if got := fmt.Sprint(b.Producers("deals"), b.Producers("orders"), b.Producers("unheard")); got != "[rmq-proxy-producer-client] [] []" {
		t.Error(got)
	}
	time.Sleep(time.Second) // what the send told has expired
	if f := w.ends("deals", "A", backend.Commit); f != notFound {
		t.Errorf("%+v", f)
	}
	if n := b.CheckTransactions(); n != 1 {
		t.Errorf("%d checks", n)
	}
	w.eventually("the producer is asked", func() bool { return slices.Equal(who.heard(), []string{"deals A: apples of deals"}) })
	if f := w.ends("deals", "A", backend.Commit, func(op *backend.EndTransaction) { op.FromCheck = true }); !f.OK() {
		t.Errorf("%+v", f)
	}
	w.eventually("the message is delivered", func() bool { return slices.Equal(b.Messages("deals"), []string{"apples"}) })
	if left := pool.Live() - live; left > 8 { // what the open connections hold
		t.Errorf("%d buffers were not released", left)
	}
}

// TestHeartbeatsComeInBatches, to every broker of the topic, and go on.
func TestHeartbeatsComeInBatches(t *testing.T) {
	fake := fakebroker.Start(t, fakebroker.WithBrokers(2))
	who := &clients{}
	for i := range 5 {
		name := fmt.Sprint("deals-", i)
		fake.SetTopic(fakebroker.Topic{Name: name, Type: "TRANSACTION"})
		who.topics = append(who.topics, name)
	}
	fake.SetTopic(fakebroker.Topic{Name: "alone", Type: "TRANSACTION", Brokers: []string{"fake-1"}})
	who.topics = append(who.topics, "alone")
	w := newWorld(t, fake, often, func(c *cluster.Config) { c.ProducerBatch = 2 })
	w.Attach(who)
	w.eventually("both brokers know all of their topics", func() bool {
		for i := range 5 {
			for _, b := range fake.Brokers {
				if len(b.Producers(fmt.Sprint("deals-", i))) == 0 {
					return false
				}
			}
		}
		return len(fake.Brokers[1].Producers("alone")) == 1
	})
	if n := len(fake.Brokers[0].Producers("alone")); n != 0 {
		t.Errorf("a broker without the topic heard of it")
	}
	before := fake.Brokers[0].Requests(34)
	w.eventually("three heartbeats a round", func() bool { return fake.Brokers[0].Requests(34) >= before+9 })
	fake.Brokers[0].CloseConnections()
	w.eventually("the broker hears again", func() bool { return len(fake.Brokers[0].Producers("deals-0")) == 1 })
}

// TestBadChecks are reported and do no harm; what is nobody's business is let be.
func TestBadChecks(t *testing.T) {
	w := transactional(t, often)
	who := &clients{topics: []string{"deals"}}
	w.Attach(who)
	b := w.fake.Brokers[0]
	w.eventually("the broker knows the producer", func() bool { return len(b.Producers("deals")) > 0 })
	b.Push(40, map[string]string{"consumerGroup": "g"}, nil)
	b.Push(39, map[string]string{"tranStateTableOffset": "x"}, nil)
	b.Push(39, map[string]string{"tranStateTableOffset": "1", "commitLogOffset": "2"}, nil)
	b.Push(39, map[string]string{"tranStateTableOffset": "1", "commitLogOffset": "2"}, []byte("garbage"))
	w.eventually("the operator hears of it", func() bool { return w.reported("bad transaction check") })
	w.half("deals", "A", "apples")
	b.CheckTransactions()
	w.eventually("the next one arrives", func() bool { return len(who.heard()) == 1 })
}
