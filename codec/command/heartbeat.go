package command

import "encoding/json"

// Heartbeat is the body of a HEART_BEAT (34) request: it registers a client's groups at a
// broker for 120 s. Specification 2.17.
//
// Empty lists are left out, not written as null: a broker takes an absent one as empty.
type Heartbeat struct {
	ClientID    string              `json:"clientID"`
	Consumers   []HeartbeatConsumer `json:"consumerDataSet,omitempty"`
	Producers   []HeartbeatProducer `json:"producerDataSet,omitempty"`
	Fingerprint int32               `json:"heartbeatFingerprint"`
	WithoutSub  bool                `json:"withoutSub"`
}

// HeartbeatProducer is a producer group of a client.
type HeartbeatProducer struct {
	Group string `json:"groupName"`
}

// HeartbeatConsumer is a consumer group of a client.
type HeartbeatConsumer struct {
	Group            string         `json:"groupName"`
	ConsumeType      string         `json:"consumeType"`      // CONSUME_ACTIVELY, CONSUME_PASSIVELY, CONSUME_POP
	MessageModel     string         `json:"messageModel"`     // CLUSTERING, BROADCASTING
	ConsumeFromWhere string         `json:"consumeFromWhere"` // CONSUME_FROM_LAST_OFFSET, ...
	Subscriptions    []Subscription `json:"subscriptionDataSet,omitempty"`
	UnitMode         bool           `json:"unitMode"`
}

// Subscription is what a group wants of a topic.
type Subscription struct {
	Topic          string   `json:"topic"`
	Expression     string   `json:"subString"`
	ExpressionType string   `json:"expressionType"`
	Tags           []string `json:"tagsSet,omitempty"`
	TagHashes      []int32  `json:"codeSet,omitempty"` // Java hash of each tag
	Version        int64    `json:"subVersion"`        // ms since 1970 of the last change
	ClassFilter    bool     `json:"classFilterMode"`
}

// AppendHeartbeat appends the head of a heartbeat, which has no fields. The body comes from
// [AppendHeartbeatBody]; both are cold.
func AppendHeartbeat(dst []byte, opaque int32, bodyLen int) []byte {
	w := beginJSON(dst, int32(RequestHeartbeat), opaque, 0)
	w.fields()
	return w.seal(bodyLen)
}

// AppendHeartbeatBody appends the body of a heartbeat.
func AppendHeartbeatBody(dst []byte, r *Heartbeat) []byte { return appendBody(dst, r) }

// ParseHeartbeatBody reads the body of a heartbeat.
func ParseHeartbeatBody(body []byte) (*Heartbeat, error) { return parseBody[Heartbeat](body) }

// appendBody appends v as JSON. The types given to it cannot fail to encode.
func appendBody(dst []byte, v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic("command: " + err.Error())
	}
	return append(dst, body...)
}

// parseBody reads a cold JSON body of a Java peer.
func parseBody[T any](body []byte) (*T, error) {
	v := new(T)
	if err := json.Unmarshal(quoteNumericKeys(body), v); err != nil {
		return nil, err
	}
	return v, nil
}
