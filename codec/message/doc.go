// Package message is what RocketMQ stores: records, their properties, batches and ids.
//
// A pop answer is a chain of records end to end; [Reader] walks it and leaves every body where
// it lies, as a position in the chain, so that it can be shared with whoever it goes to.
// Properties are text pairs in one string; [Property] and [PropertyReader] look into it,
// [PropertyWriter] makes one. Everything here is a pure function of bytes: no socket, no
// goroutine, no clock.
//
// Source: the Remoting specification, section 3, written down from Apache RocketMQ 5.5.0.
package message
