package remoting

import (
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/pool"
)

// Request is what a call wants: how it looks on the wire, and who hears of the end.
type Request interface {
	// AppendFrame puts the whole frame, prefix to body, at the back of out. The body is
	// shared, not given, because AppendFrame is called again with another opaque when a
	// GO_AWAY makes the call go out a second time. A request that appends nothing ends with
	// Encode.
	AppendFrame(out *pool.Chain, opaque int32)

	// Done ends the call, exactly once, on the connection's turn. reply is borrowed; its
	// Body may be moved out. It is nil when err, a *CallError, is not; and both are nil at
	// the end of a oneway call, which says no more than that its frame is on its way. From
	// here on the Call is its maker's again, and may be used for another call at once.
	Done(reply *Reply, err error)
}

// Reply is an answer.
type Reply struct {
	Head *command.Head // borrowed, valid during Done
	Body pool.Chain    // what Done leaves in it is released
}

// Call is one request in flight. Its maker fills the first fields, may pool it, and must not
// touch it between Call and Done.
type Call struct {
	Request  Request
	Deadline time.Time // zero: Limits.CallTimeout from now
	Oneway   bool      // no answer is expected; AppendFrame sets the flag in the frame
	Lapses   bool      // the deadline is when its maker stops waiting: the peer may well answer later

	// the connection's or the lane's, until Done
	opaque  int32
	resent  bool          // a GO_AWAY already was answered to it
	busy    bool          // between Call and Done; checked by the invariants build
	allowed time.Duration // from Call to Deadline
	offset  uint64        // of its frame's first byte among all bytes of the connection
	next    *Call         // in a callList
}

// begin takes the call over.
func (call *Call) begin(now time.Time, timeout time.Duration) {
	if pool.Invariants && call.busy {
		panic("remoting: a Call was used again before its Done")
	}
	call.busy, call.resent, call.next = true, false, nil
	if call.Deadline.IsZero() {
		call.Deadline = now.Add(timeout)
	}
	call.allowed = max(call.Deadline.Sub(now), 0)
}

// end gives the call back to its maker. Nothing may touch it afterwards.
func (call *Call) end(reply *Reply, err error) {
	call.busy, call.next = false, nil
	call.Request.Done(reply, err)
}

// fail ends the call without an answer.
func (call *Call) fail(kind CallErrorKind, addr string, sent bool, cause error) {
	call.end(nil, &CallError{Kind: kind, Sent: sent, Addr: addr, Allow: call.allowed, Cause: cause})
}

// callList is a queue of calls linked through them.
type callList struct {
	first, last *Call
	n           int
}

func (l *callList) push(call *Call) {
	call.next = nil
	if l.last == nil {
		l.first = call
	} else {
		l.last.next = call
	}
	l.last = call
	l.n++
}

// pop takes the first call, nil when there is none.
func (l *callList) pop() *Call {
	call := l.first
	if call == nil {
		return nil
	}
	l.first, call.next = call.next, nil
	if l.first == nil {
		l.last = nil
	}
	l.n--
	return call
}

// take moves the whole list out, so that calls pushed while it is worked off are not among it.
func (l *callList) take() callList {
	taken := *l
	*l = callList{}
	return taken
}

// split moves the calls that are of the other kind to the back of other.
func (l *callList) split(other *callList, is func(*Call) bool) {
	all := l.take()
	for call := all.pop(); call != nil; call = all.pop() {
		if is(call) {
			other.push(call)
		} else {
			l.push(call)
		}
	}
}
