package command

// PullMessage is a PULL_MESSAGE (11) request: it reads one queue from an offset on, and leaves
// no trace. Specification 2.19.
type PullMessage struct {
	ConsumerGroup  []byte
	Topic          []byte
	ExpressionType []byte // "TAG" or "SQL92"
	Expression     []byte // "*", "a||b"
	QueueOffset    int64
	SuspendTimeout int64 // ms that the broker may hold a pull that finds nothing; 0 does not wait
	QueueID        int32
	MaxMsgNums     int32 // less than 1 counts as 1
}

// The bits of a pull's sysFlag. The subscription always comes with the request, so that no
// consumer needs to be registered.
const (
	pullSuspend      = 1 << 1
	pullSubscription = 1 << 2
)

// AppendPull appends the head of a pull, in ROCKETMQ as that of a send: its code fits.
func AppendPull(dst []byte, opaque int32, r *PullMessage, bodyLen int) []byte {
	flag := int64(pullSubscription)
	if r.SuspendTimeout > 0 {
		flag |= pullSuspend
	}
	w := beginBinary(dst, int32(RequestPullMessage), opaque, 0, "")
	w.bytes("consumerGroup", r.ConsumerGroup)
	w.bytes("topic", r.Topic)
	w.int("queueId", int64(r.QueueID))
	w.int("queueOffset", r.QueueOffset)
	w.int("maxMsgNums", int64(r.MaxMsgNums))
	w.int("sysFlag", flag)
	w.int("commitOffset", 0)
	w.int("suspendTimeoutMillis", r.SuspendTimeout)
	w.optBytes("subscription", r.Expression)
	w.int("subVersion", 0)
	w.optBytes("expressionType", r.ExpressionType)
	return w.seal(bodyLen)
}

// PullResponse is the head of the answer to a pull; the body holds the messages. The numbers
// are there on codes 0, 19, 20 and 21.
type PullResponse struct {
	NextBeginOffset int64 // where to pull next
	MinOffset       int64 // of the oldest message
	MaxOffset       int64 // of the next message that is stored
}

// ParsePullResponse reads the ext fields of the answer to a pull.
func ParsePullResponse(h *Head) (r PullResponse, err error) {
	p := extParser{ext: h.Ext}
	for p.next() {
		switch string(p.key) {
		case "nextBeginOffset":
			r.NextBeginOffset = p.int64(1)
		case "minOffset":
			r.MinOffset = p.int64(2)
		case "maxOffset":
			r.MaxOffset = p.int64(4)
		}
	}
	return r, p.err(1|2|4, "nextBeginOffset, minOffset, maxOffset")
}
