package cluster_test

import (
	"fmt"
	"testing"
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/cluster"
)

func TestGroups(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetGroup("plain", nil)
	fake.SetGroup("orderly", func(g *command.GroupConfig) { g.ConsumeOrderly, g.RetryMaxTimes = true, 3 })
	fake.SetGroup("lite", func(g *command.GroupConfig) {
		g.Attributes = map[string]string{"lite.bind.topic": "orders", "lite.sub.client.quota": "7"}
	})
	fake.SetGroup("custom", func(g *command.GroupConfig) {
		g.RetryPolicy = command.RetryPolicy{Type: "CUSTOMIZED", Customized: &command.CustomizedRetry{Next: []int64{1500, 60_000}}}
	})
	fake.SetGroup("exponential", func(g *command.GroupConfig) {
		g.RetryPolicy = command.RetryPolicy{Type: "EXPONENTIAL", Exponential: &command.ExponentialRetry{Initial: 100, Max: 9000, Multiplier: 3}}
	})
	fake.SetGroup("exponential by default", func(g *command.GroupConfig) { g.RetryPolicy = command.RetryPolicy{Type: "EXPONENTIAL"} })
	w := newWorld(t, fake)
	for name, holds := range map[string]func(g *backend.Group) bool{
		"plain": func(g *backend.Group) bool {
			next := g.Retry.Next
			return g.RetryMax == 16 && !g.Orderly && g.LiteBindTopic == "" && g.LiteQuota == 2000 &&
				!g.Retry.Exponential && len(next) == 18 && next[0] == time.Second && next[4] == time.Minute && next[17] == 2*time.Hour
		},
		"orderly": func(g *backend.Group) bool { return g.Orderly && g.RetryMax == 3 },
		"lite":    func(g *backend.Group) bool { return g.LiteBindTopic == "orders" && g.LiteQuota == 7 },
		"custom":  func(g *backend.Group) bool { return fmt.Sprint(g.Retry.Next) == "[1.5s 1m0s]" },
		"exponential": func(g *backend.Group) bool {
			return g.Retry.Exponential && g.Retry.Initial == 100*time.Millisecond && g.Retry.Max == 9*time.Second && g.Retry.Multiplier == 3
		},
		"exponential by default": func(g *backend.Group) bool {
			return g.Retry.Exponential && g.Retry.Initial == 5*time.Second && g.Retry.Max == 2*time.Hour && g.Retry.Multiplier == 2
		},
		"made by asking": func(g *backend.Group) bool { return g.RetryMax == 16 },
	} {
		if g := w.group(name); !g.Exists || g.Name != name || !holds(g) {
			t.Errorf("%s: %+v", name, g)
		}
		if w.Group([]byte(name), time.Now()) == nil {
			t.Errorf("%s is not remembered", name)
		}
	}
}

// TestMissingGroup is believed for a while.
func TestMissingGroup(t *testing.T) {
	fake := fakebroker.Start(t, fakebroker.WithoutAutoCreate())
	w := newWorld(t, fake)
	if g := w.group("missing"); g.Exists {
		t.Errorf("%+v", g)
	}
	if g := w.Group([]byte("missing"), time.Now()); g == nil || g.Exists {
		t.Errorf("right after: %+v", g)
	}
	if g := w.Group([]byte("missing"), time.Now().Add(3*time.Second)); g != nil {
		t.Errorf("later: %+v", g)
	}
}

// TestGroupIsRenewed, and what was known serves when that fails.
func TestGroupIsRenewed(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetGroup("readers", nil)
	w := newWorld(t, fake)
	w.group("readers")
	fake.SetGroup("readers", func(g *command.GroupConfig) { g.RetryMaxTimes = 5 })
	if g := w.Group([]byte("readers"), time.Now().Add(21*time.Second)); g == nil || g.RetryMax != 16 {
		t.Errorf("meanwhile %+v", g)
	}
	w.eventually("the new settings are there", func() bool { return w.Group([]byte("readers"), time.Now()).RetryMax == 5 })

	fake.Brokers[0].Fail(352, -1, fakebroker.Response{Code: 1, Remark: "not now"})
	w.Group([]byte("readers"), time.Now().Add(21*time.Second))
	w.eventually("the failure is reported", func() bool { return w.reported("group settings failed") })
	if g := w.group("readers"); g.RetryMax != 5 {
		t.Errorf("afterwards %+v", g)
	}
	op := &backend.FetchGroup{Name: []byte("another")}
	w.wait(w.start(&op.Exchange, func(now time.Time) { w.FetchGroup(op, now) }))
	if op.Fault.Kind != backend.Internal || op.Found != nil {
		t.Errorf("%+v, %+v", op.Fault, op.Found)
	}
}

func TestGroupOfAnUnknownCluster(t *testing.T) {
	fake := fakebroker.Start(t)
	w := newWorld(t, fake, func(c *cluster.Config) { c.ClusterName = "elsewhere" })
	op := &backend.FetchGroup{Name: []byte("readers")}
	w.wait(w.start(&op.Exchange, func(now time.Time) { w.FetchGroup(op, now) }))
	if op.Fault != (backend.Fault{Kind: backend.Internal, Text: "no broker of cluster elsewhere is known: check rocketMQClusterName"}) {
		t.Errorf("%+v", op.Fault)
	}
}

// TestClose brings home what is in flight, and refuses what comes after.
func TestClose(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "orders"})
	w := newWorld(t, fake)
	w.sent("orders", "x")
	w.group("readers")
	topic := w.topic("orders")
	w.pop(pops(topic, "readers")).Reset()
	op := pops(topic, "readers")
	op.Poll = patience / 2
	home := w.start(&op.Exchange, func(now time.Time) { w.Pop(op, now) })
	w.eventually("the poll waits", func() bool { return fake.Brokers[0].Waiting() == 1 })
	w.Close()
	w.wait(home)
	if op.Fault.OK() {
		t.Error("the poll ended well")
	}
	if after := w.send(sends(topic, "", "x")); after.Fault.Kind != backend.Internal {
		t.Errorf("%+v", after.Fault)
	}
	late := &backend.FetchTopic{Name: []byte("others")}
	w.wait(w.start(&late.Exchange, func(now time.Time) { w.FetchTopic(late, now) }))
	if late.Fault.OK() {
		t.Error("a topic was learnt after the end")
	}
	w.Close()
}
