// Package command is the RemotingCommand: the frames that brokers, name servers and 4.x
// clients exchange.
//
// A frame is a prefix of eight bytes, a head and a body. The head comes in two encodings,
// JSON and ROCKETMQ (binary); both hold a code, an opaque that joins an answer to its request,
// and the ext fields, which are text on the wire whatever they mean. Everything here is a pure
// function of bytes: no socket, no goroutine, no clock.
//
//   - [SplitFrame] and [ParseHead] read. What they return borrows the bytes they were given.
//   - The Append functions write a frame without its body: they append prefix and head to a
//     slice, the length in the prefix already counts the body, and the caller chains the body
//     behind it, shared and never copied.
//   - One file per request family holds the request, its encoder and the parser of its answer.
//
// Source: the Remoting specification, sections 1, 2 and 4.1 to 4.3, written down from Apache
// RocketMQ 5.5.0 and checked on the wire.
package command
