// Package interop holds the gRPC layer of the proxy, package h2, against the interoperability tests of gRPC:
// grpc-go's client calls grpc.testing.TestService, which stands here on h2 and on the proxy's own
// sockets. It holds tests only.
package interop
