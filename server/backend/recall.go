package backend

import "rocketmq-proxy/codec/handle"

// Recall takes a message back that is not due yet. Success does not prove that there was one.
type Recall struct {
	Exchange
	Topic  []byte // borrowed until it comes home
	Text   []byte // the recall handle as it was handed out; borrowed
	Handle handle.Recall

	// reply
	MessageID []byte // owned by the operation
}
