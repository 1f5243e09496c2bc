package scenario

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"rocketmq-proxy/bench/load"
)

const (
	kindReceive = 0
	kindAck     = 1
)

var (
	errNoMessages = errors.New("receive: OK, but no messages")
	errTooMany    = errors.New("receive: more messages than asked for")
	errNoHandle   = errors.New("receive: a message without id, handle or body")
)

// receiveAck is a simple consumer: settings on a telemetry stream that stays
// open, then each worker receives a batch and acknowledges its messages one by
// one, one entry a call, as the official clients do.
type receiveAck struct {
	params  Params
	setup   []byte
	receive []byte
	ackHead []byte // group and topic
	workers []receiver
}

// receiver is one worker: the batch it works on.
type receiver struct {
	found   uint64 // status code of the receive
	entries []byte // AckMessageEntry bodies, end to end
	ends    []int  // where each ends
	acked   int
}

func newReceiveAck(p Params, workers int) *receiveAck {
	s := &receiveAck{params: p, workers: make([]receiver, workers)}
	s.setup, s.receive = p.simpleConsumer()
	s.ackHead = appendBytes(nil, 1, resource(p.Group))
	s.ackHead = appendBytes(s.ackHead, 2, resource(p.Topic))
	return s
}

// simpleConsumer is what such a client says at first, and what it receives with.
func (p *Params) simpleConsumer() (setup, receive []byte) {
	filter := appendString(appendVarint(nil, 1, 1), 2, "*") // by tag, all
	entry := appendBytes(appendBytes(nil, 1, resource(p.Topic)), 2, filter)
	subscription := appendBytes(nil, 1, resource(p.Group))
	subscription = appendBytes(subscription, 2, entry)
	subscription = appendBytes(subscription, 5, seconds(pollTimeout))
	setup = p.settings(clientSimpleConsumer, fieldSubscription, subscription)

	broker := appendBytes(appendString(nil, 1, p.Broker), 3, p.endpoints())
	queue := appendBytes(nil, 1, resource(p.Topic))
	queue = appendVarint(queue, 3, 4) // read and write
	queue = appendBytes(queue, 4, broker)
	queue = appendVarint(queue, 5, 1) // normal
	receive = appendBytes(nil, 1, resource(p.Group))
	receive = appendBytes(receive, 2, queue)
	receive = appendBytes(receive, 3, filter)
	receive = appendVarint(receive, 4, uint64(p.Batch))
	receive = appendBytes(receive, 5, seconds(invisible))
	receive = appendVarint(receive, 6, 0)
	return setup, appendBytes(receive, 7, seconds(pollTimeout))
}

func (s *receiveAck) Kinds() []string { return []string{"receive", "ack"} }

func (s *receiveAck) Setup(r *load.Request) bool { return telemetry(r, s.setup) }

func (s *receiveAck) Begin(w int, r *load.Request) {
	u := &s.workers[w]
	u.found, u.entries, u.ends, u.acked = 0, u.entries[:0], u.ends[:0], 0
	r.Kind, r.Path, r.Timeout, r.Open = kindReceive, service+"ReceiveMessage", requestTimeout+pollTimeout, false
	r.Body = append(r.Body, s.receive...)
}

func (s *receiveAck) Message(w, kind int, message load.Message) error {
	m := message.Body
	switch {
	case w == load.SetupWorker:
		return checkStatus("telemetry", m)
	case kind == kindAck:
		return s.heardAck(m)
	}
	num, _, n := protowire.ConsumeTag(m)
	if n < 0 {
		return errShape
	}
	content, n := protowire.ConsumeBytes(m[n:])
	if n < 0 {
		return errShape
	}
	u := &s.workers[w]
	switch num {
	case 1:
		return s.heardStatus(u, content)
	case 2:
		return u.keep(content, s.params.Batch)
	}
	return nil // delivery_timestamp
}

func (s *receiveAck) heardStatus(u *receiver, status []byte) error {
	u.found = statusCode(status)
	return checkReceived(status, s.params.AllowEmpty)
}

// checkReceived is about the Status that a receive begins with.
func checkReceived(status []byte, allowEmpty bool) error {
	code := statusCode(status)
	if code == codeOK || code == codeMessageNotFound && allowEmpty {
		return nil
	}
	return fmt.Errorf("receive: status %d %s", code, bytesField(status, 2))
}

// keep notes what the acknowledgement of a message needs.
func (u *receiver) keep(m []byte, batch int) error {
	if len(u.ends) == batch {
		return errTooMany
	}
	var props, body []byte
	if err := fields(m, func(num protowire.Number, v []byte, _ uint64) error {
		switch num {
		case 3:
			props = v
		case 4:
			body = v
		}
		return nil
	}); err != nil {
		return err
	}
	id, handle := bytesField(props, 3), bytesField(props, 12)
	if len(id) == 0 || len(handle) == 0 || len(body) == 0 {
		return errNoHandle
	}
	u.entries = appendBytes(appendBytes(u.entries, 1, id), 2, handle)
	u.ends = append(u.ends, len(u.entries))
	return nil
}

func (s *receiveAck) heardAck(m []byte) error {
	if err := checkStatus("ack", m); err != nil {
		return err
	}
	return checkStatusAt("ack entry", bytesField(m, 2), 3)
}

// checkStatusAt is checkStatus for a Status in another field.
func checkStatusAt(what string, m []byte, field protowire.Number) error {
	if code := statusCode(bytesField(m, field)); code != codeOK {
		return fmt.Errorf("%s: status %d", what, code)
	}
	return nil
}

func (s *receiveAck) End(w, kind int, r *load.Request) (int, bool, error) {
	u := &s.workers[w]
	moved := 0
	if kind == kindAck {
		moved = 1
	} else if len(u.ends) == 0 && u.found != codeMessageNotFound {
		return 0, false, errNoMessages
	}
	if u.acked == len(u.ends) {
		return moved, false, nil
	}
	from := 0
	if u.acked > 0 {
		from = u.ends[u.acked-1]
	}
	entry := u.entries[from:u.ends[u.acked]]
	u.acked++
	r.Kind, r.Path, r.Timeout, r.Open = kindAck, service+"AckMessage", requestTimeout, false
	r.Body = append(r.Body, s.ackHead...)
	r.Body = appendBytes(r.Body, 3, entry)
	return moved, true, nil
}
