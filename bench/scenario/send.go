package scenario

import (
	"bytes"
	"errors"
	"time"

	"rocketmq-proxy/bench/load"
)

var errOtherMessage = errors.New("send: the answer is about another message")

// send is SendMessage with one NORMAL message a request, each with its own id.
type send struct {
	params  Params
	setup   []byte
	message []byte // the request, but for the message id and the number of the topic
	idAt    int
	topicAt int // where the number begins, when there are several
	ids     messageIDs
	sent    [][]byte // the id each worker waits for
}

func newSend(p Params, conn, workers int) *send {
	if p.Topics > 1 {
		p.Topic = p.topic(0)
	}
	s := &send{params: p, setup: p.settings(clientProducer, fieldPublishing, appendBytes(nil, 1, resource(p.Topic))),
		ids: newMessageIDs(conn), sent: make([][]byte, workers)}
	s.message = p.sendRequest(string(s.ids.id))
	s.idAt = bytes.Index(s.message, s.ids.id)
	s.topicAt = bytes.Index(s.message, []byte(p.Topic)) + len(p.Topic) - topicDigits
	return s
}

func (p *Params) sendRequest(id string) []byte {
	props := appendString(nil, 1, messageTag)
	props = appendString(props, 2, messageKey)
	props = appendString(props, 3, id)
	props = appendVarint(props, 5, 1) // identity
	props = appendVarint(props, 6, 1) // normal
	now := time.Now()
	props = appendBytes(props, 7, appendVarint(appendVarint(nil, 1, uint64(now.Unix())), 2, uint64(now.Nanosecond())))
	props = appendString(props, 8, bornHost)
	m := appendBytes(nil, 1, resource(p.Topic))
	m = appendBytes(m, 3, props)
	m = appendBytes(m, 4, p.body())
	return appendBytes(nil, 1, m)
}

func (s *send) Kinds() []string { return []string{"send"} }

func (s *send) Setup(r *load.Request) bool { return telemetry(r, s.setup) }

func (s *send) Begin(w int, r *load.Request) {
	s.sent[w] = s.ids.appendNext(s.sent[w][:0])
	copy(s.message[s.idAt:], s.sent[w])
	if s.params.Topics > 1 {
		topic := s.ids.count % uint64(s.params.Topics)
		for at := s.topicAt + topicDigits - 1; at >= s.topicAt; at-- {
			s.message[at] = byte('0' + topic%10)
			topic /= 10
		}
	}
	r.Kind, r.Path, r.Timeout, r.Open = 0, service+"SendMessage", requestTimeout, false
	r.Body = append(r.Body, s.message...)
}

func (s *send) Message(w, _ int, m load.Message) error {
	if err := checkStatus("send", m.Body); err != nil {
		return err
	}
	if w == load.SetupWorker || !s.params.Verify {
		return nil
	}
	entry := bytesField(m.Body, 2)
	if err := checkStatus("send entry", entry); err != nil {
		return err
	}
	if !bytes.Equal(bytesField(entry, 2), s.sent[w]) {
		return errOtherMessage
	}
	return nil
}

func (s *send) End(int, int, *load.Request) (int, bool, error) { return 1, false, nil }
