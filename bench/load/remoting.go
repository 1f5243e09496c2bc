package load

import (
	"errors"
	"fmt"

	"rocketmq-proxy/codec/command"
)

// remoting is what clients speak to brokers, as one connection speaks it: requests follow each other without
// waiting, and an answer names its request by the opaque.
type remoting struct {
	conn   *conn
	calls  map[int32]call
	opaque int32 // of the last request
	head   command.Head
}

var errOpaque = errors.New("load: an answer to nothing that was asked")

func newRemoting(c *conn) *remoting { return &remoting{conn: c, calls: map[int32]call{}} }

func (r *remoting) hello() {}

func (r *remoting) send(q call) {
	r.opaque++
	r.calls[r.opaque] = q
	r.conn.out = r.conn.request.Append(r.conn.out, r.opaque)
}

func (r *remoting) frame(b []byte, now int64) (int, error) {
	if len(b) < command.PrefixBytes {
		return 0, nil
	}
	headLen, bodyLen, kind, err := command.SplitFrame(b)
	if err != nil {
		return 0, err
	}
	n := command.PrefixBytes + headLen + bodyLen
	if len(b) < n {
		return 0, nil
	}
	body := n - bodyLen
	if err := command.ParseHead(&r.head, kind, b[command.PrefixBytes:body]); err != nil {
		return 0, err
	}
	if !r.head.IsResponse() {
		return n, nil // a broker's own request, which is none of ours
	}
	q, asked := r.calls[r.head.Opaque]
	if !asked {
		return 0, fmt.Errorf("%w: opaque %d", errOpaque, r.head.Opaque)
	}
	delete(r.calls, r.head.Opaque)
	r.answered(&q, b[body:n])
	r.conn.end(&q, q.failure, now)
	return n, nil
}

// answered checks an answer whose head has been read.
func (r *remoting) answered(q *call, body []byte) {
	if r.head.Code != int32(command.ResponseSuccess) {
		q.failure = fmt.Errorf("load: response code %d: %s", r.head.Code, r.head.Remark)
		return
	}
	r.conn.heard(q, Message{Head: &r.head, Body: body})
}
