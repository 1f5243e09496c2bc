package message

// The names of properties that mean something. Specification 3.4.
const (
	NameKeys                    = "KEYS" // separated by single spaces
	NameTags                    = "TAGS"
	NameUniqKey                 = "UNIQ_KEY"      // the message id that clients see
	NameWait                    = "WAIT"          // waitStoreMsgOK
	NameDelay                   = "DELAY"         // delay level
	NameShardingKey             = "__SHARDINGKEY" // message group of a FIFO message
	NameTranMsg                 = "TRAN_MSG"      // "true": a half message
	NameProducerGroup           = "PGROUP"
	NameTransactionID           = "__transactionId__"
	NameTransactionCheckTimes   = "TRANSACTION_CHECK_TIMES"
	NameCheckImmunityTime       = "CHECK_IMMUNITY_TIME_IN_SECONDS" // seconds before the first check
	NameTranPreparedQueueOffset = "TRAN_PREPARED_QUEUE_OFFSET"
	NameReconsumeTime           = "RECONSUME_TIME"
	NameMaxReconsumeTimes       = "MAX_RECONSUME_TIMES"
	NameMinOffset               = "MIN_OFFSET"
	NameMaxOffset               = "MAX_OFFSET"
	NameDLQOriginTopic          = "DLQ_ORIGIN_TOPIC"
	NameDLQOriginMessageID      = "DLQ_ORIGIN_MESSAGE_ID"
	NameTimerDeliverMs          = "TIMER_DELIVER_MS" // ms since 1970
	NameTimerDelayMs            = "TIMER_DELAY_MS"   // ms from the send
	NameTimerDelaySec           = "TIMER_DELAY_SEC"  // s from the send
	NameTimerOutMs              = "TIMER_OUT_MS"     // ms since 1970, rounded by the broker
	NameRealTopic               = "REAL_TOPIC"       // the topic of a message that was rewritten
	NameRealQueueID             = "REAL_QID"
	NameRetryTopic              = "RETRY_TOPIC"
	NameOriginMessageID         = "ORIGIN_MESSAGE_ID"
	NameOriginGroup             = "ORIGIN_GROUP"
	NamePopCK                   = "POP_CK"         // receipt handle, made by the broker for retry messages
	NameFirstPopTime            = "1ST_POP_TIME"   // ms since 1970
	NameBornTimestamp           = "BORN_TIMESTAMP" // ms since 1970
	NameBornHost                = "__BORNHOST"     // of the client, where a proxy sent
	NameTraceContext            = "TRACE_CONTEXT"
	NameTraceOn                 = "TRACE_ON"
	NameMsgRegion               = "MSG_REGION"
	NameCluster                 = "CLUSTER"
	NamePriority                = "_SYS_MSG_PRIORITY_"
	NameLiteTopic               = "__LITE_TOPIC"
	NameMultiDispatch           = "INNER_MULTI_DISPATCH"     // names of light queues, separated by commas
	NameMultiQueueOffset        = "INNER_MULTI_QUEUE_OFFSET" // offsets in them
	NameInnerNum                = "INNER_NUM"
	NameInnerBase               = "INNER_BASE"
	NameTransferFlag            = "TRANSFER_FLAG"
	NameCRC32                   = "__CRC32#"
)

// reserved holds the names that a sender may not use for its own properties, and that are not
// shown to receivers among them. gRPC specification 3.5. Some names above are not reserved.
var reserved = map[string]struct{}{
	NameTraceOn:                 {},
	NameMsgRegion:               {},
	NameKeys:                    {},
	NameTags:                    {},
	NameWait:                    {},
	NameDelay:                   {},
	NameRetryTopic:              {},
	NameOriginGroup:             {},
	NameRealTopic:               {},
	NameRealQueueID:             {},
	NameTranMsg:                 {},
	NameProducerGroup:           {},
	NameMinOffset:               {},
	NameMaxOffset:               {},
	"BUYER_ID":                  {},
	NameOriginMessageID:         {},
	NameTransferFlag:            {},
	"CORRECTION_FLAG":           {},
	"MQ2_FLAG":                  {},
	NameReconsumeTime:           {},
	NameUniqKey:                 {},
	NameMaxReconsumeTimes:       {},
	"CONSUME_START_TIME":        {},
	NamePopCK:                   {},
	"POP_CK_OFFSET":             {},
	NameFirstPopTime:            {},
	NameTranPreparedQueueOffset: {},
	"DUP_INFO":                  {},
	"EXTEND_UNIQ_INFO":          {},
	"INSTANCE_ID":               {},
	"CORRELATION_ID":            {},
	"REPLY_TO_CLIENT":           {},
	"TTL":                       {},
	"ARRIVE_TIME":               {},
	"PUSH_REPLY_TIME":           {},
	NameCluster:                 {},
	"MSG_TYPE":                  {},
	NameMultiQueueOffset:        {},
	NameTimerDelayMs:            {},
	NameTimerDelaySec:           {},
	NameTimerDeliverMs:          {},
	"TIMER_ENQUEUE_MS":          {},
	"TIMER_DEQUEUE_MS":          {},
	"TIMER_ROLL_TIMES":          {},
	NameTimerOutMs:              {},
	"TIMER_DEL_UNIQKEY":         {},
	"TIMER_DELAY_LEVEL":         {},
	NameBornHost:                {},
	NameBornTimestamp:           {},
	NameDLQOriginTopic:          {},
	NameDLQOriginMessageID:      {},
	NameCRC32:                   {},
	NamePriority:                {},
	NameLiteTopic:               {},
}

// Reserved tells whether a property belongs to the system. None that does begins with a small
// letter, as most others do.
func Reserved(name []byte) bool {
	if len(name) == 0 || name[0] >= 'a' {
		return false
	}
	_, ok := reserved[string(name)]
	return ok
}
