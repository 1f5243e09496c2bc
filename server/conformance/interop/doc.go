// Package interop holds the gRPC layer of the proxy, package h2, against the interoperability tests of gRPC:
// grpc-go's client calls grpc.testing.TestService, which stands here on h2 and on the proxy's own
// sockets. And it holds our reading and writing of grpc-message against grpc-go's. It holds tests only.
package interop
