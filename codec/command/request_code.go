package command

import "strconv"

// RequestCode says what a request wants. Specification 2.1.
type RequestCode int32

// The requests that a proxy sends, gets or relays.
const (
	RequestSendMessage              RequestCode = 10
	RequestPullMessage              RequestCode = 11
	RequestQueryConsumerOffset      RequestCode = 14
	RequestUpdateConsumerOffset     RequestCode = 15
	RequestUpdateAndCreateTopic     RequestCode = 17
	RequestSearchOffsetByTimestamp  RequestCode = 29
	RequestGetMaxOffset             RequestCode = 30
	RequestGetMinOffset             RequestCode = 31
	RequestGetEarliestStoreTime     RequestCode = 32
	RequestHeartbeat                RequestCode = 34
	RequestUnregisterClient         RequestCode = 35
	RequestSendBack                 RequestCode = 36
	RequestEndTransaction           RequestCode = 37
	RequestGetConsumerList          RequestCode = 38
	RequestCheckTransaction         RequestCode = 39
	RequestNotifyConsumerIDsChanged RequestCode = 40
	RequestLockBatch                RequestCode = 41
	RequestUnlockBatch              RequestCode = 42
	RequestCheckClientConfig        RequestCode = 46
	RequestGetRoute                 RequestCode = 105
	RequestGetClusterInfo           RequestCode = 106
	RequestUpdateAndCreateGroup     RequestCode = 200
	RequestGetConsumerConnections   RequestCode = 203
	RequestGetAllTopics             RequestCode = 206
	RequestResetConsumerOffset      RequestCode = 220
	RequestGetConsumerStatus        RequestCode = 221
	RequestInvokeResetOffset        RequestCode = 222
	RequestGetConsumerRunningInfo   RequestCode = 307
	RequestConsumeDirectly          RequestCode = 309
	RequestSendMessageV2            RequestCode = 310
	RequestSendBatchMessage         RequestCode = 320
	RequestPushReply                RequestCode = 326
	RequestGetTopicConfig           RequestCode = 351
	RequestGetGroupConfig           RequestCode = 352
	RequestLitePull                 RequestCode = 361
	RequestRecallMessage            RequestCode = 370
	RequestQueryAssignment          RequestCode = 400
	RequestSetMessageRequestMode    RequestCode = 401
	RequestAuthGetUser              RequestCode = 3004
	RequestAuthListUser             RequestCode = 3005
	RequestAuthGetACL               RequestCode = 3009
	RequestAuthListACL              RequestCode = 3010
	RequestPopMessage               RequestCode = 200050
	RequestAckMessage               RequestCode = 200051
	RequestChangeInvisible          RequestCode = 200053
	RequestNotification             RequestCode = 200054
	RequestPollingInfo              RequestCode = 200055
	RequestPopLite                  RequestCode = 200070
	RequestLiteSubscription         RequestCode = 200071
	RequestNotifyUnsubscribeLite    RequestCode = 200073
	RequestBatchAck                 RequestCode = 200151
)

var requestNames = map[RequestCode]string{
	RequestSendMessage:              "SEND_MESSAGE",
	RequestPullMessage:              "PULL_MESSAGE",
	RequestQueryConsumerOffset:      "QUERY_CONSUMER_OFFSET",
	RequestUpdateConsumerOffset:     "UPDATE_CONSUMER_OFFSET",
	RequestUpdateAndCreateTopic:     "UPDATE_AND_CREATE_TOPIC",
	RequestSearchOffsetByTimestamp:  "SEARCH_OFFSET_BY_TIMESTAMP",
	RequestGetMaxOffset:             "GET_MAX_OFFSET",
	RequestGetMinOffset:             "GET_MIN_OFFSET",
	RequestGetEarliestStoreTime:     "GET_EARLIEST_MSG_STORETIME",
	RequestHeartbeat:                "HEART_BEAT",
	RequestUnregisterClient:         "UNREGISTER_CLIENT",
	RequestSendBack:                 "CONSUMER_SEND_MSG_BACK",
	RequestEndTransaction:           "END_TRANSACTION",
	RequestGetConsumerList:          "GET_CONSUMER_LIST_BY_GROUP",
	RequestCheckTransaction:         "CHECK_TRANSACTION_STATE",
	RequestNotifyConsumerIDsChanged: "NOTIFY_CONSUMER_IDS_CHANGED",
	RequestLockBatch:                "LOCK_BATCH_MQ",
	RequestUnlockBatch:              "UNLOCK_BATCH_MQ",
	RequestCheckClientConfig:        "CHECK_CLIENT_CONFIG",
	RequestGetRoute:                 "GET_ROUTEINFO_BY_TOPIC",
	RequestGetClusterInfo:           "GET_BROKER_CLUSTER_INFO",
	RequestUpdateAndCreateGroup:     "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP",
	RequestGetConsumerConnections:   "GET_CONSUMER_CONNECTION_LIST",
	RequestGetAllTopics:             "GET_ALL_TOPIC_LIST_FROM_NAMESERVER",
	RequestResetConsumerOffset:      "RESET_CONSUMER_CLIENT_OFFSET",
	RequestGetConsumerStatus:        "GET_CONSUMER_STATUS_FROM_CLIENT",
	RequestInvokeResetOffset:        "INVOKE_BROKER_TO_RESET_OFFSET",
	RequestGetConsumerRunningInfo:   "GET_CONSUMER_RUNNING_INFO",
	RequestConsumeDirectly:          "CONSUME_MESSAGE_DIRECTLY",
	RequestSendMessageV2:            "SEND_MESSAGE_V2",
	RequestSendBatchMessage:         "SEND_BATCH_MESSAGE",
	RequestPushReply:                "PUSH_REPLY_MESSAGE_TO_CLIENT",
	RequestGetTopicConfig:           "GET_TOPIC_CONFIG",
	RequestGetGroupConfig:           "GET_SUBSCRIPTIONGROUP_CONFIG",
	RequestLitePull:                 "LITE_PULL_MESSAGE",
	RequestRecallMessage:            "RECALL_MESSAGE",
	RequestQueryAssignment:          "QUERY_ASSIGNMENT",
	RequestSetMessageRequestMode:    "SET_MESSAGE_REQUEST_MODE",
	RequestAuthGetUser:              "AUTH_GET_USER",
	RequestAuthListUser:             "AUTH_LIST_USER",
	RequestAuthGetACL:               "AUTH_GET_ACL",
	RequestAuthListACL:              "AUTH_LIST_ACL",
	RequestPopMessage:               "POP_MESSAGE",
	RequestAckMessage:               "ACK_MESSAGE",
	RequestChangeInvisible:          "CHANGE_MESSAGE_INVISIBLETIME",
	RequestNotification:             "NOTIFICATION",
	RequestPollingInfo:              "POLLING_INFO",
	RequestPopLite:                  "POP_LITE_MESSAGE",
	RequestLiteSubscription:         "LITE_SUBSCRIPTION_CTL",
	RequestNotifyUnsubscribeLite:    "NOTIFY_UNSUBSCRIBE_LITE",
	RequestBatchAck:                 "BATCH_ACK_MESSAGE",
}

// String is the name the protocol has for the code, its number for an unknown one.
func (c RequestCode) String() string {
	if name, ok := requestNames[c]; ok {
		return name
	}
	return strconv.Itoa(int(c))
}
