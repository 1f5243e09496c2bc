// Package catalog is what an embedded broker keeps about its topics and groups, as a person
// asks for it and is shown it: plain data, the rules for names and attributes, and the
// [Catalog] interface that package server/local implements over the broker and that the
// commands `rocketmq-proxy topic` and `rocketmq-proxy group` call, in the process or through
// its socket (server/local/door).
//
// It stores nothing. Whoever implements Catalog gets its rules from [Topic.Change] and
// [Group.Change], so that a command answers the same whether the proxy runs or not.
package catalog

import (
	"errors"
	"fmt"
)

// Catalog is the topics and groups of one store. Its methods block, may be called from any
// goroutine, and return an [Error] when they fail. What they did is durable when they return.
type Catalog interface {
	// CreateTopic makes a topic, or changes the one of that name; see Topic.Change.
	CreateTopic(c TopicChange) (Outcome, error)
	// Topics are all topics in the order of their names, without their queues.
	Topics() ([]TopicInfo, error)
	// Topic is everything about one topic.
	Topic(name string) (TopicInfo, error)
	// DeleteTopic forgets a topic, its messages, and what groups have consumed of it.
	DeleteTopic(name string) error

	// CreateGroup makes a consumer group, or changes the one of that name; see Group.Change.
	CreateGroup(c GroupChange) (Outcome, error)
	// Groups are all groups in the order of their names, without their queues.
	Groups() ([]GroupInfo, error)
	// Group is everything about one group.
	Group(name string) (GroupInfo, error)
	// Threads asks a client that receives for a group what its threads do, and is what it says.
	Threads(group, clientID string) (string, error)
	// DeleteGroup forgets a group, what it has consumed, and its retry and dead-letter topics.
	DeleteGroup(name string) error
}

// Store is a Catalog that somebody holds until they close it.
type Store interface {
	Catalog
	Close() error
}

// Outcome is what a create did.
type Outcome string

// The outcomes of a create.
const (
	Created   Outcome = "created"
	Changed   Outcome = "changed"
	Unchanged Outcome = "unchanged" // it was there, and as asked for
)

// TopicInfo is a topic and what is in it.
type TopicInfo struct {
	Topic
	Messages int64       `json:"messages"`         // that can be read: the sum of Max-Min of all queues
	Queues   []QueueInfo `json:"queues,omitempty"` // in the order of their ids
}

// QueueInfo is one queue of a topic.
type QueueInfo struct {
	ID       int   `json:"queue"`
	Min      int64 `json:"minOffset"`          // of the oldest message
	Max      int64 `json:"maxOffset"`          // that the next message will have
	StoredMs int64 `json:"storedMs,omitempty"` // when the newest message was stored, ms since 1970; 0: unknown
}

// GroupInfo is a consumer group and where it stands.
type GroupInfo struct {
	Group
	Clients  int          `json:"clients"`           // that are connected; 0 in a stopped proxy
	Lag      int64        `json:"lag"`               // messages not yet delivered, its retry topic's among them
	InFlight int64        `json:"inFlight"`          // delivered and neither acknowledged nor given back
	Queues   []GroupQueue `json:"queues,omitempty"`  // by topic, then by queue
	Members  []Member     `json:"members,omitempty"` // the clients, in the order of their ids
}

// Member is a client that receives for a group.
type Member struct {
	ID      string `json:"clientId"`
	Version string `json:"version"` // language and version, as it says itself
	Pushes  bool   `json:"pushes"`  // a push consumer; else it receives when it likes
}

// GroupQueue is where a group stands in one queue.
type GroupQueue struct {
	Topic    string `json:"topic"`
	ID       int    `json:"queue"`
	Offset   int64  `json:"offset"`    // of the next message to deliver
	Max      int64  `json:"maxOffset"` // that the next message will have
	Lag      int64  `json:"lag"`
	InFlight int64  `json:"inFlight"`
}

// Kind says what went wrong.
type Kind string

// The kinds of Error.
const (
	NotFound    Kind = "notFound"    // no such topic or group
	Invalid     Kind = "invalid"     // the request makes no sense, and never will
	Full        Kind = "full"        // a limit is reached; Message names it
	Unavailable Kind = "unavailable" // not now: the store refuses writes, or is closing
	Internal    Kind = "internal"    // anything else
)

// Error is why a call failed, in a sentence for a person.
type Error struct {
	Kind    Kind   `json:"kind"`
	Message string `json:"message"`
}

// Error is the sentence.
func (e *Error) Error() string { return e.Message }

// Errorf makes an Error.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// NoTopic is the Error for a topic that is not there.
func NoTopic(name string) *Error { return Errorf(NotFound, "there is no topic %s", name) }

// NoGroup is the Error for a group that is not there.
func NoGroup(name string) *Error { return Errorf(NotFound, "there is no group %s", name) }

// AsError is err as an Error; what is none yet is Internal.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return Errorf(Internal, "%v", err)
}
