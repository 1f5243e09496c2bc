package command

// SendBack is a CONSUMER_SEND_MSG_BACK (36) request: the broker copies a message, named by its
// place in the commit log, to the retry or the dead-letter topic of a group. Specification 2.14.
type SendBack struct {
	Group             string
	OriginMsgID       string // "" is absent
	OriginTopic       string // "" is absent
	Offset            int64  // commit-log offset
	DelayLevel        int32  // DelayLevelDeadLetter, 0 for the next level, else that level
	MaxReconsumeTimes int32
}

// DelayLevelDeadLetter sends straight to the dead-letter topic. The reference proxy sends it
// with MaxReconsumeTimes 0.
const DelayLevelDeadLetter int32 = -1

// AppendSendBack appends the head of a send-back. The answer has no fields.
func AppendSendBack(dst []byte, opaque int32, r *SendBack, bodyLen int) []byte {
	w := beginJSON(dst, int32(RequestSendBack), opaque, 0)
	w.fields()
	w.int("offset", r.Offset)
	w.string("group", r.Group)
	w.int("delayLevel", int64(r.DelayLevel))
	w.optString("originMsgId", r.OriginMsgID)
	w.optString("originTopic", r.OriginTopic)
	w.bool("unitMode", false)
	w.int("maxReconsumeTimes", int64(r.MaxReconsumeTimes))
	return w.seal(bodyLen)
}
