// Package pool answers one question: who owns these bytes?
//
// A [Buffer] is one reference-counted block of memory. A [Chain] is an ordered list of
// views into such blocks: what a socket delivered, what a machine wants to send, the body
// of a message on its way through. Bytes are moved by moving views, never by copying.
//
// Three verbs say what happens to bytes that cross a call, here and in every package above:
//
//   - borrow: valid during the call only.
//   - take: the callee owns them now and releases them.
//   - share: both sides hold a reference and each releases its own.
//
// A posted or shared view is never written again. Package pool is the only home of Retain
// and Release; it knows no protocol, no socket and no clock.
//
// Built with -tags invariants, a released block is overwritten before it is reused and
// [Live] counts the blocks that are out, so that a use after release and a leak both show
// in tests.
package pool
