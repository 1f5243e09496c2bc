package command

// ChangeInvisible is a CHANGE_MESSAGE_INVISIBLETIME (200053) request. Specification 2.12.
type ChangeInvisible struct {
	ConsumerGroup []byte
	Topic         []byte // the real one: the retry topic when the handle says so
	ExtraInfo     []byte // the receipt handle as it was handed out
	LiteTopic     []byte // nil is absent
	Offset        int64  // queue offset
	InvisibleTime int64  // ms from the broker's now
	QueueID       int32
	Suspend       bool // the coming delivery is not counted as another attempt
}

// AppendChangeInvisible appends the head of a change, in JSON because of its code.
func AppendChangeInvisible(dst []byte, opaque int32, r *ChangeInvisible, bodyLen int) []byte {
	w := beginJSON(dst, int32(RequestChangeInvisible), opaque, 0)
	w.fields()
	w.bytes("consumerGroup", r.ConsumerGroup)
	w.bytes("topic", r.Topic)
	w.int("queueId", int64(r.QueueID))
	w.bytes("extraInfo", r.ExtraInfo)
	w.int("offset", r.Offset)
	w.int("invisibleTime", r.InvisibleTime)
	w.optBytes("liteTopic", r.LiteTopic)
	w.bool("suspend", r.Suspend)
	return w.seal(bodyLen)
}

// ChangeInvisibleResponse is what the new receipt handle is made of. A FIFO change keeps the
// pop time and stretches the invisible time instead. All are zero when the broker had nothing
// left to change.
type ChangeInvisibleResponse struct {
	PopTime       int64 // ms since 1970
	InvisibleTime int64 // ms
	ReviveQueueID int32
}

// ParseChangeInvisibleResponse reads the ext fields of the answer.
func ParseChangeInvisibleResponse(h *Head) (r ChangeInvisibleResponse, err error) {
	p := extParser{ext: h.Ext}
	for p.next() {
		switch string(p.key) {
		case "popTime":
			r.PopTime = p.int64(1)
		case "invisibleTime":
			r.InvisibleTime = p.int64(2)
		case "reviveQid":
			r.ReviveQueueID = p.int32(4)
		}
	}
	return r, p.err(1|2|4, "popTime, invisibleTime, reviveQid")
}
