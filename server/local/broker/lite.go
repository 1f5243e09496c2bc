package broker

import (
	"cmp"
	"errors"
	"slices"
)

// A lite topic is a queue of its own, made on the first use of its name under a parent topic.
// It is kept as a topic that is not listed. A group consumes each lite topic in order, one
// batch at a time; a client is given those that it subscribes to.

// liteTopic is what a logical topic has beside a topic.
type liteTopic struct{ name, parent string }

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
		TopicSettings: TopicSettings{Name: full, Type: typeLite, Queues: 1}.whole(), ID: uint32(b.take(&b.nextID)),
		LiteParent: parent.Name, LiteName: name,
	}), nil
}

const typeLite = "LITE"

// liteKey names a client of a group.
type liteKey struct{ group, client string }

// liteClient is a client and the lite topics that it subscribes to.
type liteClient struct {
	key   liteKey
	group *Group
	subs  map[*subscription]bool // the value tells whether it is in news
	news  []*subscription        // those that may have something, the oldest news first
	room  waitingRoom

	attempt uint64          // of the last pop that got something
	tried   []*subscription // where that came from
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
	if parent.gone || g.gone {
		return ErrMissing
	}
	c := b.liteClient(g, client)
	defer b.forgetIdle(c)
	for _, name := range names {
		known := b.topics[liteName(parent.Name, name)]
		if known != nil && c.watches(g.subscriptions[known]) {
			continue
		}
		if len(c.subs) >= quota {
			return ErrQuota
		}
		t, err := b.UseLiteTopic(parent, name)
		if err != nil {
			return err
		}
		s := b.subscribe(g, t)
		c.subs[s] = false
		s.watchers = append(s.watchers, c)
		b.startAt(s, start)
		b.tell(c, s)
	}
	return nil
}

func (c *liteClient) watches(s *subscription) bool {
	_, is := c.subs[s]
	return is
}

// startAt moves a group to where a client wants it to begin, if it is not there. What it has
// got before and not consumed counts no more.
func (b *Broker) startAt(s *subscription, start Start) {
	q := s.topic.queues[0]
	next := int64(0)
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
	next = min(max(next, q.first), q.visible)
	if next == s.next[q.id] {
		return
	}
	for _, e := range s.inOrder() {
		b.drop(e)
	}
	b.advance(s, q.id, next)
	b.stir(s)
}

// Unsubscribe takes lite topics from those of a client.
func (b *Broker) Unsubscribe(g *Group, client string, parent *Topic, names []string) {
	c := b.liteClients[liteKey{g.Name, client}]
	if c == nil {
		return
	}
	for _, name := range names {
		if t := b.topics[liteName(parent.Name, name)]; t != nil {
			c.unwatch(g.subscriptions[t])
		}
	}
	b.forgetIdle(c)
}

// UnsubscribeOthers takes all but the named lite topics from those of a client.
func (b *Broker) UnsubscribeOthers(g *Group, client string, keep []string) {
	c := b.liteClients[liteKey{g.Name, client}]
	if c == nil {
		return
	}
	kept := make(map[string]struct{}, len(keep))
	for _, name := range keep {
		kept[name] = struct{}{}
	}
	for s := range c.subs {
		if _, is := kept[s.topic.lite.name]; !is {
			c.unwatch(s)
		}
	}
	b.forgetIdle(c)
}

func (c *liteClient) unwatch(s *subscription) {
	if !c.watches(s) {
		return
	}
	isThat := func(other *subscription) bool { return other == s }
	delete(c.subs, s)
	c.news = slices.DeleteFunc(c.news, isThat)
	c.tried = slices.DeleteFunc(c.tried, isThat)
	s.watchers = slices.DeleteFunc(s.watchers, func(other *liteClient) bool { return other == c })
}

// liteClient finds a client, or makes it.
func (b *Broker) liteClient(g *Group, client string) *liteClient {
	key := liteKey{g.Name, client}
	c := b.liteClients[key]
	if c == nil {
		c = &liteClient{key: key, group: g, subs: map[*subscription]bool{}}
		c.room.client = c
		b.liteClients[key] = c
	}
	return c
}

// forgetIdle forgets a client that neither subscribes nor waits.
func (b *Broker) forgetIdle(c *liteClient) {
	if len(c.subs) == 0 && c.room.waiting.count == 0 && b.liteClients[c.key] == c {
		delete(b.liteClients, c.key)
	}
}

// endLiteClients forgets the clients of a group that is deleted.
func (b *Broker) endLiteClients(g *Group) {
	var clients []*liteClient
	for key, c := range b.liteClients {
		if key.group == g.Name {
			clients = append(clients, c)
		}
	}
	slices.SortFunc(clients, func(x, y *liteClient) int { return cmp.Compare(x.key.client, y.key.client) })
	for _, c := range clients {
		for s := range c.subs {
			c.unwatch(s)
		}
		for p := c.room.waiting.front; p != nil; p = c.room.waiting.front {
			b.answer(p, PopNone)
		}
		b.forgetIdle(c)
	}
}

// fillLite delivers from the topics of a client that have news. One that may have more
// afterwards comes last next time.
func (b *Broker) fillLite(c *liteClient, p *Pop, now int64) {
	if p.attempt != 0 && p.attempt == c.attempt {
		for _, s := range c.tried {
			b.popAgain(s, p, now)
		}
		if len(p.Deliveries) > 0 {
			return
		}
	}
	c.attempt, c.tried = p.attempt, c.tried[:0]
	looked, news := 0, len(c.news)
	for ; looked < news && p.room(); looked++ {
		s := c.news[looked]
		before := len(p.Deliveries)
		b.fillFrom(s, p, now)
		if len(p.Deliveries) > before && p.attempt != 0 {
			c.tried = append(c.tried, s)
		}
		if c.subs[s] = len(p.Deliveries) > before || !p.room() || b.inflight >= b.config.InflightMax; c.subs[s] {
			c.news = append(c.news, s)
		}
	}
	c.news = slices.Delete(c.news, 0, looked)
}

// tell notes that a topic may have something for a client.
func (b *Broker) tell(c *liteClient, s *subscription) {
	if !c.subs[s] {
		c.subs[s] = true
		c.news = append(c.news, s)
	}
	b.wake(&c.room)
}

// idle tells whether nobody would miss a lite topic.
func (t *Topic) idle() bool {
	if t.queues[0].first < t.queues[0].end {
		return false
	}
	return !slices.ContainsFunc(t.subscriptions, func(s *subscription) bool { return len(s.watchers)+len(s.entries) > 0 })
}

// dropIdleLiteTopics removes the lite topics that retention has found idle.
func (b *Broker) dropIdleLiteTopics() {
	if len(b.idleLite) == 0 {
		return
	}
	for _, t := range b.idleLite {
		b.removeTopic(t)
	}
	clear(b.idleLite)
	b.idleLite = b.idleLite[:0]
	b.forgetGone()
}
