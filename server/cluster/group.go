package cluster

import (
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/server/backend"
)

// group is what is known of a consumer group, and when it was learnt and used.
type group struct {
	backend.Group
	knowledge
}

// Group implements backend.Backend.
func (c *Cluster) Group(name []byte, now time.Time) *backend.Group {
	g := c.groups.Get(name)
	if g == nil {
		return nil
	}
	age := g.use(now)
	if !g.Exists && age > c.config.NegativeFor {
		return nil
	}
	if age > c.config.Groups.Refresh && g.claim() {
		c.loadGroup(g.Name)
	}
	return &g.Group
}

// FetchGroup implements backend.Backend.
func (c *Cluster) FetchGroup(op *backend.FetchGroup, _ time.Time) {
	c.loadGroup(string(op.Name), op)
}

// loadGroup asks a broker of the cluster; which brokers there are the topic named like the
// cluster tells.
func (c *Cluster) loadGroup(name string, waiting ...*backend.FetchGroup) {
	if c.groupFlights.join(name, waiting...) {
		c.withRoute(c.config.ClusterName, func(r *route, f backend.Fault) { c.clusterCame(name, r, f) })
	}
}

func (c *Cluster) clusterCame(name string, r *route, f backend.Fault) {
	if !f.OK() || !r.Exists {
		if f.OK() {
			f = backend.Fault{Kind: backend.Internal, Text: "no broker of cluster " + c.config.ClusterName + " is known: check rocketMQClusterName"}
		}
		c.endGroupLoad(name, c.groups.Get([]byte(name)), f)
		return
	}
	c.askGroupConfig(name, r.brokers, func(config *command.GroupConfig, err error) {
		if err != nil {
			c.report("group settings failed", name, err)
			c.endGroupLoad(name, c.groups.Get([]byte(name)), callFault(err))
			return
		}
		c.endGroupLoad(name, newGroup(name, config), backend.Fault{})
	})
}

// endGroupLoad publishes g. With a fault, g is what was known before, or nil.
func (c *Cluster) endGroupLoad(name string, g *group, f backend.Fault) {
	if g != nil {
		again := &group{Group: g.Group, knowledge: knowledge{loaded: time.Now()}}
		again.lastUsed.Store(max(g.lastUsed.Load(), again.loaded.Unix()-int64(c.config.Groups.Refresh/time.Second)))
		c.groups.Put(name, again, c.config.Groups.Max)
		g, f = again, backend.Fault{}
	}
	for _, op := range c.groupFlights.land(name) {
		op.Fault = f
		if g != nil {
			op.Found = &g.Group
		}
		op.Home.Post(op.Then)
	}
}

// Attributes of a group that the proxy acts on.
const (
	attributeLiteBindTopic = "lite.bind.topic"
	attributeLiteQuota     = "lite.sub.client.quota"
)

// newGroup translates settings; nil settings are a group that does not exist.
func newGroup(name string, config *command.GroupConfig) *group {
	g := &group{Group: backend.Group{Name: name}}
	if config == nil {
		return g
	}
	g.Exists = true
	g.Orderly = config.ConsumeOrderly
	g.RetryMax = int(config.RetryMaxTimes)
	g.LiteBindTopic = config.Attributes[attributeLiteBindTopic]
	g.LiteQuota = atoiOr(config.Attributes[attributeLiteQuota], backend.DefaultGroup.LiteQuota)
	g.Retry = newRetry(&config.RetryPolicy)
	return g
}

func newRetry(p *command.RetryPolicy) backend.RetryPolicy {
	if e := p.Exponential; p.Type == command.RetryExponential {
		if e == nil {
			e = &command.ExponentialRetry{Initial: 5000, Max: 7_200_000, Multiplier: 2}
		}
		return backend.RetryPolicy{Exponential: true, Initial: millis(e.Initial), Max: millis(e.Max), Multiplier: float32(e.Multiplier)}
	}
	delays := command.RetryDelaysDefault[:]
	if p.Customized != nil && len(p.Customized.Next) > 0 {
		delays = p.Customized.Next
	}
	next := make([]time.Duration, len(delays))
	for i, d := range delays {
		next[i] = millis(d)
	}
	return backend.RetryPolicy{Next: next}
}

func millis(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }
