package cluster

import (
	"errors"
	"strconv"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/remoting"
	"rocketmq-proxy/server/backend"
)

// accessBrokerTimeout is of the reference's own client, for a broker that did not answer it.
const accessBrokerTimeout command.ResponseCode = 10002

// answerKinds is the one table from what a broker or name server answers to a kind of fault (gRPC
// specification 8.3). A test holds every code that there is against it; one that there is not is
// Internal.
var answerKinds = map[command.ResponseCode]backend.Kind{
	command.ResponseSystemBusy:                    backend.Busy,
	command.ResponseRequestCodeNotSupported:       backend.NotSupported,
	command.ResponseTopicNotExist:                 backend.TopicNotFound,
	command.ResponseGroupNotExist:                 backend.GroupNotFound,
	command.ResponseLMQQuotaExceeded:              backend.LiteTopicQuota,
	command.ResponseLiteSubscriptionQuotaExceeded: backend.SubscriptionQuota,
	accessBrokerTimeout:                           backend.Timeout,

	// Sends, pops and acks know some of these better; where they are heard they are no fault.
	command.ResponseSystemError:               backend.Internal,
	command.ResponseMessageIllegal:            backend.Internal,
	command.ResponseServiceNotAvailable:       backend.Internal,
	command.ResponseVersionNotSupported:       backend.Internal,
	command.ResponseNoPermission:              backend.Internal,
	command.ResponseFlowControl:               backend.Internal,
	command.ResponseIllegalOperation:          backend.Internal,
	command.ResponseInvalidParameter:          backend.Internal,
	command.ResponseSubscriptionParseFailed:   backend.Internal,
	command.ResponseSubscriptionNotExist:      backend.Internal,
	command.ResponseSubscriptionNotLatest:     backend.Internal,
	command.ResponseFilterDataNotExist:        backend.Internal,
	command.ResponseFilterDataNotLatest:       backend.Internal,
	command.ResponseTransactionFailed:         backend.Internal,
	command.ResponseTransactionShouldCommit:   backend.Internal,
	command.ResponseTransactionShouldRollback: backend.Internal,
	command.ResponseTransactionStateUnknown:   backend.Internal,
	command.ResponseTransactionGroupWrong:     backend.Internal,
	command.ResponseFlushDiskTimeout:          backend.Internal,
	command.ResponseSlaveNotAvailable:         backend.Internal,
	command.ResponseFlushSlaveTimeout:         backend.Internal,
	command.ResponsePullNotFound:              backend.Internal,
	command.ResponsePullRetryImmediately:      backend.Internal,
	command.ResponsePullOffsetMoved:           backend.Internal,
	command.ResponseQueryNotFound:             backend.Internal,
	command.ResponseNoMessage:                 backend.Internal,
	command.ResponsePollingFull:               backend.Internal,
	command.ResponsePollingTimeout:            backend.Internal,
	command.ResponseTopicExistAlready:         backend.Internal,
	command.ResponseNoBuyerID:                 backend.Internal,
	command.ResponseNotInCurrentUnit:          backend.Internal,
	command.ResponseConsumerNotOnline:         backend.Internal,
	command.ResponseConsumeTimeout:            backend.Internal,
	command.ResponseBrokerNotExist:            backend.Internal,
	command.ResponseDispatchNotComplete:       backend.Internal,
	command.ResponseBroadcastConsumption:      backend.Internal,
	command.ResponseNotLeaderForQueue:         backend.Internal,
	command.ResponseGoAway:                    backend.Internal,
	command.ResponseUserNotExist:              backend.Internal,
	command.ResponsePolicyNotExist:            backend.Internal,
}

// callKinds is the table from why there was no answer to a kind of fault: 8.1, but for our own
// bounds, which the reference has not.
var callKinds = map[remoting.CallErrorKind]backend.Kind{
	remoting.Timeout:         backend.Timeout,
	remoting.TooManyInFlight: backend.Busy,
	remoting.OutboxFull:      backend.Busy,
	remoting.QueueFull:       backend.Busy,
	remoting.ConnectionLost:  backend.Internal,
	remoting.ConnectFailed:   backend.Internal,
	remoting.Encode:          backend.Internal,
	remoting.GoAway:          backend.Internal,
	remoting.GoAwayTwice:     backend.Internal,
	remoting.Ended:           backend.Internal,
	remoting.Lapsed:          backend.Timeout, // who lets a call lapse looks at the kind itself
}

// answerError is an answer to a question that is no success.
type answerError struct {
	from   string // the name server, or nothing
	code   command.ResponseCode
	remark string
}

func (e *answerError) Error() string {
	text := e.code.String() + ": " + e.remark
	if e.from != "" {
		text = "name server " + e.from + " answered " + text
	}
	return text
}

// brokerFault says in neutral words what a broker answered.
func brokerFault(head *command.Head) backend.Fault {
	return answerFault(command.ResponseCode(head.Code), string(head.Remark))
}

func answerFault(code command.ResponseCode, text string) backend.Fault {
	kind, known := answerKinds[code]
	if !known {
		kind = backend.Internal
	}
	if code == command.ResponseTopicNotExist { // the one that the reference shows with its code
		text = "CODE: " + strconv.Itoa(int(code)) + "  DESC: " + text
	}
	return backend.Fault{Kind: kind, Text: text}
}

// callFault says in neutral words why there was no answer, or none that is a success.
func callFault(err error) backend.Fault {
	if answer, ok := errors.AsType[*answerError](err); ok {
		return answerFault(answer.code, answer.remark)
	}
	kind := backend.Internal
	if call, ok := errors.AsType[*remoting.CallError](err); ok && callKinds[call.Kind] != backend.None {
		kind = callKinds[call.Kind]
	}
	return backend.Fault{Kind: kind, Text: err.Error()}
}

// stale tells whether an answer, or its absence, puts a route in doubt.
func stale(code command.ResponseCode) bool {
	return code == command.ResponseTopicNotExist || code == command.ResponseNotLeaderForQueue
}

func atoiOr(text string, otherwise int) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return otherwise
}
