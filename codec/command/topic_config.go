package command

// GetTopicConfig is a GET_TOPIC_CONFIG (351) request. Specification 2.5.
type GetTopicConfig struct {
	Topic string
}

// AppendGetTopicConfig appends the head of a question for a topic's settings.
func AppendGetTopicConfig(dst []byte, opaque int32, r *GetTopicConfig, bodyLen int) []byte {
	w := beginJSON(dst, int32(RequestGetTopicConfig), opaque, 0)
	w.fields()
	w.string("topic", r.Topic)
	return w.seal(bodyLen)
}

// TopicConfig is the body of the answer.
type TopicConfig struct {
	TopicName   string            `json:"topicName"`
	FilterType  string            `json:"topicFilterType"`
	Attributes  map[string]string `json:"attributes"` // without the sign they are set with
	ReadQueues  int32             `json:"readQueueNums"`
	WriteQueues int32             `json:"writeQueueNums"`
	Perm        Perm              `json:"perm"`
	SysFlag     int32             `json:"topicSysFlag"`
	Order       bool              `json:"order"`
}

// The attribute that says which messages a topic is for, and its value where there is none.
const (
	AttributeMessageType = "message.type"
	MessageTypeNormal    = "NORMAL"
)

// MessageType is UNSPECIFIED, NORMAL, FIFO, DELAY, TRANSACTION, PRIORITY, LITE or MIXED.
func (c *TopicConfig) MessageType() string {
	if t := c.Attributes[AttributeMessageType]; t != "" {
		return t
	}
	return MessageTypeNormal
}

// ParseTopicConfig reads the body of the answer.
func ParseTopicConfig(body []byte) (*TopicConfig, error) { return parseBody[TopicConfig](body) }

// AppendTopicConfig appends the body of an answer, for brokers of our own.
func AppendTopicConfig(dst []byte, c *TopicConfig) []byte { return appendBody(dst, c) }
