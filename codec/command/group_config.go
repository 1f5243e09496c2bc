package command

// GetGroupConfig is a GET_SUBSCRIPTIONGROUP_CONFIG (352) request. A broker that may create
// groups creates one that it is asked for. Specification 2.6.
type GetGroupConfig struct {
	Group string
}

// AppendGetGroupConfig appends the head of a question for a group's settings.
func AppendGetGroupConfig(dst []byte, opaque int32, r *GetGroupConfig, bodyLen int) []byte {
	w := beginJSON(dst, int32(RequestGetGroupConfig), opaque, 0)
	w.fields()
	w.string("group", r.Group)
	return w.seal(bodyLen)
}

// GroupConfig is the body of the answer.
type GroupConfig struct {
	GroupName               string              `json:"groupName"`
	Attributes              map[string]string   `json:"attributes"`
	RetryPolicy             RetryPolicy         `json:"groupRetryPolicy"`
	Subscriptions           []GroupSubscription `json:"subscriptionDataSet,omitempty"`
	BrokerID                int64               `json:"brokerId"`
	SlowBrokerID            int64               `json:"whichBrokerWhenConsumeSlowly"`
	RetryMaxTimes           int32               `json:"retryMaxTimes"`
	RetryQueues             int32               `json:"retryQueueNums"`
	ConsumeTimeoutMinutes   int32               `json:"consumeTimeoutMinute"`
	SysFlag                 int32               `json:"groupSysFlag"`
	ConsumeEnable           bool                `json:"consumeEnable"`
	ConsumeFromMinEnable    bool                `json:"consumeFromMinEnable"`
	ConsumeBroadcastEnable  bool                `json:"consumeBroadcastEnable"`
	ConsumeOrderly          bool                `json:"consumeMessageOrderly"`
	NotifyConsumerIDsEnable bool                `json:"notifyConsumerIdsChangedEnable"`
}

// GroupSubscription is a subscription that the group is fixed to.
type GroupSubscription struct {
	Topic          string `json:"topic"`
	Expression     string `json:"expression"`
	ExpressionType string `json:"expressionType"`
	Version        int64  `json:"version"`
}

// The types of a [RetryPolicy].
const (
	RetryCustomized  = "CUSTOMIZED"
	RetryExponential = "EXPONENTIAL"
)

// RetryPolicy says how long a failed delivery waits. A customized one without a table means the
// default table, [RetryDelaysDefault].
type RetryPolicy struct {
	Type        string            `json:"type"`
	Customized  *CustomizedRetry  `json:"customizedRetryPolicy,omitempty"`
	Exponential *ExponentialRetry `json:"exponentialRetryPolicy,omitempty"`
}

// CustomizedRetry is a table of delays in ms. The entry for a delivery is its reconsume times
// plus two, or the last one.
type CustomizedRetry struct {
	Next []int64 `json:"next"`
}

// ExponentialRetry is initial times multiplier to the power of the reconsume times, at most
// max; both in ms.
type ExponentialRetry struct {
	Initial    int64 `json:"initial"`
	Max        int64 `json:"max"`
	Multiplier int64 `json:"multiplier"`
}

// RetryDelaysDefault is the table of brokers, in ms: 1s 5s 10s 30s 1m to 10m 20m 30m 1h 2h.
var RetryDelaysDefault = [...]int64{
	1000, 5000, 10_000, 30_000, 60_000, 120_000, 180_000, 240_000, 300_000, 360_000, 420_000,
	480_000, 540_000, 600_000, 1_200_000, 1_800_000, 3_600_000, 7_200_000,
}

// ParseGroupConfig reads the body of the answer.
func ParseGroupConfig(body []byte) (*GroupConfig, error) { return parseBody[GroupConfig](body) }

// AppendGroupConfig appends the body of an answer, for brokers of our own.
func AppendGroupConfig(dst []byte, c *GroupConfig) []byte { return appendBody(dst, c) }
