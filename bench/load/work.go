package load

import "fmt"

// becomeReady ends the set-up and puts the workers to work.
func (c *conn) becomeReady() {
	if c.isReady {
		return
	}
	c.isReady = true
	close(c.ready)
	for w := range c.run.cfg.Streams {
		if c.run.cfg.Rate > 0 {
			c.idle = append(c.idle, w)
		} else {
			c.active++
			c.work(w, c.run.clock())
		}
	}
}

// work starts worker w's next piece of work.
func (c *conn) work(w int, due int64) {
	c.request.Body = c.request.Body[:0]
	c.scenario.Begin(w, &c.request)
	c.begin(w, due)
}

// begin sends c.request as worker w's; due is when it should have left.
func (c *conn) begin(w int, due int64) {
	c.protocol.send(call{worker: w, kind: c.request.Kind, begun: due})
}

// heard hands one message of an answer to the scenario.
func (c *conn) heard(q *call, m Message) {
	err := c.scenario.Message(q.worker, q.kind, m)
	if err != nil && q.failure == nil {
		q.failure = err
	}
	if q.worker == SetupWorker && err == nil {
		c.becomeReady()
	}
}

// end is the end of an answer: it is complete or has failed.
func (c *conn) end(q *call, failure error, now int64) {
	w, kind := q.worker, q.kind
	if w == SetupWorker {
		c.setupEnded(failure)
		return
	}
	more := false
	if failure == nil {
		var n int
		c.request.Body = c.request.Body[:0]
		n, more, failure = c.scenario.End(w, kind, &c.request)
		c.totals.Messages += uint64(n)
	}
	if failure != nil {
		c.totals.Errors++
		c.run.noteError(failure)
		more = false
	} else {
		c.totals.Requests[kind]++
		if c.run.recording.Load() {
			c.record(q, now)
		}
	}
	if more {
		c.begin(w, c.run.clock())
		return
	}
	c.next(w)
}

// record keeps the latency of an answer.
func (c *conn) record(q *call, now int64) {
	begun := q.begun
	if c.stamped != nil {
		began := c.stamped.Began(q.worker)
		if began == 0 {
			return
		}
		begun = began - c.run.baseHost
	}
	c.times.record(q.kind, now-begun)
}

// next gives a worker whose work is done its next piece, if there is one.
func (c *conn) next(w int) {
	switch {
	case c.stopped:
		c.active--
	case c.run.cfg.Rate == 0:
		c.work(w, c.run.clock())
	case c.due.len() > 0:
		c.work(w, c.due.pop())
	default:
		c.active--
		c.idle = append(c.idle, w)
	}
}

// arrive is a request at a fixed rate becoming due.
func (c *conn) arrive(due int64) {
	if !c.isReady || c.stopped {
		return
	}
	n := len(c.idle)
	if n == 0 {
		c.due.push(due)
		return
	}
	w := c.idle[n-1]
	c.idle = c.idle[:n-1]
	c.active++
	c.work(w, due)
}

func (c *conn) setupEnded(failure error) {
	if c.stopped {
		return
	}
	if failure == nil {
		failure = fmt.Errorf("load: the server ended the set-up stream")
	}
	c.totals.Errors++
	c.run.noteError(failure)
	c.nc.Close()
}
