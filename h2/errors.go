package h2

import (
	"errors"
	"fmt"

	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/codec/grpc"
)

// ConnError ends the connection: the peer gets a GOAWAY with Code and Reason.
type ConnError struct {
	Code   frame.ErrCode
	Reason string
}

func (e ConnError) Error() string { return fmt.Sprintf("connection: %v: %s", e.Code, e.Reason) }

// StreamError ends one stream by RST_STREAM.
type StreamError struct {
	Stream uint32
	Code   frame.ErrCode
	Reason string
	Peer   bool // the client reset it; otherwise we do
}

func (e StreamError) Error() string {
	by := "we reset"
	if e.Peer {
		by = "client reset"
	}
	return fmt.Sprintf("stream %d: %s: %v: %s", e.Stream, by, e.Code, e.Reason)
}

// CallError ends one call with a status that the connection itself answered, because the
// client broke the rules of gRPC or its deadline passed.
type CallError struct{ Status grpc.Status }

func (e CallError) Error() string { return "call: " + e.Status.String() }

// ErrClosed is the cause handed on when Close is given none.
var ErrClosed = errors.New("connection closed")

// layoutError makes the codec's complaint the end of the connection.
func layoutError(err error) error {
	if e, ok := errors.AsType[*frame.Error](err); ok {
		return ConnError{Code: e.Code, Reason: e.Reason}
	}
	return ConnError{Code: frame.ProtocolError, Reason: err.Error()}
}

func protocolError(reason string) error {
	return ConnError{Code: frame.ProtocolError, Reason: reason}
}
