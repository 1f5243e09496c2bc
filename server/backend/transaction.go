package backend

import (
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
)

// Verdict is what a producer says became of its half message.
type Verdict uint8

// The verdicts.
const (
	Undecided Verdict = iota // not known yet: ask again later
	Commit                   // the message is to be delivered
	Rollback                 // the message is to be forgotten
)

// EndTransaction tells what became of a half message that Send stored. A transaction that is
// not known, or no longer, is a Fault of kind TransactionNotFound.
type EndTransaction struct {
	Exchange
	Topic         []byte // this and the following views are borrowed until it comes home
	MessageID     []byte
	TransactionID []byte // as Send.TransactionID told it
	Verdict       Verdict
	FromCheck     bool // the answer to a TransactionCheck, not the producer's own move
}

// TransactionCheck is the question what became of a half message. It is owned by whoever was
// handed it, who releases it.
type TransactionCheck struct {
	Topic         string // whose producers are asked
	TransactionID string
	Record        message.Record // under its own topic, not the half messages'; its views borrow Body
	Body          pool.Chain
}

// Release gives the record's memory back.
func (c *TransactionCheck) Release() { c.Body.Release() }
