package messaging

import (
	"errors"
	"time"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/server/backend"
)

// fill turns the messages of the request into what is stored (gRPC specification 3.1).
func (m *sendMessage) fill(topic *backend.Topic) error {
	retry := hasPrefix(topic.Name, "%RETRY%")
	m.properties = m.properties[:0]
	for i := range m.view.Messages {
		v := &m.view.Messages[i]
		from := len(m.properties)
		m.writer = message.NewPropertyWriter(m.properties)
		m.putProperties(v, topic.Name, retry)
		m.properties = m.writer.Bytes()
		if err := m.writer.Err(); err != nil {
			return err
		}
		stored := backend.Message{
			BodyOffset: v.Body.Offset, BodyLen: v.Body.Len,
			Properties: m.properties[from:], SysFlag: sysFlag(v), BornTimestamp: bornTimestamp(v, m.client.now),
		}
		if retry {
			stored.ReconsumeTimes = v.DeliveryAttempt
		}
		m.op.Messages = append(m.op.Messages, stored)
	}
	// The memory may have moved while it grew: cut the views anew.
	from := 0
	for i := range m.op.Messages {
		n := len(m.op.Messages[i].Properties)
		m.op.Messages[i].Properties = m.properties[from : from+n : from+n]
		from += n
	}
	return nil
}

// unwritable says why properties cannot be stored. That the user's and the keys and tags hold no
// separators is known by now; the reference, which does not look at the others, would store
// forged properties.
func unwritable(err error) string {
	if errors.Is(err, message.ErrPropertySeparator) {
		return "system properties cannot contain the characters U+0001 and U+0002"
	}
	return err.Error()
}

// putProperties writes the user's properties first: the system's come after and win.
func (m *sendMessage) putProperties(v *apiv2.MessageView, topic string, retry bool) {
	w := &m.writer
	for _, p := range v.UserProperties {
		w.Put(p.Key, p.Value)
	}
	w.PutBytes(message.NameTags, v.Tag)
	m.putKeys(v.Keys)
	w.PutBytes(message.NameUniqKey, v.MessageID)
	if v.MessageType == apiv2.MessageType_TRANSACTION {
		w.PutString(message.NameTranMsg, "true")
		if v.OrphanedTransactionRecovery.Set {
			w.PutInt(message.NameCheckImmunityTime, int64(v.OrphanedTransactionRecovery.AsDuration()/time.Second))
		}
	}
	if v.DeliveryTimestamp.Set {
		if levels := m.client.service.levels; levels != nil {
			w.PutInt(message.NameDelay, levels.of(v.DeliveryTimestamp.UnixMilli()-m.client.now.UnixMilli()))
		}
		w.PutInt(message.NameTimerDeliverMs, v.DeliveryTimestamp.UnixMilli())
	}
	if v.HasPriority {
		w.PutInt(message.NamePriority, int64(v.Priority))
	}
	if !retry { // of a retry topic it travels in the request's head
		w.PutInt(message.NameReconsumeTime, int64(v.DeliveryAttempt))
	}
	w.PutString(message.NameProducerGroup, topic)
	putSome(w, message.NameShardingKey, v.MessageGroup)
	putSome(w, message.NameLiteTopic, v.LiteTopic)
	putSome(w, message.NameTraceContext, v.TraceContext)
	if !blank(v.BornHost) {
		w.PutBytes(message.NameBornHost, v.BornHost)
	} else if m.client.remote != "" {
		w.PutString(message.NameBornHost, m.client.remote)
	}
	if v.BornTimestamp.Valid() {
		w.PutInt(message.NameBornTimestamp, v.BornTimestamp.UnixMilli())
	}
}

func putSome(w *message.PropertyWriter, name string, value []byte) {
	if len(value) > 0 {
		w.PutBytes(name, value)
	}
}

func (m *sendMessage) putKeys(keys [][]byte) {
	if len(keys) == 0 {
		return
	}
	m.keys = m.keys[:0]
	for i, key := range keys {
		if i > 0 {
			m.keys = append(m.keys, ' ')
		}
		m.keys = append(m.keys, key...)
	}
	m.writer.PutBytes(message.NameKeys, m.keys)
}

func sysFlag(v *apiv2.MessageView) (flag int32) {
	if v.MessageType == apiv2.MessageType_TRANSACTION {
		flag |= message.FlagTransactionPrepared
	}
	if v.BodyEncoding == apiv2.Encoding_GZIP {
		flag |= message.FlagCompressed
	}
	return flag
}

// bornTimestamp is 1970 for a client that did not say, as with the reference, and now for one
// that said what is no time.
func bornTimestamp(v *apiv2.MessageView, now time.Time) int64 {
	if v.BornTimestamp.Valid() {
		return v.BornTimestamp.UnixMilli()
	}
	return now.UnixMilli()
}

// types puts the type that properties tell into the contract's words.
var types = [...]backend.MessageType{
	message.TypeNormal: backend.TypeNormal, message.TypeFIFO: backend.TypeFIFO, message.TypeDelay: backend.TypeDelay,
	message.TypeTransaction: backend.TypeTransaction, message.TypePriority: backend.TypePriority, message.TypeLite: backend.TypeLite,
}

func typeOf(properties []byte) backend.MessageType { return types[message.TypeOf(properties)] }

// typeOfMessage is typeOf of the properties that v will have, without writing them first. Of
// the properties that tell a type, a sender may set the message group's by itself.
func typeOfMessage(v *apiv2.MessageView) backend.MessageType {
	switch {
	case v.MessageType == apiv2.MessageType_TRANSACTION:
		return backend.TypeTransaction
	case v.DeliveryTimestamp.Set:
		return backend.TypeDelay
	case len(v.MessageGroup) > 0 || setsGroup(v.UserProperties):
		return backend.TypeFIFO
	case v.HasPriority:
		return backend.TypePriority
	case len(v.LiteTopic) > 0:
		return backend.TypeLite
	}
	return backend.TypeNormal
}

func setsGroup(properties []apiv2.Property) bool {
	for i := range properties {
		if p := &properties[i]; len(p.Value) > 0 && string(p.Key) == message.NameShardingKey {
			return true
		}
	}
	return false
}

// messageTypes puts the contract's words into the API's.
var messageTypes = [...]apiv2.MessageType{
	backend.TypeUnspecified: apiv2.MessageType_MESSAGE_TYPE_UNSPECIFIED, backend.TypeNormal: apiv2.MessageType_NORMAL,
	backend.TypeFIFO: apiv2.MessageType_FIFO, backend.TypeDelay: apiv2.MessageType_DELAY,
	backend.TypeTransaction: apiv2.MessageType_TRANSACTION, backend.TypePriority: apiv2.MessageType_PRIORITY,
	backend.TypeLite: apiv2.MessageType_LITE,
}
