package catalog

import (
	"maps"
	"slices"
	"strings"
)

// Topic is the settings of a topic.
type Topic struct {
	Name        string            `json:"name"`
	Type        string            `json:"type"` // a word of MessageTypes
	ReadQueues  int               `json:"readQueues"`
	WriteQueues int               `json:"writeQueues"`
	Perm        int               `json:"perm"`                 // Readable, Writable or both
	Attributes  map[string]string `json:"attributes,omitempty"` // all but message.type; nil when there are none
}

// The permissions of a topic, as RocketMQ has them.
const (
	Writable = 2
	Readable = 4
)

// TypeAny is the type of a topic that takes messages of every type: what topics made on first
// use have, and those made without a type.
const TypeAny = "ANY"

// MessageTypes are what message.type can be.
var MessageTypes = []string{"NORMAL", "FIFO", "DELAY", "TRANSACTION", "PRIORITY", "LITE", "MIXED", TypeAny}

// QueuesMax is the most queues that a topic can have: as many as any store has been tried with.
const QueuesMax = 1024

// TopicChange is what is asked of a topic. A zero field asks for nothing: a topic that is there
// keeps what it has, a new one gets the default.
type TopicChange struct {
	Name        string `json:"name"`
	ReadQueues  int    `json:"readQueues,omitempty"`
	WriteQueues int    `json:"writeQueues,omitempty"`
	Perm        int    `json:"perm,omitempty"`
	// Attributes are changes as mqadmin's -a has them: "+message.type=FIFO,-lite.topic.expiration".
	Attributes string `json:"attributes,omitempty"`
}

// DefaultTopic is a new topic before anything is asked of it.
func DefaultTopic(name string, queues int) Topic {
	return Topic{Name: name, Type: TypeAny, ReadQueues: queues, WriteQueues: queues, Perm: Readable | Writable}
}

// Change is t as c asks for, with what that makes of it: Changed or Unchanged. t is left alone;
// the error is an [Error] of kind Invalid. A new topic is a change of [DefaultTopic].
func (t Topic) Change(c TopicChange) (Topic, Outcome, error) {
	if err := CheckTopicName(c.Name); err != nil {
		return t, "", err
	}
	changed := t
	set(&changed.ReadQueues, c.ReadQueues)
	set(&changed.WriteQueues, c.WriteQueues)
	set(&changed.Perm, c.Perm)
	if c.ReadQueues == 0 && changed.ReadQueues < changed.WriteQueues {
		changed.ReadQueues = changed.WriteQueues // who asks for queues to write means to read them
	}
	if c.WriteQueues == 0 && changed.WriteQueues > changed.ReadQueues {
		changed.WriteQueues = changed.ReadQueues
	}
	attributes, err := alter(changed.Attributes, c.Attributes, topicAttributes)
	if err != nil {
		return t, "", err
	}
	if word, asked := attributes[attributeMessageType]; asked {
		changed.Type = word
		delete(attributes, attributeMessageType)
	} else if removes(c.Attributes, attributeMessageType) {
		changed.Type = TypeAny
	}
	changed.Attributes = orNil(attributes)
	if err := changed.check(&t); err != nil {
		return t, "", err
	}
	if changed.equal(&t) {
		return t, Unchanged, nil
	}
	return changed, Changed, nil
}

func set(field *int, asked int) {
	if asked != 0 {
		*field = asked
	}
}

func (t *Topic) check(before *Topic) error {
	switch {
	case t.ReadQueues < 1 || t.ReadQueues > QueuesMax || t.WriteQueues < 1 || t.WriteQueues > QueuesMax:
		return Errorf(Invalid, "a topic has 1 to %d queues to read and as many or fewer to write, not %d and %d", QueuesMax, t.ReadQueues, t.WriteQueues)
	case t.ReadQueues < t.WriteQueues:
		return Errorf(Invalid, "%d queues to read are fewer than %d to write: what is sent to the others would never be received", t.ReadQueues, t.WriteQueues)
	case t.Perm&^(Readable|Writable) != 0 || t.Perm == 0:
		return Errorf(Invalid, "the permission is %d, expected 2 (write), 4 (read) or 6 (both)", t.Perm)
	case (t.Type == "LITE") != (before.Type == "LITE") && before.Type != TypeAny:
		return Errorf(Invalid, "topic %s is of type %s and cannot become %s: lite topics keep their messages in another way; delete it and create it anew", t.Name, before.Type, t.Type)
	}
	return nil
}

func (t *Topic) equal(o *Topic) bool {
	return t.Name == o.Name && t.Type == o.Type && t.ReadQueues == o.ReadQueues && t.WriteQueues == o.WriteQueues &&
		t.Perm == o.Perm && maps.Equal(t.Attributes, o.Attributes)
}

func orNil(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
}

// topicCharsMax is the length of a topic's name, in characters.
const topicCharsMax = 127

// Prefixes of topics that belong to a group, which makes them by itself.
const (
	RetryPrefix      = "%RETRY%"
	DeadLetterPrefix = "%DLQ%"
)

// systemTopics are names that RocketMQ keeps for itself; clients may not use them either.
var systemTopics = []string{
	"TBW102", "SCHEDULE_TOPIC_XXXX", "BenchmarkTest", "RMQ_SYS_TRANS_HALF_TOPIC", "RMQ_SYS_TRACE_TOPIC",
	"RMQ_SYS_TRANS_OP_HALF_TOPIC", "TRANS_CHECK_MAX_TIME_TOPIC", "SELF_TEST_TOPIC", "OFFSET_MOVED_EVENT",
	"CHECKPOINT_TOPIC", "RMQ_SYS_ROCKSDB_TRANS_HALF_TOPIC", "RMQ_SYS_ROCKSDB_TRANS_OP_HALF_TOPIC",
}

// CheckTopicName tells whether a person may make a topic of that name.
func CheckTopicName(name string) error {
	if err := checkName("topic", name, topicCharsMax); err != nil {
		return err
	}
	switch {
	case slices.Contains(systemTopics, name) || strings.HasPrefix(name, "rmq_sys_"):
		return Errorf(Invalid, "RocketMQ keeps the name %s for itself: choose another", name)
	case strings.HasPrefix(name, RetryPrefix) || strings.HasPrefix(name, DeadLetterPrefix):
		return Errorf(Invalid, "%s belongs to a consumer group, which makes it by itself: choose another name", name)
	}
	return nil
}

func checkName(what, name string, charsMax int) error {
	switch {
	case name == "":
		return Errorf(Invalid, "the name of the %s is missing", what)
	case len(name) > charsMax: // all allowed characters are one byte
		return Errorf(Invalid, "the name of the %s has %d characters, at most %d are allowed", what, len(name), charsMax)
	}
	for _, r := range name {
		if !strings.ContainsRune("%|abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", r) {
			return Errorf(Invalid, "the name %q of the %s has the character %q: only letters, digits, _, -, %% and | are allowed", name, what, r)
		}
	}
	return nil
}
