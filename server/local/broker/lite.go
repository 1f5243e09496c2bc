package broker

import (
	"errors"
	"slices"
)

// A lite topic is a queue of its own, made on the first use of its name under a parent topic.
// It is kept as a topic that is not listed. A group consumes each lite topic in order, one
// batch at a time; a client is given those that it subscribes to.

// liteTopic is what a logical topic has beside a topic.
type liteTopic struct {
	name, parent string
	watchers     []*liteClient
}

// litePrefix and what follows spell the name as brokers do.
const (
	litePrefix    = "%LMQ%$"
	liteSeparator = "$"
)

func liteName(parent, name string) string { return litePrefix + parent + liteSeparator + name }

// LiteName is the name under its parent, empty for a topic that is no lite topic.
func (t *Topic) LiteName() string {
	if t.lite == nil {
		return ""
	}
	return t.lite.name
}

// UseLiteTopic finds a lite topic, or makes it.
func (b *Broker) UseLiteTopic(parent *Topic, name string) (*Topic, error) {
	full := liteName(parent.Name, name)
	if t := b.topics[full]; t != nil {
		return t, nil
	}
	if b.liteTopics >= b.config.LiteTopicsMax {
		return nil, ErrTooMany
	}
	return b.addTopic(&topicValue{
		TopicSettings: plainTopic(full, typeLite, 1), ID: uint32(b.take(&b.nextID)),
		LiteParent: parent.Name, LiteName: name,
	}), nil
}

const typeLite = "LITE"

func (b *Broker) deleteLiteChildren(parent string) {
	for _, t := range slices.Clone(b.topicOrder) {
		if t.lite != nil && t.lite.parent == parent {
			_ = b.DeleteTopic(t.Name) // it is there
		}
	}
}

// liteKey names a client of a group.
type liteKey struct{ group, client string }

// liteClient is a client and the lite topics that it subscribes to.
type liteClient struct {
	group   *Group
	topics  []*Topic
	news    []*Topic // those that may have something, the oldest news first
	waiting list[*Pop]
	stirred bool
}

// Start says where a group begins in a lite topic.
type Start struct {
	Kind  StartKind
	Value int64
}

// StartKind tells the starts apart.
type StartKind uint8

// The kinds of start.
const (
	StartDefault   StartKind = iota // where it stopped, else as a new group does
	StartMin                        // at the oldest message
	StartMax                        // behind the newest
	StartOffset                     // at offset Value
	StartTail                       // at the newest Value messages
	StartTimestamp                  // at the first message stored since Value
)

// ErrQuota says that a client subscribes to more lite topics than its group may.
var ErrQuota = errors.New("broker: more lite topics than a client may subscribe to")

// Subscribe adds lite topics to those of a client; quota bounds all of them.
func (b *Broker) Subscribe(g *Group, client string, parent *Topic, names []string, start Start, quota int) error {
	c := b.liteClient(g, client)
	for _, name := range names {
		t, err := b.UseLiteTopic(parent, name)
		if err != nil {
			return err
		}
		if slices.Contains(c.topics, t) {
			continue
		}
		if len(c.topics) >= quota {
			return ErrQuota
		}
		c.topics = append(c.topics, t)
		t.lite.watchers = append(t.lite.watchers, c)
		b.startAt(b.subscribe(g, t), start)
		b.tell(c, t)
	}
	return nil
}

// startAt moves a group to where a client wants it to begin.
func (b *Broker) startAt(s *subscription, start Start) {
	q := s.topic.queues[0]
	next := b.position(s, q)
	switch start.Kind {
	case StartDefault:
		return
	case StartMin:
		next = q.first
	case StartMax:
		next = q.visible
	case StartOffset:
		next = start.Value
	case StartTail:
		next = q.visible - start.Value
	case StartTimestamp:
		next = b.firstSince(q, start.Value)
	}
	b.advance(s, q.id, min(max(next, q.first), q.visible))
}

// Unsubscribe takes lite topics from those of a client.
func (b *Broker) Unsubscribe(g *Group, client string, parent *Topic, names []string) {
	c := b.liteClients[liteKey{g.Name, client}]
	if c == nil {
		return
	}
	for _, name := range names {
		b.unwatch(c, b.topics[liteName(parent.Name, name)])
	}
	b.forgetIdle(liteKey{g.Name, client}, c)
}

// UnsubscribeOthers takes all but the named lite topics from those of a client.
func (b *Broker) UnsubscribeOthers(g *Group, client string, keep []string) {
	c := b.liteClients[liteKey{g.Name, client}]
	if c == nil {
		return
	}
	for _, t := range slices.Clone(c.topics) {
		if !slices.Contains(keep, t.lite.name) {
			b.unwatch(c, t)
		}
	}
	b.forgetIdle(liteKey{g.Name, client}, c)
}

func (b *Broker) unwatch(c *liteClient, t *Topic) {
	if t == nil || !slices.Contains(c.topics, t) {
		return
	}
	isTopic := func(other *Topic) bool { return other == t }
	c.topics = slices.DeleteFunc(c.topics, isTopic)
	c.news = slices.DeleteFunc(c.news, isTopic)
	t.lite.watchers = slices.DeleteFunc(t.lite.watchers, func(other *liteClient) bool { return other == c })
}

func (b *Broker) forgetIdle(key liteKey, c *liteClient) {
	if len(c.topics) == 0 && c.waiting.count == 0 {
		delete(b.liteClients, key)
	}
}

func (b *Broker) liteClient(g *Group, client string) *liteClient {
	key := liteKey{g.Name, client}
	c := b.liteClients[key]
	if c == nil {
		c = &liteClient{group: g}
		b.liteClients[key] = c
	}
	return c
}

// popLite is Pop over the lite topics of a client.
func (b *Broker) popLite(p *Pop, now int64) {
	c := b.liteClient(p.Group, string(p.ClientID))
	b.fillLite(c, p, now)
	switch {
	case len(p.Deliveries) > 0:
		b.answer(p, PopFound)
	case p.Until <= now:
		b.answer(p, PopNone)
	case b.waiting >= b.config.WaitersMax || c.waiting.count >= b.config.GroupWaitersMax:
		b.answer(p, PopFull)
	default:
		p.client = c
		c.waiting.push(p)
		b.waiters.add(p)
		b.waiting++
	}
}

// fillLite delivers from the topics that have news. One that still has something afterwards
// comes last next time.
func (b *Broker) fillLite(c *liteClient, p *Pop, now int64) {
	for range len(c.news) {
		if !p.room() {
			return
		}
		t := c.news[0]
		c.news = append(c.news[:0], c.news[1:]...)
		before := len(p.Deliveries)
		b.fill(b.subscribe(c.group, t), p, now)
		if len(p.Deliveries) > before {
			c.news = append(c.news, t)
		}
	}
}

// tell notes that a topic may have something for a client.
func (b *Broker) tell(c *liteClient, t *Topic) {
	if !slices.Contains(c.news, t) {
		c.news = append(c.news, t)
	}
	if !c.stirred && c.waiting.count > 0 {
		c.stirred = true
		b.dirtyClients = append(b.dirtyClients, c)
	}
}

func (b *Broker) stirLite(t *Topic) {
	for _, c := range t.lite.watchers {
		b.tell(c, t)
	}
}

func (b *Broker) serveLite(now int64) {
	for _, c := range b.dirtyClients {
		c.stirred = false
		for p := c.waiting.front; p != nil; p = c.waiting.front {
			if b.fillLite(c, p, now); len(p.Deliveries) == 0 {
				break
			}
			b.answer(p, PopFound)
		}
	}
	clear(b.dirtyClients)
	b.dirtyClients = b.dirtyClients[:0]
}
