package broker

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// GroupSettings is what a consumer group was made with.
type GroupSettings struct {
	Name       string            `json:"name"`
	Orderly    bool              `json:"orderly"`
	RetryMax   int               `json:"retryMax"`
	Retry      json.RawMessage   `json:"retry,omitempty"` // the retry policy, as RocketMQ writes it; opaque here
	Attributes map[string]string `json:"attributes,omitempty"`
}

// RetryMaxDefault is how often a message is delivered again, as brokers give new groups.
const RetryMaxDefault = 16

// Group is one consumer group.
type Group struct {
	GroupSettings
	id            uint32
	subscriptions map[*Topic]*subscription
	gone          bool // deleted
}

func newGroup(v *groupValue) *Group {
	return &Group{GroupSettings: v.GroupSettings, id: v.ID, subscriptions: map[*Topic]*subscription{}}
}

// inOrder lists the subscriptions by the age of their topics.
func (g *Group) inOrder() []*subscription {
	return slices.SortedFunc(maps.Values(g.subscriptions), func(x, y *subscription) int { return cmp.Compare(x.topic.id, y.topic.id) })
}

type groupValue struct {
	GroupSettings
	ID uint32 `json:"id"`
}

// Group finds a group, nil when there is none.
func (b *Broker) Group(name string) *Group { return b.groups[name] }

// Groups lists the groups in the order in which they were made.
func (b *Broker) Groups() []*Group {
	return slices.SortedFunc(maps.Values(b.groups), func(x, y *Group) int { return cmp.Compare(x.id, y.id) })
}

// UseGroup finds a group, or makes it when that is allowed; nil when it is not.
func (b *Broker) UseGroup(name string) *Group {
	if g := b.groups[name]; g != nil || !b.config.AutoCreateGroups {
		return g
	}
	g, err := b.CreateGroup(GroupSettings{Name: name, RetryMax: RetryMaxDefault})
	if err != nil {
		b.report("group not made: "+name, err)
	}
	return g
}

// CreateGroup makes a group.
func (b *Broker) CreateGroup(settings GroupSettings) (*Group, error) {
	switch {
	case b.groups[settings.Name] != nil:
		return nil, ErrExists
	case b.gaps.have(prefixGroup, settings.Name):
		return nil, ErrDamaged
	case len(b.groups) >= b.config.GroupsMax:
		return nil, ErrTooMany
	}
	g := newGroup(&groupValue{GroupSettings: settings, ID: uint32(b.take(&b.nextID))})
	b.groups[g.Name], b.groupByID[g.id] = g, g
	b.saveGroup(g)
	return g, nil
}

// ChangeGroup gives a group other settings.
func (b *Broker) ChangeGroup(settings GroupSettings) error {
	g := b.groups[settings.Name]
	if g == nil {
		return ErrMissing
	}
	g.GroupSettings = settings
	b.saveGroup(g)
	return nil
}

func (b *Broker) saveGroup(g *Group) {
	b.putJSON(prefixGroup, g.Name, &groupValue{GroupSettings: g.GroupSettings, ID: g.id})
}

// DeleteGroup removes a group and what it has consumed.
func (b *Broker) DeleteGroup(name string) error {
	g := b.groups[name]
	if g == nil {
		return ErrMissing
	}
	b.endLiteClients(g)
	for _, s := range g.inOrder() {
		b.endSubscription(s)
	}
	for _, prefix := range []byte{prefixPosition, prefixEntry} {
		from := binary.BigEndian.AppendUint32([]byte{prefix}, g.id)
		b.batch.DeleteRange(from, after(from))
	}
	b.batch.Delete(appendNameKey(b.key[:0], prefixGroup, name))
	g.gone = true
	delete(b.groups, name)
	delete(b.groupByID, g.id)
	return nil
}

func (b *Broker) loadGroups() error {
	return b.load(prefixGroup, "group", func(key, value []byte) error {
		var v groupValue
		if err := json.Unmarshal(value, &v); err != nil {
			return fmt.Errorf("broker: group %q: %w", key[1:], err)
		}
		if v.Name != string(key[1:]) || b.groupByID[v.ID] != nil {
			return fmt.Errorf("broker: group %q makes no sense: %s", key[1:], value)
		}
		g := newGroup(&v)
		b.groups[g.Name], b.groupByID[g.id] = g, g
		return nil
	}, func(g gap) { b.gaps = append(b.gaps, g) })
}
