package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"rocketmq-proxy/bench/load"
)

const (
	messageIDChars = 34 // "01" and 32 hex digits, as 5.x clients choose them
	counterChars   = 16 // of which the last digits count
	hexUpper       = "0123456789ABCDEF"
	topicZero      = "0000" // behind the names of many topics
)

var errOtherMessage = errors.New("send: the answer is about another message")

// send is SendMessage with one NORMAL message a request, each with its own id.
type send struct {
	params  Params
	setup   []byte
	message []byte   // the request, but for the message id's last digits
	idAt    int      // where they begin
	topicAt int      // where the number of the topic begins, when there are several
	count   uint64   // of this connection
	sent    [][]byte // the id each worker waits for
}

func newSend(p Params, conn, workers int) *send {
	if p.Topics > 1 {
		p.Topic += topicZero
	}
	s := &send{params: p, setup: p.settings(clientProducer, fieldPublishing, appendBytes(nil, 1, resource(p.Topic)))}
	id := fmt.Sprintf("01%08X%08X%016X", time.Now().Unix()&0xffffffff, conn, 0)
	s.message = p.sendRequest(id)
	s.idAt = bytes.Index(s.message, []byte(id)) + messageIDChars - counterChars
	s.topicAt = bytes.Index(s.message, []byte(p.Topic)) + len(p.Topic) - len(topicZero)
	for range workers {
		s.sent = append(s.sent, []byte(id))
	}
	return s
}

func (p *Params) sendRequest(id string) []byte {
	body := make([]byte, p.BodyBytes)
	for i := range body {
		body[i] = byte('a' + i%26)
	}
	props := appendString(nil, 1, "tagA")
	props = appendString(props, 2, "key-1")
	props = appendString(props, 3, id)
	props = appendVarint(props, 5, 1) // identity
	props = appendVarint(props, 6, 1) // normal
	now := time.Now()
	props = appendBytes(props, 7, appendVarint(appendVarint(nil, 1, uint64(now.Unix())), 2, uint64(now.Nanosecond())))
	props = appendString(props, 8, "bench-host")
	m := appendBytes(nil, 1, resource(p.Topic))
	m = appendBytes(m, 3, props)
	m = appendBytes(m, 4, body)
	return appendBytes(nil, 1, m)
}

func (s *send) Kinds() []string { return []string{"send"} }

func (s *send) Setup(r *load.Request) bool { return telemetry(r, s.setup) }

func (s *send) Begin(w int, r *load.Request) {
	s.count++
	digits := s.message[s.idAt : s.idAt+counterChars]
	for i := range digits {
		digits[i] = hexUpper[s.count>>uint(4*(counterChars-1-i))&15]
	}
	copy(s.sent[w][messageIDChars-counterChars:], digits)
	if s.params.Topics > 1 {
		topic := s.count % uint64(s.params.Topics)
		for at := s.topicAt + len(topicZero) - 1; at >= s.topicAt; at-- {
			s.message[at] = byte('0' + topic%10)
			topic /= 10
		}
	}
	r.Kind, r.Path, r.Timeout, r.Open = 0, service+"SendMessage", requestTimeout, false
	r.Body = append(r.Body, s.message...)
}

func (s *send) Message(w, _ int, m []byte) error {
	if err := checkStatus("send", m); err != nil {
		return err
	}
	if w == load.SetupWorker || !s.params.Verify {
		return nil
	}
	entry := bytesField(m, 2)
	if err := checkStatus("send entry", entry); err != nil {
		return err
	}
	if !bytes.Equal(bytesField(entry, 2), s.sent[w]) {
		return errOtherMessage
	}
	return nil
}

func (s *send) End(int, int, *load.Request) (int, bool, error) { return 1, false, nil }
