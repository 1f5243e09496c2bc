package command

// AckMessage is an ACK_MESSAGE (200051) request. It is idempotent: a second or a late ack is
// answered with 0. Specification 2.10.
type AckMessage struct {
	ConsumerGroup []byte
	Topic         []byte // the real one: the retry topic when the handle says so
	ExtraInfo     []byte // the receipt handle as it was handed out
	LiteTopic     []byte // nil is absent
	Offset        int64  // queue offset
	QueueID       int32
}

// AppendAck appends the head of an ack, in JSON because of its code. The answer has no fields.
func AppendAck(dst []byte, opaque int32, r *AckMessage, bodyLen int) []byte {
	w := beginJSON(dst, int32(RequestAckMessage), opaque, 0)
	w.fields()
	w.bytes("consumerGroup", r.ConsumerGroup)
	w.bytes("topic", r.Topic)
	w.int("queueId", int64(r.QueueID))
	w.bytes("extraInfo", r.ExtraInfo)
	w.int("offset", r.Offset)
	w.optBytes("liteTopic", r.LiteTopic)
	return w.seal(bodyLen)
}
