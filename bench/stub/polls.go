package stub

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"
	"sync"
	"time"

	"rocketmq-proxy/bench/hostclock"
)

// PollTopic begins the names of topics that hold no more messages than have arrived: a pop of one that is empty
// waits until a message is sent to it. Of all other topics pops are answered at once, whether anything was sent
// to them or not.
const PollTopic = "PollTopic"

// ArrivedBytes are the first bytes of the body of a message that was popped from such a topic: when it arrived, on
// hostclock, big-endian.
const ArrivedBytes = 8

var pollTopic = []byte(PollTopic)

const (
	codePullNotFound   = 19
	codePollingTimeout = 210
	pollsTick          = 100 * time.Millisecond // how exactly polls end that nothing came for
	bodyCRCAt          = 8
	bodyAt             = recordBodyLen + 4
)

// polls are the pops that wait, by topic.
type polls struct {
	mu     sync.Mutex
	topics map[string]*pollQueue

	ticking sync.Once
	end     chan struct{}
}

// pollQueue is one topic. Either pops wait or messages do, never both; who came first is first.
type pollQueue struct {
	waiting []poll
	arrived []int64 // when, on hostclock
}

// poll is a pop that waits.
type poll struct {
	conn  *conn
	pop   pop
	until int64 // on hostclock
}

func newPolls() polls { return polls{topics: map[string]*pollQueue{}, end: make(chan struct{})} }

// queue is that of a topic. The caller holds mu.
func (p *polls) queue(topic []byte) *pollQueue {
	q := p.topics[string(topic)]
	if q == nil {
		q = &pollQueue{}
		p.topics[string(topic)] = q
	}
	return q
}

// take takes what has arrived, at most as much as the pop wants. When there is nothing and the pop has time, it is
// kept and waits.
func (p *polls) take(topic []byte, w poll, wait int64) (arrived []int64, waits bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.queue(topic)
	if n := min(w.pop.messages, int64(len(q.arrived))); n > 0 {
		arrived = slices.Clone(q.arrived[:n])
		q.arrived = slices.Delete(q.arrived, 0, int(n))
		return arrived, false
	}
	if wait <= 0 {
		return nil, false
	}
	q.waiting = append(q.waiting, w)
	return nil, true
}

// arrive gives a message to the pop that has waited longest, or keeps it.
func (p *polls) arrive(topic []byte, now int64) (w poll, waited bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.queue(topic)
	if len(q.waiting) == 0 {
		q.arrived = append(q.arrived, now)
		return w, false
	}
	w = q.waiting[0]
	q.waiting = slices.Delete(q.waiting, 0, 1)
	return w, true
}

// remove ends the waiting of those that over says, and returns them.
func (p *polls) remove(over func(w *poll) bool) (ended []poll) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, q := range p.topics {
		q.waiting = slices.DeleteFunc(q.waiting, func(w poll) bool {
			if !over(&w) {
				return false
			}
			ended = append(ended, w)
			return true
		})
	}
	return ended
}

// tick answers polls that nothing came for in time.
func (p *polls) tick() {
	ticker := time.NewTicker(pollsTick)
	defer ticker.Stop()
	for {
		select {
		case <-p.end:
			return
		case <-ticker.C:
		}
		now := hostclock.Now()
		for _, w := range p.remove(func(w *poll) bool { return w.until <= now }) {
			_, _ = w.conn.nc.Write(appendNotFound(nil, &w.pop, codePollingTimeout)) // the connection's own goroutine sees it end
		}
	}
}

// appendPoll answers a pop of a topic that may be empty, unless it has to wait.
func (c *conn) appendPoll(out []byte, topic []byte, p pop, wait int64) []byte {
	polls := &c.server.polls
	polls.ticking.Do(func() { c.server.wg.Go(polls.tick) })
	arrived, waits := polls.take(topic, poll{c, p, hostclock.Now() + wait*int64(time.Millisecond)}, wait)
	switch {
	case waits:
		return out
	case len(arrived) == 0:
		return appendNotFound(out, &p, codePullNotFound)
	}
	return c.appendFound(out, topic, &p, uint64(len(arrived)), arrived)
}

// wake gives a message that arrives to a pop that waits for it, on whatever connection: whole frames may be written
// there from here, because writes to a connection do not mix.
func (c *conn) wake(topic []byte) {
	now := []int64{hostclock.Now()}
	for {
		w, waited := c.server.polls.arrive(topic, now[0])
		if !waited {
			return
		}
		c.woken = c.appendFound(c.woken[:0], topic, &w.pop, 1, now)
		if _, err := w.conn.nc.Write(c.woken); err == nil {
			return
		} // else it has gone, and the message is for the next
	}
}

// arrivedAt writes into a stored message when it arrived.
func arrivedAt(m []byte, bodyBytes int, nanos int64) {
	body := m[bodyAt : bodyAt+bodyBytes]
	if len(body) < ArrivedBytes {
		return
	}
	binary.BigEndian.PutUint64(body, uint64(nanos))
	binary.BigEndian.PutUint32(m[bodyCRCAt:], bodyCRC(body))
}

// appendNotFound answers a pop that finds nothing.
func appendNotFound(out []byte, p *pop, code int) []byte {
	out, start := beginFrame(out)
	out = append(out, headStart...)
	out = strconv.AppendInt(out, int64(code), 10)
	out = append(out, headExt...)
	out = append(out, `"invisibleTime":"`...)
	out = strconv.AppendInt(out, p.invisible, 10)
	out = append(out, `","restNum":"0","popTime":"`...)
	out = strconv.AppendInt(out, time.Now().UnixMilli(), 10)
	out = append(out, `","reviveQid":"0"}`...)
	out = endHead(out, start, p.opaque, "no message")
	return endFrame(out, start)
}

func isPollTopic(topic []byte) bool { return bytes.HasPrefix(topic, pollTopic) }
