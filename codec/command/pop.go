package command

// PopMessage is a POP_MESSAGE (200050) request. Specification 2.9.
type PopMessage struct {
	ConsumerGroup  []byte
	Topic          []byte // the normal topic, never the retry topic
	ExpressionType []byte // "TAG" or "SQL92"; nil is absent
	Expression     []byte // "*", "a||b"; nil is absent
	AttemptID      []byte // a FIFO receive that is tried again says so; nil is absent
	InvisibleTime  int64  // ms
	PollTime       int64  // ms; 0 or less does not wait
	BornTime       int64  // ms since 1970; 0 lets the broker take its own now, as the reference does
	QueueID        int32  // -1 is the whole broker
	MaxMsgNums     int32  // at most [PopMessagesMax]
	InitMode       PopInitMode
	Order          bool // FIFO group
}

// PopMessagesMax is how many messages a broker lets one pop ask for; more is refused with
// INVALID_PARAMETER.
const PopMessagesMax = 32

// PopInitMode is where a group begins in a queue that it has never read.
type PopInitMode int32

// The reference proxy always begins at the end.
const (
	PopInitMin PopInitMode = 0
	PopInitMax PopInitMode = 1
)

// AppendPop appends the head of a pop, in JSON: its code does not fit the 16 bits that
// ROCKETMQ has for it.
func AppendPop(dst []byte, opaque int32, r *PopMessage, bodyLen int) []byte {
	w := beginJSON(dst, int32(RequestPopMessage), opaque, 0)
	w.fields()
	w.bytes("consumerGroup", r.ConsumerGroup)
	w.bytes("topic", r.Topic)
	w.int("queueId", int64(r.QueueID))
	w.int("maxMsgNums", int64(r.MaxMsgNums))
	w.int("invisibleTime", r.InvisibleTime)
	w.int("pollTime", r.PollTime)
	w.int("bornTime", r.BornTime)
	w.int("initMode", int64(r.InitMode))
	w.optBytes("expType", r.ExpressionType)
	w.optBytes("exp", r.Expression)
	w.bool("order", r.Order)
	w.optBytes("attemptId", r.AttemptID)
	return w.seal(bodyLen)
}

// PopResponse is the head of the answer to a pop; the body holds the messages. All numbers are
// there on every code, zero where they mean nothing. The info strings are read by [PopInfo] and
// borrow from the head.
type PopResponse struct {
	PopTime         int64 // ms since 1970, the broker's clock
	InvisibleTime   int64 // ms
	RestNum         int64 // messages still to be had
	ReviveQueueID   int32 // 999 for FIFO
	StartOffsetInfo []byte
	MsgOffsetInfo   []byte
	OrderCountInfo  []byte
}

// ParsePopResponse reads the ext fields of the answer to a pop.
func ParsePopResponse(h *Head) (r PopResponse, err error) {
	p := extParser{ext: h.Ext}
	for p.next() {
		switch string(p.key) {
		case "popTime":
			r.PopTime = p.int64(1)
		case "invisibleTime":
			r.InvisibleTime = p.int64(2)
		case "reviveQid":
			r.ReviveQueueID = p.int32(4)
		case "restNum":
			r.RestNum = p.int64(8)
		case "startOffsetInfo":
			r.StartOffsetInfo = p.value
		case "msgOffsetInfo":
			r.MsgOffsetInfo = p.value
		case "orderCountInfo":
			r.OrderCountInfo = p.value
		}
	}
	return r, p.err(1|2|4|8, "popTime, invisibleTime, reviveQid, restNum")
}
