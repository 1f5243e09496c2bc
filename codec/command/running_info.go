package command

// What operators ask of a consumer through its broker. Specification 2.25.

// ConsumerQuestion is what GET_CONSUMER_RUNNING_INFO (307) and CONSUME_MESSAGE_DIRECTLY (309)
// requests have in common. The body of the latter is the message as a stored record. Views borrow
// from the head.
type ConsumerQuestion struct {
	ConsumerGroup []byte
	ClientID      []byte
	Stack         bool // of 307: tell also what the threads do
}

// ParseConsumerQuestion reads the ext fields of either request.
func ParseConsumerQuestion(h *Head) (r ConsumerQuestion, err error) {
	p := extParser{ext: h.Ext}
	for p.next() {
		switch string(p.key) {
		case "consumerGroup":
			r.ConsumerGroup = p.required(1)
		case "clientId":
			r.ClientID = p.required(2)
		case "jstackEnable":
			r.Stack = string(p.value) == "true"
		}
	}
	return r, p.err(1|2, "consumerGroup, clientId")
}

// RunningInfo is the body of the answer to GET_CONSUMER_RUNNING_INFO, as far as a proxy knows it.
type RunningInfo struct {
	Stack         string            `json:"jstack,omitempty"`
	Properties    map[string]string `json:"properties"`
	Subscriptions []Subscription    `json:"subscriptionSet"`
}

// The properties of a RunningInfo that mqadmin reads.
const (
	PropertyConsumeType   = "PROP_CONSUME_TYPE" // CONSUME_ACTIVELY, CONSUME_PASSIVELY
	PropertyOrderly       = "PROP_CONSUMEORDERLY"
	PropertyClientVersion = "PROP_CLIENT_VERSION"
)

// AppendRunningInfoBody appends the body.
func AppendRunningInfoBody(dst []byte, r *RunningInfo) []byte { return appendBody(dst, r) }

// ConsumeDirectly is the body of the answer to CONSUME_MESSAGE_DIRECTLY.
type ConsumeDirectly struct {
	AutoCommit bool   `json:"autoCommit"`
	Result     string `json:"consumeResult"` // CR_SUCCESS, CR_LATER, CR_RETURN_NULL, CR_THROW_EXCEPTION, ...
	Order      bool   `json:"order"`
	Remark     string `json:"remark"`
	SpentMs    int64  `json:"spentTimeMills"`
}

// AppendConsumeDirectlyBody appends the body.
func AppendConsumeDirectlyBody(dst []byte, r *ConsumeDirectly) []byte { return appendBody(dst, r) }
