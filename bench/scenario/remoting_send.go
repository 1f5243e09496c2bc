package scenario

import (
	"bytes"
	"errors"
	"time"

	"rocketmq-proxy/bench/load"
	"rocketmq-proxy/bench/stub"
	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/codec/message"
)

var errNoMessageID = errors.New("send: an answer without a message id")

// remotingSend is send as a proxy says it to a broker: one SEND_MESSAGE_V2 a request, of the same message.
type remotingSend struct {
	params   Params
	requests []command.SendMessage // one for each topic, but for message id and queue
	idAt     int                   // in their properties
	body     []byte
	ids      messageIDs
	sent     [][]byte             // the id each worker waits for
	next     *command.SendMessage // what append writes
	append   func(out []byte, opaque int32) []byte
}

func newRemotingSend(p Params, conn, workers int) *remotingSend {
	s := &remotingSend{params: p, body: p.body(), ids: newMessageIDs(conn), sent: make([][]byte, workers)}
	born := time.Now().UnixMilli()
	for i := range max(1, p.Topics) {
		topic := p.Topic
		if p.Topics > 1 {
			topic = p.topic(i)
		}
		properties := storedProperties(topic, s.ids.id, born)
		s.requests = append(s.requests, command.SendMessage{ProducerGroup: []byte(topic), Topic: []byte(topic), Properties: properties, BornTimestamp: born})
		s.idAt = bytes.Index(properties, s.ids.id)
	}
	s.append = s.appendFrame
	return s
}

// storedProperties are those of a message as a proxy has a broker store them.
func storedProperties(topic string, id []byte, born int64) []byte {
	w := message.NewPropertyWriter(nil)
	w.PutString(message.NameTags, messageTag)
	w.PutString(message.NameKeys, messageKey)
	w.PutBytes(message.NameUniqKey, id)
	w.PutInt(message.NameReconsumeTime, 0)
	w.PutString(message.NameProducerGroup, topic)
	w.PutString(message.NameBornHost, bornHost)
	w.PutInt(message.NameBornTimestamp, born)
	return w.Bytes()
}

func (s *remotingSend) Kinds() []string { return []string{"send"} }

func (s *remotingSend) Setup(*load.Request) bool { return false }

func (s *remotingSend) Begin(w int, r *load.Request) {
	s.sent[w] = s.ids.appendNext(s.sent[w][:0])
	s.next = &s.requests[s.ids.count%uint64(len(s.requests))]
	s.next.QueueID = int32(s.ids.count % stub.Queues) // clients send to each in turn
	copy(s.next.Properties[s.idAt:], s.sent[w])
	r.Kind, r.Append = 0, s.append
}

func (s *remotingSend) appendFrame(out []byte, opaque int32) []byte {
	return append(command.AppendSendMessageV2(out, opaque, s.next, len(s.body)), s.body...)
}

func (s *remotingSend) Message(w, _ int, m load.Message) error {
	stored, err := command.ParseSendResponse(m.Head)
	switch {
	case err != nil:
		return err
	case len(stored.MsgID) == 0:
		return errNoMessageID
	case s.params.Verify && !bytes.Equal(stored.TransactionID, s.sent[w]): // the id that the client chose, of any message
		return errOtherMessage
	}
	return nil
}

func (s *remotingSend) End(int, int, *load.Request) (int, bool, error) { return 1, false, nil }
