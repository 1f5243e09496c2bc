package remoting

import (
	"time"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/pool"
)

// Call sends the request and files the call until its answer comes, its deadline passes or
// the connection ends. It may end the call before it returns.
func (c *Conn) Call(now time.Time, call *Call) {
	call.begin(now, c.cfg.Limits.CallTimeout)
	c.send(now, call)
}

// send is Call for a call that was begun before.
func (c *Conn) send(now time.Time, call *Call) {
	if !c.admit(now, call) {
		return
	}
	c.lastCall = now
	call.offset = c.written
	if call.Oneway {
		c.sendOneway(call)
		return
	}
	c.calls.add(call)
	if !c.encode(call.Request, call.opaque) {
		c.calls.take(call.opaque)
		c.refuse(call, Encode)
		return
	}
	c.callsNew++
	c.due = earlier(c.due, call.Deadline)
	if c.owed.IsZero() {
		c.owed = now
	}
}

// sendOneway is over when the frame is in out: nothing more will be heard of it.
func (c *Conn) sendOneway(call *Call) {
	if !c.encode(call.Request, c.calls.skip()) {
		c.refuse(call, Encode)
		return
	}
	c.callsNew++
	c.onewaysNew++
	call.end(nil, nil)
}

// admit checks the limits; a call that may not pass is ended.
func (c *Conn) admit(now time.Time, call *Call) bool {
	switch {
	case c.err != nil:
		c.counters.Lost.Add(1)
		call.fail(ConnectionLost, c.cfg.Addr, false, c.err)
	case !call.Deadline.After(now):
		c.counters.Timeouts.Add(1)
		call.fail(Timeout, c.cfg.Addr, false, nil)
	case c.calls.live >= c.cfg.Limits.InflightMax && !call.Oneway:
		c.refuse(call, TooManyInFlight)
	case c.out.Len() >= c.cfg.Limits.OutboxBytesMax:
		c.refuse(call, OutboxFull)
	default:
		return true
	}
	return false
}

func (c *Conn) refuse(call *Call, kind CallErrorKind) {
	c.counters.Refused.Add(1)
	call.fail(kind, c.cfg.Addr, false, nil)
}

// encode puts the frame into out. It is false, and out as before, when the request made none
// or one that no peer would take.
func (c *Conn) encode(request Request, opaque int32) bool {
	before := c.out.Len()
	request.AppendFrame(&c.out, opaque)
	n := c.out.Len() - before
	if n > command.FrameBytesMax {
		c.cutOut(before)
		return false
	}
	if pool.Invariants {
		checkFrame(&c.out, before)
	}
	c.written += uint64(n)
	return n > 0
}

// cutOut forgets what lies behind the first n bytes of out.
func (c *Conn) cutOut(n int) {
	var kept pool.Chain
	kept.MoveFront(&c.out, n)
	c.out.Discard(c.out.Len())
	c.out.AppendChain(&kept)
}

// checkFrame panics when the bytes from offset on are not exactly one frame: its peer would
// read everything behind it wrongly.
func checkFrame(out *pool.Chain, offset int) {
	if out.Len() == offset {
		return
	}
	r := pool.NewCursor(out)
	r.Skip(offset)
	var prefix [command.PrefixBytes]byte
	headLen, bodyLen, _, err := command.SplitFrame(r.Bytes(command.PrefixBytes, prefix[:]))
	if err != nil || r.Left() != headLen+bodyLen {
		panic("remoting: AppendFrame made something else than one frame")
	}
}

// Respond answers a request of the peer, one that is not oneway, by its opaque. body is
// taken; it may be nil. On a connection that has ended it does nothing.
func (c *Conn) Respond(opaque, code int32, remark string, ext []command.Field, body *pool.Chain) {
	bodyLen := 0
	if body != nil {
		bodyLen = body.Len()
	}
	if c.err != nil {
		if body != nil {
			body.Release()
		}
		return
	}
	before := c.out.Len()
	head := c.out.Reserve(responseBytes(remark, ext))
	c.out.Commit(command.AppendResponse(head, opaque, code, remark, ext, bodyLen))
	if body != nil {
		c.out.AppendChain(body)
	}
	c.written += uint64(c.out.Len() - before)
}

// responseBytes guesses the length of a head from above, as long as nothing needs escapes.
func responseBytes(remark string, ext []command.Field) int {
	n := 192 + len(remark)
	for _, field := range ext {
		n += len(field.Key) + len(field.Value) + 8
	}
	return n
}
