// Package floods attacks a gRPC server as the known HTTP/2 floods do, and tells what came of it. It
// knows its victim by an address and one call, so that the same attacks meet this proxy and others.
//
// An [Attack] is data: how it begins, and the piece that it then sends over and over. [Attack.Run]
// plays it on one connection until the server ends that, or the pieces are used up. A [Neighbour] is an
// honest client that measures meanwhile what others have to suffer.
package floods
