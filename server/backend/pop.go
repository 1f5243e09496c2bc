package backend

import (
	"time"

	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
)

// Pop takes up to MessagesMax messages of a topic for a group: each is invisible to others
// until it is acknowledged or Invisible has passed.
type Pop struct {
	Exchange
	Topic       *Topic
	Group       []byte // this and the following views are borrowed until it comes home
	Broker      []byte // which broker to ask; empty: any
	AttemptID   []byte // a FIFO receive that is tried again says so
	Expression  []byte // the filter; "*" is everything
	SQL         bool   // Expression is SQL92, else tags
	FIFO        bool
	Lite        bool   // of the lite topics that ClientID subscribes to; Topic is their parent
	ClientID    []byte // who receives; borrowed until it comes home
	MessagesMax int
	Invisible   time.Duration
	Poll        time.Duration // how long to wait for a first message

	// reply
	Outcome  PopOutcome
	Body     pool.Chain // the records as stored
	Messages []Popped
	Handles  []byte // the receipt handles of Messages, end to end

	Carrier any // as with Send
}

// PopOutcome is how a pop without a fault ended.
type PopOutcome uint8

// The outcomes of a pop.
const (
	PopFound PopOutcome = iota
	PopNone             // nothing came before the poll time ended
	PopFull             // too many others wait already
)

// Popped is one delivery. Its views borrow Pop.Body.
type Popped struct {
	message.Record
	HandleFrom, HandleTo int // its receipt handle in Pop.Handles
}

// NextMessage appends a message for the backend to fill; its memory is that of an earlier use.
func (op *Pop) NextMessage() *Popped {
	if n := len(op.Messages); n < cap(op.Messages) {
		op.Messages = op.Messages[:n+1]
	} else {
		op.Messages = append(op.Messages, Popped{})
	}
	return &op.Messages[len(op.Messages)-1]
}

// Handle borrows the receipt handle of m.
func (op *Pop) Handle(m *Popped) []byte { return op.Handles[m.HandleFrom:m.HandleTo] }

// Reset makes op ready for another use; the records are released.
func (op *Pop) Reset() {
	op.Body.Release()
	*op = Pop{Body: op.Body, Messages: op.Messages[:0], Handles: op.Handles[:0], Carrier: op.Carrier}
}
