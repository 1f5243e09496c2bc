package command

// SendMessage is a SEND_MESSAGE_V2 (310) or SEND_BATCH_MESSAGE (320) request: one message, or
// several encoded end to end, for one queue. Specification 2.8.
type SendMessage struct {
	ProducerGroup      []byte // gRPC producers have none: the topic name
	Topic              []byte
	BrokerName         []byte // only from a 4.x client to a proxy; brokers do not need it
	Properties         []byte // of the (first) message, encoded
	BornTimestamp      int64  // ms since 1970
	QueueID            int32  // -1 lets the broker choose
	SysFlag            int32
	Flag               int32
	ReconsumeTimes     int32
	MaxReconsumeTimes  int32 // only for retry topics; 0 is absent
	DefaultTopicQueues int32 // for a topic that is created by this send; 0 means 4
}

// The topic whose settings a broker copies for a topic that it creates on the first send.
const (
	DefaultTopic             = "TBW102"
	defaultTopicQueues int32 = 4
)

// AppendSendMessageV2 appends the head of a single send.
func AppendSendMessageV2(dst []byte, opaque int32, r *SendMessage, bodyLen int) []byte {
	return appendSend(dst, RequestSendMessageV2, opaque, r, bodyLen)
}

// AppendSendBatch appends the head of a batch; the body holds the messages of
// specification 3.6, and the fields of r are those of the first.
func AppendSendBatch(dst []byte, opaque int32, r *SendMessage, bodyLen int) []byte {
	return appendSend(dst, RequestSendBatchMessage, opaque, r, bodyLen)
}

// appendSend writes ROCKETMQ, not JSON: properties are full of control characters, each of
// which JSON turns into six bytes, and both sides only copy here. The codes fit 16 bits.
func appendSend(dst []byte, code RequestCode, opaque int32, r *SendMessage, bodyLen int) []byte {
	w := beginBinary(dst, int32(code), opaque, 0, "")
	w.letterBytes('a', r.ProducerGroup)
	w.letterBytes('b', r.Topic)
	w.b = append(w.b, fieldDefaultTopic...)
	queues := r.DefaultTopicQueues
	if queues == 0 {
		queues = defaultTopicQueues
	}
	w.letterInt('d', int64(queues))
	w.letterInt('e', int64(r.QueueID))
	w.letterInt('f', int64(r.SysFlag))
	w.letterInt('g', r.BornTimestamp)
	w.letterInt('h', int64(r.Flag))
	if len(r.Properties) > 0 {
		w.letterBytes('i', r.Properties)
	}
	w.letterInt('j', int64(r.ReconsumeTimes))
	if r.MaxReconsumeTimes != 0 {
		w.letterInt('l', int64(r.MaxReconsumeTimes))
	}
	if code == RequestSendBatchMessage {
		w.string("m", "true")
	}
	w.optBytes("n", r.BrokerName)
	return w.seal(bodyLen)
}

// fieldDefaultTopic is the field c whole.
const fieldDefaultTopic = "\x00\x01c\x00\x00\x00\x06" + DefaultTopic

// SendResponse is what a broker says of a stored message (codes 0, 10, 11 and 12). Its views
// borrow from the head it was parsed of.
type SendResponse struct {
	MsgID         []byte // offset message id; comma-joined ids for a batch
	TransactionID []byte // the UNIQ_KEY, of every message, transactional or not
	RecallHandle  []byte // nil unless a timer message
	QueueOffset   int64
	QueueID       int32
}

// ParseSendResponse reads the ext fields of a successful send.
func ParseSendResponse(h *Head) (r SendResponse, err error) {
	p := extParser{ext: h.Ext}
	for p.next() {
		switch string(p.key) {
		case "msgId":
			r.MsgID = p.required(1)
		case "queueId":
			r.QueueID = p.int32(2)
		case "queueOffset":
			r.QueueOffset = p.int64(4)
		case "transactionId":
			r.TransactionID = p.value
		case "recallHandle":
			r.RecallHandle = p.value
		}
	}
	return r, p.err(1|2|4, "msgId, queueId, queueOffset")
}
