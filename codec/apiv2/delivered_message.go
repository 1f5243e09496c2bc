package apiv2

// DeliveredMessage is all of a message on its way to a consumer, but its body. Its strings
// must be UTF-8, or the client refuses the whole element; Repair sees to that.
//
// An empty string is left out; where a comment says optional, nil is left out and empty is
// written. Slices may be reused from one message to the next.
type DeliveredMessage struct {
	Topic          ResourceView
	UserProperties []Property

	Keys          [][]byte
	Tag           []byte // optional
	MessageID     []byte
	BodyDigest    []byte // MD5 of the body, in hexadecimal; empty for no digest
	BornHost      []byte
	StoreHost     []byte // address:port
	ReceiptHandle []byte // optional
	MessageGroup  []byte // optional
	TraceContext  []byte // optional
	LiteTopic     []byte // optional

	BornTimestamp     Timestamp
	StoreTimestamp    Timestamp
	DeliveryTimestamp Timestamp // of a delayed message

	BodyEncoding    Encoding
	MessageType     MessageType
	QueueID         int32
	DeliveryAttempt int32 // the first is 1; always written
	Priority        int32
	HasPriority     bool  // the priority is written
	QueueOffset     int64 // always written

	DeadLetterTopic     []byte // where a dead letter came from; left out
	DeadLetterMessageID []byte // when both are empty
}

// DeliveredSize is what SizeDelivered found out and AppendDeliveredHead needs, in bytes.
type DeliveredSize struct {
	Head  int // what AppendDeliveredHead appends
	Total int // Head and body: the length of the whole element

	message int // of Message, inside its field
	system  int // of SystemProperties, inside its field
	body    int
}

// Reset empties m and keeps the arrays of its slices.
func (m *DeliveredMessage) Reset() {
	clear(m.UserProperties)
	clear(m.Keys)
	*m = DeliveredMessage{UserProperties: m.UserProperties[:0], Keys: m.Keys[:0]}
}

// SizeDelivered measures the ReceiveMessageResponse, or the PullMessageResponse, that holds m
// with a body of bodyBytes.
func SizeDelivered(m *DeliveredMessage, bodyBytes int) DeliveredSize {
	s := DeliveredSize{system: m.sizeSystem(), body: bodyBytes}
	s.message = sizeBytes(tagMessageTopic, m.Topic.size()) + sizeBytes(tagMessageSystem, s.system)
	for i := range m.UserProperties {
		s.message += sizeBytes(tagMessageUserProperties, m.UserProperties[i].size())
	}
	if bodyBytes > 0 {
		s.message += sizeBytes(tagMessageBody, bodyBytes)
	}
	s.Total = sizeBytes(tagElementMessage, s.message)
	s.Head = s.Total - bodyBytes
	return s
}

// AppendDeliveredHead appends the element of SizeDelivered up to where the body's
// bytes follow; they are its last, so nothing comes after them. It borrows m, which must be
// as it was when s was taken of it.
func AppendDeliveredHead(dst []byte, m *DeliveredMessage, s DeliveredSize) []byte {
	dst = appendHead(dst, tagElementMessage, s.message)
	dst = m.Topic.appendField(dst, tagMessageTopic)
	for i := range m.UserProperties {
		dst = m.UserProperties[i].appendField(dst, tagMessageUserProperties)
	}
	dst = appendHead(dst, tagMessageSystem, s.system)
	dst = m.appendSystem(dst)
	if s.body > 0 {
		dst = appendHead(dst, tagMessageBody, s.body)
	}
	return dst
}

func (m *DeliveredMessage) sizeSystem() int {
	n := sizeOptionalText(tagSystemTag, m.Tag) +
		sizeText(tagSystemMessageID, m.MessageID) +
		m.sizeDigest() +
		sizeInt(tagSystemBodyEncoding, int64(m.BodyEncoding)) +
		sizeInt(tagSystemMessageType, int64(m.MessageType)) +
		m.BornTimestamp.sizeField(tagSystemBornTimestamp) +
		sizeText(tagSystemBornHost, m.BornHost) +
		m.StoreTimestamp.sizeField(tagSystemStoreTimestamp) +
		sizeText(tagSystemStoreHost, m.StoreHost) +
		m.DeliveryTimestamp.sizeField(tagSystemDeliveryTimestamp) +
		sizeOptionalText(tagSystemReceiptHandle, m.ReceiptHandle) +
		sizeInt(tagSystemQueueID, int64(m.QueueID)) +
		sizeOptionalInt(tagSystemQueueOffset, m.QueueOffset) +
		sizeOptionalInt(tagSystemDeliveryAttempt, int64(m.DeliveryAttempt)) +
		sizeOptionalText(tagSystemMessageGroup, m.MessageGroup) +
		sizeOptionalText(tagSystemTraceContext, m.TraceContext) +
		m.sizeDeadLetter() +
		sizeOptionalText(tagSystemLiteTopic, m.LiteTopic)
	for _, key := range m.Keys {
		n += sizeBytes(tagSystemKeys, len(key))
	}
	if m.HasPriority {
		n += sizeOptionalInt(tagSystemPriority, int64(m.Priority))
	}
	return n
}

func (m *DeliveredMessage) appendSystem(dst []byte) []byte {
	dst = appendOptionalText(dst, tagSystemTag, m.Tag)
	for _, key := range m.Keys {
		dst = appendBytes(dst, tagSystemKeys, key)
	}
	dst = appendText(dst, tagSystemMessageID, m.MessageID)
	dst = m.appendDigest(dst)
	dst = appendInt(dst, tagSystemBodyEncoding, int64(m.BodyEncoding))
	dst = appendInt(dst, tagSystemMessageType, int64(m.MessageType))
	dst = m.BornTimestamp.appendField(dst, tagSystemBornTimestamp)
	dst = appendText(dst, tagSystemBornHost, m.BornHost)
	dst = m.StoreTimestamp.appendField(dst, tagSystemStoreTimestamp)
	dst = appendText(dst, tagSystemStoreHost, m.StoreHost)
	dst = m.DeliveryTimestamp.appendField(dst, tagSystemDeliveryTimestamp)
	dst = appendOptionalText(dst, tagSystemReceiptHandle, m.ReceiptHandle)
	dst = appendInt(dst, tagSystemQueueID, int64(m.QueueID))
	dst = appendOptionalInt(dst, tagSystemQueueOffset, m.QueueOffset)
	dst = appendOptionalInt(dst, tagSystemDeliveryAttempt, int64(m.DeliveryAttempt))
	dst = appendOptionalText(dst, tagSystemMessageGroup, m.MessageGroup)
	dst = appendOptionalText(dst, tagSystemTraceContext, m.TraceContext)
	dst = m.appendDeadLetter(dst)
	dst = appendOptionalText(dst, tagSystemLiteTopic, m.LiteTopic)
	if m.HasPriority {
		dst = appendOptionalInt(dst, tagSystemPriority, int64(m.Priority))
	}
	return dst
}

// digestTypeBytes is the size of Digest.type, which is always MD5.
const digestTypeBytes = 2

func (m *DeliveredMessage) sizeDigest() int {
	if len(m.BodyDigest) == 0 {
		return 0
	}
	return sizeBytes(tagSystemBodyDigest, digestTypeBytes+sizeBytes(tagDigestChecksum, len(m.BodyDigest)))
}

func (m *DeliveredMessage) appendDigest(dst []byte) []byte {
	if len(m.BodyDigest) == 0 {
		return dst
	}
	dst = appendHead(dst, tagSystemBodyDigest, digestTypeBytes+sizeBytes(tagDigestChecksum, len(m.BodyDigest)))
	dst = append(dst, tagDigestType, byte(DigestType_MD5))
	return appendBytes(dst, tagDigestChecksum, m.BodyDigest)
}

func (m *DeliveredMessage) deadLetterBytes() int {
	return sizeText(tagDeadLetterTopic, m.DeadLetterTopic) + sizeText(tagDeadLetterMessageID, m.DeadLetterMessageID)
}

func (m *DeliveredMessage) sizeDeadLetter() int {
	n := m.deadLetterBytes()
	if n == 0 {
		return 0
	}
	return sizeBytes(tagSystemDeadLetterQueue, n)
}

func (m *DeliveredMessage) appendDeadLetter(dst []byte) []byte {
	n := m.deadLetterBytes()
	if n == 0 {
		return dst
	}
	dst = appendHead(dst, tagSystemDeadLetterQueue, n)
	dst = appendText(dst, tagDeadLetterTopic, m.DeadLetterTopic)
	return appendText(dst, tagDeadLetterMessageID, m.DeadLetterMessageID)
}

func (r *ResourceView) size() int {
	return sizeText(tagResourceNamespace, r.Namespace) + sizeText(tagResourceName, r.Name)
}

func (r *ResourceView) appendField(dst []byte, tag uint32) []byte {
	dst = appendHead(dst, tag, r.size())
	dst = appendText(dst, tagResourceNamespace, r.Namespace)
	return appendText(dst, tagResourceName, r.Name)
}

func (p *Property) size() int {
	return sizeBytes(tagMapKey, len(p.Key)) + sizeBytes(tagMapValue, len(p.Value))
}

func (p *Property) appendField(dst []byte, tag uint32) []byte {
	dst = appendHead(dst, tag, p.size())
	dst = appendBytes(dst, tagMapKey, p.Key)
	return appendBytes(dst, tagMapValue, p.Value)
}
