package cluster

import (
	"fmt"
	"testing"
	"time"

	"rocketmq-proxy/server/backend"
)

// knows makes c know a topic and a group that were used at used.
func (c *Cluster) knows(name string, used time.Time) {
	r := &route{Topic: backend.Topic{Name: name, Exists: true}}
	r.use(used)
	c.topicLoaded(r)
	g := &group{Group: backend.Group{Name: name, Exists: true}}
	g.use(used)
	c.groups.Put(name, g, c.config.Groups.Max)
}

// TestUnusedKnowledgeIsForgotten after the time of its own kind; a topic's route and settings are
// one entry.
func TestUnusedKnowledgeIsForgotten(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for _, test := range []struct {
		routes, types, groups time.Duration
		topic, group          bool // are left of what is 10 s old
	}{
		{10 * time.Second, 10 * time.Second, 10 * time.Second, true, true},
		{9 * time.Second, 10 * time.Second, 10 * time.Second, false, true},
		{10 * time.Second, 9 * time.Second, 10 * time.Second, false, true},
		{10 * time.Second, 10 * time.Second, 9 * time.Second, true, false},
	} {
		config := Defaults()
		config.Routes.Expiry, config.Types.Expiry, config.Groups.Expiry = test.routes, test.types, test.groups
		c := New(config)
		c.knows("old", now.Add(-10*time.Second))
		c.knows("new", now)
		c.forget(now)
		topic, group := c.routes.Get([]byte("old")) != nil, c.groups.Get([]byte("old")) != nil
		if topic != test.topic || group != test.group {
			t.Errorf("%+v: topic %v, group %v", test, topic, group)
		}
		if c.routes.Get([]byte("new")) == nil || c.groups.Get([]byte("new")) == nil {
			t.Errorf("%+v: what was used is forgotten", test)
		}
		c.Close()
	}
}

// TestKnowledgeIsBounded by the number of its own kind, up to what a table may have too much.
func TestKnowledgeIsBounded(t *testing.T) {
	const names, tooMany = 1000, 100
	for _, test := range []struct {
		name                  string
		routes, types, groups int
	}{{"routes", 1, names, names}, {"types", names, 1, names}, {"groups", names, names, 1}} {
		config := Defaults()
		config.Routes.Max, config.Types.Max, config.Groups.Max = test.routes, test.types, test.groups
		c := New(config)
		topics, groups := 0, 0
		for i := range names {
			c.knows(fmt.Sprint(i), time.Now())
		}
		for i := range names {
			name := fmt.Append(nil, i)
			if c.routes.Get(name) != nil {
				topics++
			}
			if c.groups.Get(name) != nil {
				groups++
			}
		}
		few, all := topics, groups
		if test.name == "groups" {
			few, all = groups, topics
		}
		if few > tooMany || all != names {
			t.Errorf("%s: %d topics, %d groups", test.name, topics, groups)
		}
		c.Close()
	}
}
