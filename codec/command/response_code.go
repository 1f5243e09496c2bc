package command

import "strconv"

// ResponseCode says how a request went. Specification 1.8.
type ResponseCode int32

// The codes that travel. A remark says nothing about success: answers with code 0 often have one.
const (
	ResponseSuccess                       ResponseCode = 0
	ResponseSystemError                   ResponseCode = 1
	ResponseSystemBusy                    ResponseCode = 2
	ResponseRequestCodeNotSupported       ResponseCode = 3
	ResponseTransactionFailed             ResponseCode = 4
	ResponseFlushDiskTimeout              ResponseCode = 10
	ResponseSlaveNotAvailable             ResponseCode = 11
	ResponseFlushSlaveTimeout             ResponseCode = 12
	ResponseMessageIllegal                ResponseCode = 13
	ResponseServiceNotAvailable           ResponseCode = 14
	ResponseVersionNotSupported           ResponseCode = 15
	ResponseNoPermission                  ResponseCode = 16
	ResponseTopicNotExist                 ResponseCode = 17
	ResponseTopicExistAlready             ResponseCode = 18
	ResponsePullNotFound                  ResponseCode = 19
	ResponsePullRetryImmediately          ResponseCode = 20
	ResponsePullOffsetMoved               ResponseCode = 21
	ResponseQueryNotFound                 ResponseCode = 22
	ResponseSubscriptionParseFailed       ResponseCode = 23
	ResponseSubscriptionNotExist          ResponseCode = 24
	ResponseSubscriptionNotLatest         ResponseCode = 25
	ResponseGroupNotExist                 ResponseCode = 26
	ResponseFilterDataNotExist            ResponseCode = 27
	ResponseFilterDataNotLatest           ResponseCode = 28
	ResponseInvalidParameter              ResponseCode = 29
	ResponseTransactionShouldCommit       ResponseCode = 200
	ResponseTransactionShouldRollback     ResponseCode = 201
	ResponseTransactionStateUnknown       ResponseCode = 202
	ResponseTransactionGroupWrong         ResponseCode = 203
	ResponseNoBuyerID                     ResponseCode = 204
	ResponseNotInCurrentUnit              ResponseCode = 205
	ResponseConsumerNotOnline             ResponseCode = 206
	ResponseConsumeTimeout                ResponseCode = 207
	ResponseNoMessage                     ResponseCode = 208
	ResponsePollingFull                   ResponseCode = 209
	ResponsePollingTimeout                ResponseCode = 210
	ResponseBrokerNotExist                ResponseCode = 211
	ResponseDispatchNotComplete           ResponseCode = 212
	ResponseBroadcastConsumption          ResponseCode = 213
	ResponseFlowControl                   ResponseCode = 215
	ResponseNotLeaderForQueue             ResponseCode = 501
	ResponseIllegalOperation              ResponseCode = 604
	ResponseGoAway                        ResponseCode = 1500
	ResponseLMQQuotaExceeded              ResponseCode = 2017
	ResponseLiteSubscriptionQuotaExceeded ResponseCode = 2018
	ResponseUserNotExist                  ResponseCode = 3001
	ResponsePolicyNotExist                ResponseCode = 3002
)

var responseNames = map[ResponseCode]string{
	ResponseSuccess:                       "SUCCESS",
	ResponseSystemError:                   "SYSTEM_ERROR",
	ResponseSystemBusy:                    "SYSTEM_BUSY",
	ResponseRequestCodeNotSupported:       "REQUEST_CODE_NOT_SUPPORTED",
	ResponseTransactionFailed:             "TRANSACTION_FAILED",
	ResponseFlushDiskTimeout:              "FLUSH_DISK_TIMEOUT",
	ResponseSlaveNotAvailable:             "SLAVE_NOT_AVAILABLE",
	ResponseFlushSlaveTimeout:             "FLUSH_SLAVE_TIMEOUT",
	ResponseMessageIllegal:                "MESSAGE_ILLEGAL",
	ResponseServiceNotAvailable:           "SERVICE_NOT_AVAILABLE",
	ResponseVersionNotSupported:           "VERSION_NOT_SUPPORTED",
	ResponseNoPermission:                  "NO_PERMISSION",
	ResponseTopicNotExist:                 "TOPIC_NOT_EXIST",
	ResponseTopicExistAlready:             "TOPIC_EXIST_ALREADY",
	ResponsePullNotFound:                  "PULL_NOT_FOUND",
	ResponsePullRetryImmediately:          "PULL_RETRY_IMMEDIATELY",
	ResponsePullOffsetMoved:               "PULL_OFFSET_MOVED",
	ResponseQueryNotFound:                 "QUERY_NOT_FOUND",
	ResponseSubscriptionParseFailed:       "SUBSCRIPTION_PARSE_FAILED",
	ResponseSubscriptionNotExist:          "SUBSCRIPTION_NOT_EXIST",
	ResponseSubscriptionNotLatest:         "SUBSCRIPTION_NOT_LATEST",
	ResponseGroupNotExist:                 "SUBSCRIPTION_GROUP_NOT_EXIST",
	ResponseFilterDataNotExist:            "FILTER_DATA_NOT_EXIST",
	ResponseFilterDataNotLatest:           "FILTER_DATA_NOT_LATEST",
	ResponseInvalidParameter:              "INVALID_PARAMETER",
	ResponseTransactionShouldCommit:       "TRANSACTION_SHOULD_COMMIT",
	ResponseTransactionShouldRollback:     "TRANSACTION_SHOULD_ROLLBACK",
	ResponseTransactionStateUnknown:       "TRANSACTION_STATE_UNKNOW",
	ResponseTransactionGroupWrong:         "TRANSACTION_STATE_GROUP_WRONG",
	ResponseNoBuyerID:                     "NO_BUYER_ID",
	ResponseNotInCurrentUnit:              "NOT_IN_CURRENT_UNIT",
	ResponseConsumerNotOnline:             "CONSUMER_NOT_ONLINE",
	ResponseConsumeTimeout:                "CONSUME_MSG_TIMEOUT",
	ResponseNoMessage:                     "NO_MESSAGE",
	ResponsePollingFull:                   "POLLING_FULL",
	ResponsePollingTimeout:                "POLLING_TIMEOUT",
	ResponseBrokerNotExist:                "BROKER_NOT_EXIST",
	ResponseDispatchNotComplete:           "BROKER_DISPATCH_NOT_COMPLETE",
	ResponseBroadcastConsumption:          "BROADCAST_CONSUMPTION",
	ResponseFlowControl:                   "FLOW_CONTROL",
	ResponseNotLeaderForQueue:             "NOT_LEADER_FOR_QUEUE",
	ResponseIllegalOperation:              "ILLEGAL_OPERATION",
	ResponseGoAway:                        "GO_AWAY",
	ResponseLMQQuotaExceeded:              "LMQ_QUOTA_EXCEEDED",
	ResponseLiteSubscriptionQuotaExceeded: "LITE_SUBSCRIPTION_QUOTA_EXCEEDED",
	ResponseUserNotExist:                  "USER_NOT_EXIST",
	ResponsePolicyNotExist:                "POLICY_NOT_EXIST",
}

// String is the name the protocol has for the code, its number for an unknown one.
func (c ResponseCode) String() string {
	if name, ok := responseNames[c]; ok {
		return name
	}
	return strconv.Itoa(int(c))
}
