// Package health is the messages of grpc.health.v1, generated from our own .proto.
package health
