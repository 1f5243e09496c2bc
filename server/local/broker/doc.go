// Package broker is the embedded broker of Local mode: topics and queues, deliveries and their
// invisible times, delay, transactions, dead letters, lite topics.
//
// It is deterministic. Time is an argument, in milliseconds since 1970 that never go back;
// what was written is read through [Store]; what is to be written goes into a [Batch], which
// the caller commits. It starts no goroutine, reads no clock and touches no disk, so one
// history of calls gives one history of answers, and tests crash it wherever they like.
//
// A turn of the caller is:
//
//	Begin(batch) ─► Send, Pop, Pull, Ack, … , Tick ─► Seal ─► (commit the batch) ─► Committed
//
// What a call answered holds once the batch it wrote to is committed. Messages can be popped
// from Committed on, so nobody sees a message that a crash takes back; a delivery, in contrast,
// is told at once, because one that a crash takes back is only delivered again.
//
// If a commit fails, memory is ahead of the disk: the Broker is thrown away and made again by
// [Open], which reads what there is.
//
// # What is kept where
//
// Messages, delayed messages and half messages live in the store only. In memory are topics,
// groups, the position of each group in each queue, and one entry for each message that is
// out with a consumer (or held back behind one that is): what memory grows with is bounded by
// [Limits]. keys.go lists every key.
package broker
