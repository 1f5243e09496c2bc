package apiv2

import "bytes"

// replacement stands for bytes that are no UTF-8: U+FFFD.
var replacement = []byte("\uFFFD")

// Repair makes every string of m UTF-8, putting U+FFFD where bytes are not. Brokers pass on
// what 4.x producers sent them, which may be anything. It allocates only where it repairs.
func (m *DeliveredMessage) Repair() {
	for _, text := range []*[]byte{
		&m.Topic.Namespace, &m.Topic.Name,
		&m.Tag, &m.MessageID, &m.BodyDigest, &m.BornHost, &m.StoreHost, &m.ReceiptHandle,
		&m.MessageGroup, &m.TraceContext, &m.LiteTopic,
		&m.DeadLetterTopic, &m.DeadLetterMessageID,
	} {
		repair(text)
	}
	for i := range m.Keys {
		repair(&m.Keys[i])
	}
	for i := range m.UserProperties {
		repair(&m.UserProperties[i].Key)
		repair(&m.UserProperties[i].Value)
	}
}

func repair(text *[]byte) {
	if !validUTF8(*text) {
		*text = bytes.ToValidUTF8(*text, replacement)
	}
}
