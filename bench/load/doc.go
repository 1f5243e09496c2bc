// Package load is a load generator that speaks gRPC over HTTP/2, or Remoting,
// by hand on plain sockets, so that the machine's time goes to the server and
// not to it.
//
// A connection is one goroutine that reads what there is, walks the frames,
// starts the next requests, and writes once. The protocol only writes requests
// and reads answers; what is asked is a Scenario's matter. The load is either a closed loop (every worker asks again as soon as
// it is answered) or a fixed rate, where a request's latency counts from the
// moment it was due and not from the moment it could be sent: a slow server
// cannot hide its queue (coordinated omission).
//
// Every answer is checked: HTTP status, grpc-status, and the Status code
// inside the message; of Remoting the response code, and that its opaque is that
// of a request. Anything but OK is an error and ends a benchmark.
package load
