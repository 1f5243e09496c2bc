package backend

import (
	"strings"

	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
)

// Clients is what a backend may ask of the clients behind the proxy. Its methods may be called
// from any turn and do not block.
type Clients interface {
	// CheckTransaction asks one producer of the topic; its answer comes as an EndTransaction.
	// It takes check, and tells whether there was a producer to ask.
	CheckTransaction(check *TransactionCheck) bool
	// Published lists the topics that producers said they publish to: whoever asks for the end
	// of transactions wants to know whom it may ask.
	Published() []string
	// Unsubscribed tells a client that its group no longer has a lite topic.
	Unsubscribed(clientID, group, liteTopic string)
	// Consumers lists the consumers of a group that are connected, in no order.
	Consumers(group string) []Consumer
	// RunningInfo tells what a consumer is doing. It comes home once.
	RunningInfo(op *RunningInfo)
	// ConsumeDirectly has one consumer work on a message that was not delivered to it. It comes
	// home once, and takes op.Body.
	ConsumeDirectly(op *ConsumeDirectly)
}

// Consumer is a client that receives for a group.
type Consumer struct {
	ID      string
	Version string // as it says itself
	Pushes  bool   // a push consumer; else it receives when it likes
}

// RunningInfo is an operator's question about one consumer.
type RunningInfo struct {
	Exchange
	Group, ClientID string
	Stack           bool // also ask the client what its threads do

	// reply
	Version       string // of the client, as it says itself
	Pushes        bool   // a push consumer; else it receives when it likes
	Orderly       bool
	Subscriptions []Subscription
	Threads       string // what its threads do, as the client puts it
}

// Subscription is what a consumer wants of a topic.
type Subscription struct {
	Topic, Expression string
	SQL               bool // Expression is SQL92, else tags
}

// Tags lists the tags of the expression; none for everything, and for SQL92.
func (s *Subscription) Tags() (tags []string) {
	if s.SQL || s.Expression == "*" {
		return nil
	}
	for tag := range strings.SplitSeq(s.Expression, "||") {
		if tag = strings.TrimSpace(tag); tag != "" {
			tags = append(tags, tag)
		}
	}
	return tags
}

// ConsumeDirectly is an operator's wish that one consumer works on one message, whatever became
// of it before.
type ConsumeDirectly struct {
	Exchange
	Group, ClientID string
	Record          message.Record // its views borrow Body
	Body            pool.Chain

	// reply
	Outcome Consumed
	Remark  string // what the client says about it
}

// Consumed is what became of a message that was consumed directly.
type Consumed uint8

// The outcomes.
const (
	ConsumedWell      Consumed = iota
	ConsumedLater              // the listener failed
	ConsumedCorrupted          // the message could not be read
	ConsumedFailed             // anything else
)
