package remoting

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// ConnError ends one connection: what the peer sent cannot be followed any further. It is
// always the peer's doing.
type ConnError struct {
	Reason string
	Cause  error // may be nil
}

func (e *ConnError) Error() string {
	if e.Cause == nil {
		return "remoting: " + e.Reason
	}
	return "remoting: " + e.Reason + ": " + e.Cause.Error()
}

func (e *ConnError) Unwrap() error { return e.Cause }

// Causes that machines give themselves.
var (
	// ErrSilent is the cause when a peer owed answers and sent nothing for SilenceMax.
	ErrSilent = errors.New("remoting: the peer owes answers and is silent")
	// ErrConnectTimeout is the cause when a dial reported nothing for ConnectTimeout.
	ErrConnectTimeout = errors.New("remoting: connect timeout")
	// ErrGoAway is the cause when a connection was closed because of its peer's GO_AWAY.
	ErrGoAway = errors.New("remoting: the peer asked to go away")
	// ErrEnded is the cause of calls on a lane that was ended.
	ErrEnded = errors.New("remoting: the lane has ended")
)

// CallErrorKind says why a call ended without an answer.
type CallErrorKind uint8

// The kinds of CallError.
const (
	Timeout         CallErrorKind = iota + 1 // the deadline passed
	ConnectionLost                           // the connection ended under the call
	ConnectFailed                            // there is no connection and dialling fails
	TooManyInFlight                          // Limits.InflightMax
	OutboxFull                               // Limits.OutboxBytesMax
	QueueFull                                // Limits.QueueMax
	Encode                                   // the request made no frame, or one beyond FrameBytesMax
	GoAway                                   // the peer goes away and it cannot be reopened
	GoAwayTwice                              // so does the connection that replaced it
	Ended                                    // the lane was ended
	Lapsed                                   // the deadline of a call that Lapses passed
)

var kindNames = [...]string{
	Timeout:         "timeout",
	ConnectionLost:  "connection lost",
	ConnectFailed:   "connect failed",
	TooManyInFlight: "too many calls in flight (InflightMax)",
	OutboxFull:      "too many bytes unsent (OutboxBytesMax)",
	QueueFull:       "too many calls wait for a connection (QueueMax)",
	Encode:          "the request has no frame or one too long",
	GoAway:          "GO_AWAY",
	GoAwayTwice:     "GO_AWAY twice",
	Ended:           "the lane has ended",
	Lapsed:          "the wait is over",
}

func (k CallErrorKind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return "CallErrorKind " + strconv.Itoa(int(k))
}

// CallError ends one call.
type CallError struct {
	Kind CallErrorKind
	// Sent tells that the peer may have got the request, wholly or in part, and may have
	// acted on it. When it is false the request surely was not delivered.
	Sent  bool
	Addr  string        // the peer, as Config.Addr names it
	Allow time.Duration // how long the call was allowed to take
	Cause error         // what ended the connection or the dial; may be nil
}

// Error is the text of the reference where clients get to see it: a timeout
// (RemotingTimeoutException), a refused connect.
func (e *CallError) Error() string {
	switch e.Kind {
	case Timeout:
		return fmt.Sprintf("wait response on the channel <%s> timeout, %d(ms)", e.Addr, e.Allow.Milliseconds())
	case ConnectFailed:
		return e.caused("connect to " + e.Addr + " failed")
	case ConnectionLost:
		return e.caused("send request to <" + e.Addr + "> failed")
	default:
		return e.caused("call to <" + e.Addr + ">: " + e.Kind.String())
	}
}

func (e *CallError) caused(text string) string {
	if e.Cause == nil {
		return text
	}
	return text + ": " + e.Cause.Error()
}

func (e *CallError) Unwrap() error { return e.Cause }
