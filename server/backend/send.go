package backend

import "rocketmq-proxy/pool"

// Message is one message to be stored.
type Message struct {
	BodyOffset, BodyLen int    // where the body lies in Send.Payload, in bytes
	Properties          []byte // encoded as they are stored
	SysFlag             int32
	BornTimestamp       int64 // ms since 1970
	ReconsumeTimes      int32
	MaxReconsumeTimes   int32 // 0: absent
}

// Send stores the messages of one request in one queue.
type Send struct {
	Exchange
	Topic    *Topic
	Shard    []byte // pins the queue when it is not empty: a message group or lite topic
	Messages []Message
	Payload  pool.Chain // the bodies, shared with nobody who writes

	// reply
	Stored        StoreStatus
	Offset        int64  // queue offset of the first message
	TransactionID []byte // owned by the operation; its memory is reused
	RecallHandle  []byte // the same; empty when there is none

	// Carrier is the backend's own memory for the way there and back. It stays with the
	// operation from one use to the next, so that it is as warm as the operation is.
	Carrier any
}

// StoreStatus says how safe a stored message is.
type StoreStatus uint8

// The store statuses.
const (
	StoreOK StoreStatus = iota
	StoreFlushDiskTimeout
	StoreFlushReplicaTimeout
	StoreReplicaNotAvailable
)

// Reset makes op ready for another use; the payload is released. What is kept is not copied
// out and in again: that took longer than all the rest.
func (op *Send) Reset() {
	op.Payload.Release()
	clear(op.Messages)
	op.Exchange, op.Topic, op.Shard = Exchange{}, nil, nil
	op.Stored, op.Offset = StoreOK, 0
	op.Messages, op.TransactionID, op.RecallHandle = op.Messages[:0], op.TransactionID[:0], op.RecallHandle[:0]
}
