// Package reflection is the messages of grpc.reflection.v1, generated from our own .proto.
package reflection
