package local

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"rocketmq-proxy/server/backend"
	"rocketmq-proxy/server/local/broker"
	"rocketmq-proxy/server/local/catalog"
)

// Group implements backend.Backend.
func (l *Local) Group(name []byte, _ time.Time) *backend.Group { return l.groups.Get(name) }

// FetchGroup implements backend.Backend: a group that is not there is made, where that is
// allowed.
func (l *Local) FetchGroup(op *backend.FetchGroup, _ time.Time) {
	op.Home.Forward(l.turn, event(func(time.Time) {
		if l.failed != nil {
			op.Fault = l.fault()
			op.Reply(l.turn)
			return
		}
		op.Found = &backend.Group{Name: string(op.Name)}
		if g := l.useGroup(op.Found.Name); g != nil {
			op.Found = l.groupOf(g)
		}
		l.after(&op.Exchange)
	}))
}

// useGroup finds a group, made on its first use.
func (l *Local) useGroup(name string) *broker.Group {
	if g := l.broker.Group(name); g != nil {
		return g
	}
	name = string(append([]byte(nil), name...)) // it may have been borrowed
	g := l.broker.UseGroup(name)
	if g != nil {
		l.report("group made on first use: "+name, nil)
		l.publishGroup(g)
	}
	return g
}

func (l *Local) publishGroup(g *broker.Group) { l.groups.Put(g.Name, l.groupOf(g), math.MaxInt) }

func (l *Local) groupOf(g *broker.Group) *backend.Group {
	known := backend.DefaultGroup
	known.Name, known.Exists, known.Orderly, known.RetryMax = g.Name, true, g.Orderly, g.RetryMax
	known.LiteBindTopic = g.Attributes[catalog.AttributeLiteBindTopic]
	if quota, err := strconv.Atoi(g.Attributes[catalog.AttributeLiteQuota]); err == nil {
		known.LiteQuota = quota
	}
	var policy catalog.RetryPolicy
	if len(g.Retry) > 0 && json.Unmarshal(g.Retry, &policy) == nil {
		known.Retry = retryOf(&policy)
	}
	return &known
}

func retryOf(p *catalog.RetryPolicy) backend.RetryPolicy {
	switch {
	case p.Type == catalog.RetryExponential && p.Exponential != nil:
		return backend.RetryPolicy{
			Exponential: true, Initial: millis(p.Exponential.InitialMs), Max: millis(p.Exponential.MaxMs),
			Multiplier: float32(p.Exponential.Multiplier),
		}
	case p.Type == catalog.RetryExponential:
		return backend.RetryPolicy{Exponential: true, Initial: 5 * time.Second, Max: 2 * time.Hour, Multiplier: 2}
	case p.Customized != nil:
		next := make([]time.Duration, len(p.Customized.NextMs))
		for i, ms := range p.Customized.NextMs {
			next[i] = millis(ms)
		}
		return backend.RetryPolicy{Next: next}
	}
	return backend.DefaultGroup.Retry
}

func millis(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }
