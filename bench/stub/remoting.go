package stub

import (
	"net"
	"time"
)

const (
	readBytes    = 256 << 10
	flushAtBytes = 1 << 20 // answers longer than this are written before the read batch ends
)

// conn is one Remoting connection; its own goroutine is the only user.
type conn struct {
	server    *Server
	nc        net.Conn
	in        []byte
	out       []byte
	woken     []byte // the answer to somebody's poll
	record    record
	nowMillis int64 // read once for each batch
}

func (s *Server) serveRemoting(nc net.Conn) {
	c := &conn{server: s, nc: nc, in: make([]byte, 0, readBytes), out: make([]byte, 0, readBytes)}
	defer s.polls.remove(func(w *poll) bool { return w.conn == c })
	for {
		n, err := nc.Read(c.in[len(c.in):cap(c.in)])
		if err != nil {
			return
		}
		c.in = c.in[:len(c.in)+n]
		c.nowMillis = time.Now().UnixMilli()
		if c.consume() != nil || c.flush() != nil {
			return
		}
	}
}

func (c *conn) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	_, err := c.nc.Write(c.out)
	c.out = c.out[:0]
	return err
}

// consume answers every whole frame and keeps the rest at the front.
func (c *conn) consume() error {
	var r request
	at := 0
	for {
		n, err := parseFrame(c.in[at:], &r)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		at += n
		c.answer(&r)
		if len(c.out) >= flushAtBytes {
			if err := c.flush(); err != nil {
				return err
			}
		}
	}
	rest := copy(c.in, c.in[at:])
	c.in = c.in[:rest]
	if rest == cap(c.in) { // a frame longer than the buffer
		bigger := make([]byte, rest, 2*rest)
		copy(bigger, c.in)
		c.in = bigger
	}
	return nil
}

func (c *conn) answer(r *request) {
	if r.flag&1 != 0 {
		return // a response: nothing was asked
	}
	before := len(c.out)
	c.out = c.appendAnswer(c.out, r)
	if r.flag&flagOneway != 0 {
		c.out = c.out[:before]
	}
}

func (c *conn) appendAnswer(out []byte, r *request) []byte {
	s := c.server
	switch r.code {
	case codeSendV2, codeSendBatch:
		if topic := r.ext(fieldSendTopic); isPollTopic(topic) {
			c.wake(topic)
		}
		return appendSend(out, r, fieldSendQueue, s.sent.Add(1)-1)
	case codeSend: // of rocketmq-rust's proxy, always in JSON
		return appendSend(out, r, fieldQueueID, s.sent.Add(1)-1)
	case codePop:
		return c.appendPop(out, r)
	case codeAck, codeBatchAck:
		s.acked.Add(1)
		return appendPlain(out, r.opaque, 0, "")
	}
	s.other.Add(1)
	switch r.code {
	case codeChangeInvisible:
		return appendChangeInvisible(out, r, c.nowMillis)
	case codeRoute:
		return appendWithBody(out, r.opaque, routeBody(string(r.ext(fieldTopic)), s.Brokers))
	case codeClusterInfo:
		return appendWithBody(out, r.opaque, clusterBody(s.Brokers))
	case codeRuntimeInfo:
		return appendWithBody(out, r.opaque, []byte(`{"table":{"brokerVersionDesc":"V5_5_0"}}`))
	case codeTopicConfig:
		return appendTopicConfig(out, r)
	case codeGroupConfig:
		return appendGroupConfig(out, r)
	case codeGetMaxOffset:
		return appendMaxOffset(out, r)
	case codeHeartbeat, codeUnregister, codeSendBack, codeUpdateTopic:
		return appendPlain(out, r.opaque, 0, "")
	}
	return appendUnsupported(out, r)
}
