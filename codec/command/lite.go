package command

// Lite topics: many small topics inside one, each read by the clients that subscribe to it.
// Specification 2.24.

// LiteSubscription is one entry of a LITE_SUBSCRIPTION_CTL (200071) request: a client says which
// lite topics it reads.
type LiteSubscription struct {
	Action      string      `json:"action"` // PARTIAL_ADD, PARTIAL_REMOVE, COMPLETE_ADD, COMPLETE_REMOVE
	ClientID    string      `json:"clientId"`
	Group       string      `json:"group"`
	LiteTopics  []string    `json:"liteTopicSet"`
	OffsetStart *LiteOffset `json:"offsetOption,omitempty"`
	Topic       string      `json:"topic"`
	Version     int64       `json:"version"`
}

// LiteOffset says where a group begins in a lite topic that it never read.
type LiteOffset struct {
	Type  string `json:"type"`  // POLICY, OFFSET, TAIL_N, TIMESTAMP
	Value int64  `json:"value"` // of POLICY: 0 last, 1 min, 2 max
}

// LiteSubscriptions is the body of a LITE_SUBSCRIPTION_CTL request.
type LiteSubscriptions struct {
	Subscriptions []LiteSubscription `json:"subscriptionSet"`
}

// AppendLiteSubscription appends the head of the request, which has no fields.
func AppendLiteSubscription(dst []byte, opaque int32, bodyLen int) []byte {
	w := beginJSON(dst, int32(RequestLiteSubscription), opaque, 0)
	w.fields()
	return w.seal(bodyLen)
}

// AppendLiteSubscriptionBody appends its body.
func AppendLiteSubscriptionBody(dst []byte, r *LiteSubscriptions) []byte { return appendBody(dst, r) }

// ParseLiteSubscriptionBody reads its body, for brokers of our own.
func ParseLiteSubscriptionBody(body []byte) (*LiteSubscriptions, error) {
	return parseBody[LiteSubscriptions](body)
}

// PopLite is a POP_LITE_MESSAGE (200070) request: from the lite topics that a client subscribes
// to.
type PopLite struct {
	ClientID      []byte
	ConsumerGroup []byte
	Topic         []byte // their parent
	AttemptID     []byte // nil is absent
	InvisibleTime int64  // ms
	PollTime      int64  // ms
	BornTime      int64  // ms since 1970; unlike that of a pop it must be told
	MaxMsgNum     int32  // at most [PopMessagesMax]
}

// AppendPopLite appends the head of the request, in JSON because of its code.
func AppendPopLite(dst []byte, opaque int32, r *PopLite, bodyLen int) []byte {
	w := beginJSON(dst, int32(RequestPopLite), opaque, 0)
	w.fields()
	w.bytes("clientId", r.ClientID)
	w.bytes("consumerGroup", r.ConsumerGroup)
	w.bytes("topic", r.Topic)
	w.int("maxMsgNum", int64(r.MaxMsgNum))
	w.int("invisibleTime", r.InvisibleTime)
	w.int("pollTime", r.PollTime)
	w.int("bornTime", r.BornTime)
	w.optBytes("attemptId", r.AttemptID)
	return w.seal(bodyLen)
}

// PopLiteResponse is the head of the answer: a count for each message, in their order, in the
// place of the info strings of a pop. It borrows from the head.
type PopLiteResponse struct {
	PopTime        int64 // ms since 1970, the broker's clock
	InvisibleTime  int64 // ms
	ReviveQueueID  int32 // always 999
	OrderCountInfo []byte
}

// ParsePopLiteResponse reads the ext fields of the answer.
func ParsePopLiteResponse(h *Head) (r PopLiteResponse, err error) {
	p := extParser{ext: h.Ext}
	for p.next() {
		switch string(p.key) {
		case "popTime":
			r.PopTime = p.int64(1)
		case "invisibleTime":
			r.InvisibleTime = p.int64(2)
		case "reviveQid":
			r.ReviveQueueID = p.int32(4)
		case "orderCountInfo":
			r.OrderCountInfo = p.value
		}
	}
	return r, p.err(1|2|4, "popTime, invisibleTime, reviveQid")
}

// NotifyUnsubscribeLite is a NOTIFY_UNSUBSCRIBE_LITE (200073) request that a broker sends,
// oneway: a client no longer has a lite topic. It borrows from the head.
type NotifyUnsubscribeLite struct {
	LiteTopic, ConsumerGroup, ClientID []byte
}

// ParseNotifyUnsubscribeLite reads the ext fields of a notification.
func ParseNotifyUnsubscribeLite(h *Head) (r NotifyUnsubscribeLite, err error) {
	p := extParser{ext: h.Ext}
	for p.next() {
		switch string(p.key) {
		case "liteTopic":
			r.LiteTopic = p.required(1)
		case "consumerGroup":
			r.ConsumerGroup = p.required(2)
		case "clientId":
			r.ClientID = p.required(4)
		}
	}
	return r, p.err(1|2|4, "liteTopic, consumerGroup, clientId")
}
