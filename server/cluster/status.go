package cluster

import (
	"errors"
	"strconv"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/remoting"
	"rocketmq-proxy/server/backend"
)

// brokerKinds is the one table from a broker's or name server's answer to a kind of fault. A
// code that is not listed is Internal (gRPC specification 8.3).
var brokerKinds = map[command.ResponseCode]backend.Kind{
	command.ResponseSystemBusy:                    backend.Busy,
	command.ResponseRequestCodeNotSupported:       backend.NotSupported,
	command.ResponseTopicNotExist:                 backend.TopicNotFound,
	command.ResponseGroupNotExist:                 backend.GroupNotFound,
	command.ResponseLMQQuotaExceeded:              backend.LiteTopicQuota,
	command.ResponseLiteSubscriptionQuotaExceeded: backend.SubscriptionQuota,
}

// brokerFault says in neutral words what a broker answered.
func brokerFault(head *command.Head) backend.Fault {
	code := command.ResponseCode(head.Code)
	kind, known := brokerKinds[code]
	if !known {
		kind = backend.Internal
	}
	text := string(head.Remark)
	if code == command.ResponseTopicNotExist { // the one that the reference shows with its code
		text = "CODE: " + strconv.Itoa(int(code)) + "  DESC: " + text
	}
	return backend.Fault{Kind: kind, Text: text}
}

// callFault says in neutral words why there was no answer.
func callFault(err error) backend.Fault {
	kind := backend.Internal
	if call, ok := errors.AsType[*remoting.CallError](err); ok {
		switch call.Kind {
		case remoting.Timeout:
			kind = backend.Timeout
		case remoting.TooManyInFlight, remoting.OutboxFull, remoting.QueueFull:
			kind = backend.Busy
		}
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
