package backend

import (
	"time"

	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
)

// Queue names one queue of a topic. The id is the broker's own.
type Queue struct {
	Topic  *Topic
	Broker []byte // borrowed until the operation comes home
	ID     int32
}

// Pull reads up to MessagesMax messages of a queue from an offset on. Nothing is lent: who pulls
// keeps the offset, and every group, and every reader of a group, is given the same messages.
type Pull struct {
	Exchange
	Queue
	Group       []byte // this and Expression are borrowed until it comes home
	Offset      int64
	MessagesMax int
	Expression  []byte        // the filter; "*" is everything
	SQL         bool          // Expression is SQL92, else tags
	Poll        time.Duration // how long to wait for a first message

	// reply
	Outcome  PullOutcome
	Next     int64            // where to pull next; not told by PullFull
	Body     pool.Chain       // the records as stored
	Messages []message.Record // their views borrow Body

	// Carrier is the backend's own memory, as with Send.
	Carrier any
}

// PullOutcome is how a pull without a fault ended.
type PullOutcome uint8

// The outcomes of a pull.
const (
	PullFound   PullOutcome = iota
	PullNone                // nothing came before the poll time ended
	PullOutside             // the queue does not reach to the offset, or no longer
	PullFull                // too many others wait already
)

// NextMessage appends a record for the backend to fill; its memory is that of an earlier use.
func (op *Pull) NextMessage() *message.Record {
	if n := len(op.Messages); n < cap(op.Messages) {
		op.Messages = op.Messages[:n+1]
	} else {
		op.Messages = append(op.Messages, message.Record{})
	}
	return &op.Messages[len(op.Messages)-1]
}

// Reset makes op ready for another use; the records are released.
func (op *Pull) Reset() {
	op.Body.Release()
	*op = Pull{Body: op.Body, Messages: op.Messages[:0], Carrier: op.Carrier}
}
