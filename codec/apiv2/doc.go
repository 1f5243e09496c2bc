// Package apiv2 says what the bytes of apache.rocketmq.v2 mean.
//
// It has two halves. The generated types (definition.pb.go, service.pb.go, from proto/) serve
// the cold messages: routes, settings, telemetry. The hot messages have hand-written twins
// that allocate nothing: a view for each request ([SendView], [ReceiveView], [PullView],
// [AckView], [ChangeInvisibleView]) and an appending encoder for each response ([AppendSendMessageResponse]
// and its siblings). A message body is never touched: a view knows it as a [Span] of the chain
// it came in, and [AppendDeliveredHead] ends exactly where the body's own bytes follow.
//
// Everything here is a pure function of bytes. A view belongs to whoever called Parse, is not
// safe for concurrent use, and borrows from the chain: it is stale once the chain is consumed
// or released.
//
// Where the views differ from a generated parser, on purpose:
//
//   - Fields the proxy ignores (body_digest, store_host, ...) are skipped without looking
//     inside, so a fault within them goes unnoticed.
//   - Groups nest at most 100 deep, as in protobuf's Java runtime; Go's allows 10,000.
//   - [Limits] bound how many elements a request may have.
//   - A user property key that occurs twice stays twice, in wire order; the last one counts.
package apiv2

//go:generate ./generate.sh
