// Package backend is the contract between the gRPC methods and whatever stores the messages:
// remote brokers (server/cluster) or an embedded one (server/local). It speaks neither
// protocol: a request says what is wanted in RocketMQ's own nouns, a [Fault] says what went
// wrong, and each side has one table that translates.
//
// An operation is one struct with its request, its reply and an [Exchange]. It is made, and
// usually pooled, by a method, belongs to the backend from the call until the exchange comes
// home, and is the method's again then:
//
//	client turn ──Send(op)──► backend ──op.Reply──► client turn: op.Then.OnTurn
package backend

import (
	"time"

	"rocketmq-proxy/server/turn"
)

// Backend is what methods call, on the client's turn. No call blocks; every operation comes
// home exactly once, at the latest a moment after its deadline.
type Backend interface {
	// Topic borrows what is known of a topic, nil when that must be fetched first. A topic
	// that is known not to exist is returned with Exists false. Old knowledge is returned
	// and renewed behind the scenes.
	Topic(name []byte, now time.Time) *Topic
	// FetchTopic learns of a topic.
	FetchTopic(op *FetchTopic, now time.Time)
	// Group borrows what is known of a consumer group, nil when it must be fetched first.
	Group(name []byte, now time.Time) *Group
	// FetchGroup learns of a consumer group.
	FetchGroup(op *FetchGroup, now time.Time)

	// Send stores messages.
	Send(op *Send, now time.Time)
	// Pop takes messages for a while, waiting for the first if there is none.
	Pop(op *Pop, now time.Time)
	// Ack ends a delivery: the message was consumed.
	Ack(op *Ack, now time.Time)
	// ChangeInvisible moves the time at which a delivery is undone.
	ChangeInvisible(op *ChangeInvisible, now time.Time)
	// DeadLetter moves a message to its group's dead letters.
	DeadLetter(op *DeadLetter, now time.Time)

	// Pull reads a queue from an offset on, waiting for a first message if there is none.
	Pull(op *Pull, now time.Time)
	// UpdateOffset notes how far a group has consumed a queue.
	UpdateOffset(op *UpdateOffset, now time.Time)
	// GetOffset tells how far a group has consumed a queue.
	GetOffset(op *GetOffset, now time.Time)
	// QueryOffset tells where a queue begins, ends, or was at some time.
	QueryOffset(op *QueryOffset, now time.Time)

	// EndTransaction delivers or forgets a half message.
	EndTransaction(op *EndTransaction, now time.Time)
	// Recall takes a delayed message back.
	Recall(op *Recall, now time.Time)
	// SyncLite changes which lite topics a client subscribes to.
	SyncLite(op *SyncLite, now time.Time)

	// Attach names the clients that may be asked things. It is called once, before any
	// operation.
	Attach(c Clients)
}

// Exchange is one operation in flight, from the method that began it to its reply.
type Exchange struct {
	// the client turn's, always
	Home *turn.Turn // where the reply goes
	Then turn.Event // what runs there when the operation has come home

	// of whoever was posted it last
	Deadline time.Time
	Fault    Fault // how it ended
}

// Reply sends the exchange home from another turn.
func (x *Exchange) Reply(from *turn.Turn) { from.Forward(x.Home, x.Then) }

// End sends the exchange home from outside any turn that could forward it; the zero Fault is
// success.
func (x *Exchange) End(f Fault) {
	x.Fault = f
	x.Home.Post(x.Then)
}

// Kind says what went wrong in words of neither protocol.
type Kind uint8

// The kinds of Fault. The table in server/messaging/status.go gives each its Code.
const (
	None                Kind = iota // nothing went wrong
	Internal                        // anything without a kind of its own
	Timeout                         // no answer before the deadline
	Busy                            // the broker, or we, take no more for now
	TopicNotFound                   //
	GroupNotFound                   //
	NoWritableQueue                 // the topic has no queue that may be written
	NoReadableQueue                 // the topic has no queue that may be read
	BadBroker                       // a broker was named that does not exist, but by a receipt handle
	BadQueue                        // a queue that the topic does not have
	BadOffset                       // an offset that the queue cannot have
	BadHandle                       // a receipt handle that cannot be used
	BadFilter                       // a filter expression that makes no sense
	NotSupported                    // the broker does not know the request
	LiteTopicQuota                  //
	SubscriptionQuota               // of lite topics
	OffsetNotFound                  // the group has none in the queue
	TransactionNotFound             // never sent, ended already, or too long ago
	DiskFull                        // nothing is stored until there is room again
	kinds
)

// Kinds is how many kinds there are, for tables that must list them all.
const Kinds = int(kinds)

// Fault is how an operation failed. The zero Fault is success.
type Fault struct {
	Kind Kind
	Text string // for people; the client sees it
}

// OK tells that nothing went wrong.
func (f Fault) OK() bool { return f.Kind == None }
