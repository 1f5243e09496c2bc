package backend

import (
	"time"

	"rocketmq-proxy/codec/handle"
)

// Delivery names one delivery of a message to a group. Its views are borrowed until the
// operation comes home.
type Delivery struct {
	Group, Topic []byte
	LiteTopic    []byte // empty: none
	HandleText   []byte // as it was handed out
	Handle       handle.Handle
}

// Ack ends a delivery: the message was consumed. Known tells whether the broker still knew of
// it; a delivery it does not know is no fault.
type Ack struct {
	Exchange
	Delivery

	// reply
	Known bool

	Carrier any // as with Send
}

// ChangeInvisible makes a delivered message visible again Invisible from now.
type ChangeInvisible struct {
	Exchange
	Delivery
	Invisible time.Duration
	Suspend   bool // the coming delivery does not count as another attempt

	// reply
	Known bool
	// NewHandle takes the place of the old one; it is owned by the operation and its memory
	// is reused.
	NewHandle []byte

	Carrier any // as with Send
}

// DeadLetter moves a delivered message to the dead letters of its group.
type DeadLetter struct {
	Exchange
	Delivery
	MessageID []byte
}

// Reset makes op ready for another use.
func (op *Ack) Reset() { *op = Ack{Carrier: op.Carrier} }

// Reset makes op ready for another use.
func (op *ChangeInvisible) Reset() {
	*op = ChangeInvisible{NewHandle: op.NewHandle[:0], Carrier: op.Carrier}
}

// Reset makes op ready for another use.
func (op *DeadLetter) Reset() { *op = DeadLetter{} }
