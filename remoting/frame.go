package remoting

import (
	"rocketmq-proxy/codec/command"
)

// scratchBytesKeptMax bounds the scratch that stays with a connection after a long head that
// straddled blocks.
const scratchBytesKeptMax = 64 << 10

// frame works off the first frame of in, or says in need how much of in would make it whole.
// The prefix is judged as soon as it is there: a length that cannot be is not waited for.
func (c *Conn) frame() error {
	var prefix [command.PrefixBytes]byte
	headLen, bodyLen, kind, err := command.SplitFrame(c.in.Front(command.PrefixBytes, prefix[:]))
	if err != nil {
		return &ConnError{Reason: "the peer sent a frame that cannot be", Cause: err}
	}
	if headLen > c.cfg.Limits.HeadBytesMax {
		return &ConnError{Reason: "the peer sent a head beyond HeadBytesMax"}
	}
	bodyAt := command.PrefixBytes + headLen
	if c.need = bodyAt + bodyLen; c.in.Len() < c.need {
		return nil
	}
	c.need = command.PrefixBytes
	if err := command.ParseHead(&c.head, kind, c.front(bodyAt)[command.PrefixBytes:]); err != nil {
		return &ConnError{Reason: "the peer sent a head that cannot be read", Cause: err}
	}
	c.reply.Body.Share(&c.in, bodyAt, bodyLen)
	c.dispatch()
	c.reply.Body.Release()
	c.in.Discard(bodyAt + bodyLen)
	return nil
}

// front borrows the first n bytes of in.
func (c *Conn) front(n int) []byte {
	if c.in.Views()[0].Len() >= n {
		return c.in.Front(n, nil)
	}
	if cap(c.scratch) > scratchBytesKeptMax {
		c.scratch = nil
	}
	if cap(c.scratch) < n {
		c.scratch = make([]byte, max(n, 1<<10))
	}
	return c.in.Front(n, c.scratch[:cap(c.scratch)])
}

// dispatch tells answers from requests, by bit 0 of the flag and by nothing else: the two
// directions number their requests apart (specification 1.6).
func (c *Conn) dispatch() {
	if c.head.IsResponse() {
		c.answer()
		return
	}
	c.counters.Requests.Add(1)
	if c.cfg.OnRequest == nil {
		c.counters.RequestsIgnored.Add(1)
		return
	}
	c.cfg.OnRequest(&c.head, &c.reply.Body)
}

// codeGoAway is the answer of a server that shuts down instead of looking at the request
// (specification 1.10).
const codeGoAway = 1500

func (c *Conn) answer() {
	call := c.calls.take(c.head.Opaque)
	if call == nil {
		c.unclaimedNew++
		return
	}
	if c.head.Code == codeGoAway {
		c.goAway(call)
		return
	}
	c.answersNew++
	call.end(&c.reply, nil)
}

func (c *Conn) goAway(call *Call) {
	c.counters.GoAways.Add(1)
	if c.cfg.goAway != nil {
		c.cfg.goAway(call)
		return
	}
	call.fail(GoAway, c.cfg.Addr, false, ErrGoAway)
}
