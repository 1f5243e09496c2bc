// Package grpc is the text and byte layout of gRPC over HTTP/2: the five-byte message
// prefix, the status codes, the grpc-timeout and grpc-message headers.
//
// It is pure functions of bytes. Which stream a message belongs to and what a status ends is
// known to package h2.
package grpc
