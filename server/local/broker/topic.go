package broker

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// TopicSettings is what a topic was made with.
type TopicSettings struct {
	Name        string            `json:"name"`
	Type        string            `json:"type"`        // as the attribute message.type names it; ANY takes every type
	Queues      int               `json:"queues"`      // that are read
	WriteQueues int               `json:"writeQueues"` // the first of them, that are written; 0: all
	Perm        int               `json:"perm"`        // PermRead, PermWrite or both; 0: both
	Attributes  map[string]string `json:"attributes,omitempty"`
}

// What may be done with a topic.
const (
	PermWrite = 2
	PermRead  = 4
)

// whole is the settings with what was left open.
func (s TopicSettings) whole() TopicSettings {
	if s.WriteQueues == 0 {
		s.WriteQueues = s.Queues
	}
	if s.Perm == 0 {
		s.Perm = PermRead | PermWrite
	}
	return s
}

// The topic types that the broker itself must tell from the others.
const (
	typeAny      = "ANY"
	typePriority = "PRIORITY"
)

// QueuesMax is the number of queues that a topic may have: a queue's id takes two bytes.
const QueuesMax = 1 << 10

// Errors about topics and groups.
var (
	ErrExists  = errors.New("broker: it exists already")
	ErrMissing = errors.New("broker: it does not exist")
	ErrTooMany = errors.New("broker: there are as many as there may be")
	ErrDamaged = errors.New("broker: what was known of it is damaged")
	ErrQueues  = fmt.Errorf("broker: a topic has 1 to %d queues, and never fewer than before", QueuesMax)
)

// Topic is one topic.
type Topic struct {
	TopicSettings
	id            uint32
	queues        []*queue
	subscriptions []*subscription // in the order in which groups came
	nextQueue     int             // round robin
	prioritized   bool            // the last queue is read first
	lite          *liteTopic      // of a logical topic behind a lite topic
	gone          bool            // deleted
}

// queue is one queue of a topic: a stretch of offsets.
type queue struct {
	topic   *Topic
	id      int32
	first   int64 // the oldest offset that is kept
	visible int64 // the first offset that cannot be read yet
	end     int64 // the offset of the next append
	touched bool
	pulls   list[*Pull] // that wait
	roused  bool        // in Broker.roused
}

// Queue is how a queue stands.
type Queue struct{ First, End int64 }

// QueueStates lists the queues.
func (t *Topic) QueueStates() []Queue {
	states := make([]Queue, len(t.queues))
	for i, q := range t.queues {
		states[i] = Queue{q.first, q.visible}
	}
	return states
}

// LastStored is when the newest message of each queue was stored, in ms since 1970: 0 where there
// is none, or where it cannot be read. It reads from disk, for a person who asks.
func (b *Broker) LastStored(t *Topic) []int64 {
	stored := make([]int64, len(t.queues))
	for i, q := range t.queues {
		if q.first == q.visible {
			continue
		}
		value, found, err := b.store.Get(b.value[:0], appendMessageKey(b.key[:0], t.id, q.id, q.visible-1))
		b.value = value
		var r record
		if err == nil && found && r.parse(value) == nil {
			stored[i] = r.Stored
		}
	}
	return stored
}

// Lite tells whether the topic is the inside of a lite topic, which is not listed.
func (t *Topic) Lite() bool { return t.lite != nil }

// topicValue is a topic as it is stored.
type topicValue struct {
	TopicSettings
	ID          uint32 `json:"id"`
	Prioritized bool   `json:"prioritized,omitempty"`
	LiteParent  string `json:"liteParent,omitempty"`
	LiteName    string `json:"liteName,omitempty"`
}

// Topic finds a topic, nil when there is none.
func (b *Broker) Topic(name string) *Topic { return b.topics[name] }

// Topics lists the topics, lite ones aside, in the order in which they were made.
func (b *Broker) Topics() []*Topic {
	var listed []*Topic
	for _, t := range b.topicOrder {
		if t.lite == nil {
			listed = append(listed, t)
		}
	}
	return listed
}

// UseTopic finds a topic, or makes it when that is allowed; nil when it is not.
func (b *Broker) UseTopic(name string) *Topic {
	if t := b.topics[name]; t != nil {
		return t
	}
	queues := b.config.QueuesDefault
	switch {
	case strings.HasPrefix(name, deadLetterPrefix), strings.HasPrefix(name, "%RETRY%"):
		queues = 1
	case !b.config.AutoCreateTopics:
		return nil
	}
	t, err := b.CreateTopic(TopicSettings{Name: name, Type: typeAny, Queues: queues})
	if err != nil {
		b.report("topic not made: "+name, err)
	}
	return t
}

// CreateTopic makes a topic.
func (b *Broker) CreateTopic(settings TopicSettings) (*Topic, error) {
	settings = settings.whole()
	switch {
	case b.topics[settings.Name] != nil:
		return nil, ErrExists
	case b.gaps.have(prefixTopic, settings.Name):
		return nil, ErrDamaged
	case len(b.topics)-b.liteTopics >= b.config.TopicsMax:
		return nil, ErrTooMany
	case !settings.sound():
		return nil, ErrQueues
	}
	return b.addTopic(&topicValue{TopicSettings: settings, ID: uint32(b.take(&b.nextID))}), nil
}

func (s *TopicSettings) sound() bool {
	return s.WriteQueues >= 1 && s.WriteQueues <= s.Queues && s.Queues <= QueuesMax
}

// ChangeTopic gives a topic more queues or other attributes.
func (b *Broker) ChangeTopic(settings TopicSettings) error {
	t, settings := b.topics[settings.Name], settings.whole()
	switch {
	case t == nil:
		return ErrMissing
	case settings.Queues < len(t.queues) || !settings.sound():
		return ErrQueues
	}
	t.TopicSettings = settings
	t.prioritized = t.prioritized || settings.Type == typePriority
	t.grow()
	b.saveTopic(t)
	return nil
}

func (b *Broker) addTopic(v *topicValue) *Topic {
	t := newTopic(v)
	if v.LiteParent != "" {
		t.lite = &liteTopic{name: v.LiteName, parent: v.LiteParent}
		b.liteTopics++
	}
	b.topics[t.Name], b.topicByID[t.id] = t, t
	b.topicOrder = append(b.topicOrder, t)
	if b.batch != nil {
		b.saveTopic(t)
	}
	return t
}

func newTopic(v *topicValue) *Topic {
	t := &Topic{TopicSettings: v.TopicSettings, id: v.ID, prioritized: v.Prioritized || v.Type == typePriority}
	t.grow()
	return t
}

// grow makes the queues that the settings ask for and that are not there yet.
func (t *Topic) grow() {
	for i := len(t.queues); i < t.Queues; i++ {
		t.queues = append(t.queues, &queue{topic: t, id: int32(i)})
	}
	for _, s := range t.subscriptions {
		for len(s.next) < len(t.queues) {
			s.next = append(s.next, unread)
		}
	}
}

func (b *Broker) saveTopic(t *Topic) {
	v := topicValue{TopicSettings: t.TopicSettings, ID: t.id, Prioritized: t.prioritized}
	if t.lite != nil {
		v.LiteParent, v.LiteName = t.lite.parent, t.lite.name
	}
	b.putJSON(prefixTopic, t.Name, &v)
}

func (b *Broker) putJSON(prefix byte, name string, v any) {
	value, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain structs of ours
	}
	b.put(appendNameKey(b.key[:0], prefix, name), value)
}

// DeleteTopic removes a topic with its messages, its lite topics, and what groups know of it.
func (b *Broker) DeleteTopic(name string) error {
	t := b.topics[name]
	if t == nil {
		return ErrMissing
	}
	b.removeTopic(t)
	for _, child := range b.topicOrder {
		if child.lite != nil && child.lite.parent == name {
			b.removeTopic(child)
		}
	}
	b.forgetGone()
	return nil
}

// forgetGone takes removed topics out of the order of topics.
func (b *Broker) forgetGone() {
	b.topicOrder = slices.DeleteFunc(b.topicOrder, func(t *Topic) bool { return t.gone })
}

// removeTopic removes a topic, except from the order of topics.
func (b *Broker) removeTopic(t *Topic) {
	for _, s := range slices.Clone(t.subscriptions) {
		b.endSubscription(s)
		for _, prefix := range []byte{prefixPosition, prefixEntry} {
			from := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte{prefix}, s.group.id), t.id)
			b.batch.DeleteRange(from, after(from))
		}
	}
	for _, prefix := range []byte{prefixMessage, prefixQueue, prefixIndex} {
		from := binary.BigEndian.AppendUint32([]byte{prefix}, t.id)
		b.batch.DeleteRange(from, after(from))
	}
	b.batch.Delete(appendNameKey(b.key[:0], prefixTopic, t.Name))
	b.forgetAppends(t)
	for _, q := range t.queues {
		b.endPulls(q)
	}
	t.gone = true
	delete(b.topics, t.Name)
	delete(b.topicByID, t.id)
	if t.lite != nil {
		b.liteTopics--
	}
}

// forgetAppends takes a topic's queues out of what the next commits make visible.
func (b *Broker) forgetAppends(t *Topic) {
	b.touched = slices.DeleteFunc(b.touched, func(q *queue) bool { return q.topic == t })
	b.sealed = slices.DeleteFunc(b.sealed, func(v visibleQueue) bool { return v.queue.topic == t })
}

func (b *Broker) loadTopics() error {
	err := b.load(prefixTopic, "topic", func(key, value []byte) error {
		var v topicValue
		if err := json.Unmarshal(value, &v); err != nil {
			return fmt.Errorf("broker: topic %q: %w", key[1:], err)
		}
		if v.TopicSettings = v.whole(); !v.sound() || v.Name != string(key[1:]) || b.topicByID[v.ID] != nil {
			return fmt.Errorf("broker: topic %q makes no sense: %s", key[1:], value)
		}
		b.addTopic(&v)
		return nil
	}, func(g gap) { b.gaps = append(b.gaps, g) })
	slices.SortFunc(b.topicOrder, func(x, y *Topic) int { return cmp.Compare(x.id, y.id) })
	return err
}

func (b *Broker) loadQueues() error {
	for _, t := range b.topicOrder {
		for _, q := range t.queues {
			if err := b.loadQueue(q); err != nil {
				return err
			}
		}
	}
	return nil
}

// loadQueue finds the ends of a queue: at its first and last message, or, when retention has
// taken all, where it was noted. It never ends before a position: what comes next would not be
// read.
func (b *Broker) loadQueue(q *queue) error {
	value, found, err := b.store.Get(b.value[:0], appendQueueKey(nil, prefixQueue, q.topic.id, q.id))
	switch {
	case err != nil && !isDamage(err):
		return err
	case err != nil:
		b.report("the ends of a queue are damaged: it begins with what is there", err)
	case found && len(value) == 16:
		q.first, q.end = int64(binary.BigEndian.Uint64(value)), int64(binary.BigEndian.Uint64(value[8:]))
	}
	from := appendQueueKey(nil, prefixMessage, q.topic.id, q.id)
	key, err := b.lastKey(from, after(from))
	if err != nil {
		return err
	}
	if len(key) == messageKeyBytes {
		q.end = max(q.end, offsetOfMessageKey(key)+1)
	}
	for _, s := range q.topic.subscriptions {
		q.end = max(q.end, s.next[q.id])
	}
	q.visible = q.end
	return nil
}
