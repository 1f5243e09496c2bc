package messaging

import (
	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/server/backend"
)

// codes is the one table from what went wrong to what the client is told (gRPC specification
// 8.1 to 8.3). A test holds every kind against it.
var codes = [backend.Kinds]apiv2.Code{
	backend.None:                apiv2.Code_OK,
	backend.Internal:            apiv2.Code_INTERNAL_SERVER_ERROR,
	backend.Timeout:             apiv2.Code_PROXY_TIMEOUT,
	backend.Busy:                apiv2.Code_TOO_MANY_REQUESTS,
	backend.TopicNotFound:       apiv2.Code_TOPIC_NOT_FOUND,
	backend.GroupNotFound:       apiv2.Code_CONSUMER_GROUP_NOT_FOUND,
	backend.NoWritableQueue:     apiv2.Code_FORBIDDEN,
	backend.NoReadableQueue:     apiv2.Code_FORBIDDEN,
	backend.BadBroker:           apiv2.Code_BAD_REQUEST,
	backend.BadQueue:            apiv2.Code_BAD_REQUEST,
	backend.BadOffset:           apiv2.Code_ILLEGAL_OFFSET,
	backend.BadHandle:           apiv2.Code_INVALID_RECEIPT_HANDLE,
	backend.BadFilter:           apiv2.Code_ILLEGAL_FILTER_EXPRESSION,
	backend.NotSupported:        apiv2.Code_NOT_IMPLEMENTED,
	backend.LiteTopicQuota:      apiv2.Code_LITE_TOPIC_QUOTA_EXCEEDED,
	backend.SubscriptionQuota:   apiv2.Code_LITE_SUBSCRIPTION_QUOTA_EXCEEDED,
	backend.OffsetNotFound:      apiv2.Code_OFFSET_NOT_FOUND,
	backend.TransactionNotFound: apiv2.Code_INTERNAL_SERVER_ERROR,
	backend.DiskFull:            apiv2.Code_INTERNAL_SERVER_ERROR,
}

// storeCodes says how safe a stored message is (gRPC specification 2.3).
var storeCodes = [...]struct {
	code apiv2.Code
	text string
}{
	backend.StoreOK:                  {apiv2.Code_OK, "OK"},
	backend.StoreFlushDiskTimeout:    {apiv2.Code_MASTER_PERSISTENCE_TIMEOUT, "send message failed, sendStatus=FLUSH_DISK_TIMEOUT"},
	backend.StoreFlushReplicaTimeout: {apiv2.Code_SLAVE_PERSISTENCE_TIMEOUT, "send message failed, sendStatus=FLUSH_SLAVE_TIMEOUT"},
	backend.StoreReplicaNotAvailable: {apiv2.Code_HA_NOT_AVAILABLE, "send message failed, sendStatus=SLAVE_NOT_AVAILABLE"},
}

// ok is success, as every method words it.
var ok = apiv2.Outcome{Code: apiv2.Code_OK, Message: "OK"}

func failure(code apiv2.Code, text string) apiv2.Outcome {
	return apiv2.Outcome{Code: code, Message: text}
}

// faultOutcome tells a client what went wrong behind the proxy.
func faultOutcome(f backend.Fault) apiv2.Outcome {
	code := codes[f.Kind]
	if f.Text == "" {
		return apiv2.Outcome{Code: code, Message: code.String()}
	}
	return apiv2.Outcome{Code: code, Message: f.Text}
}

// noTopic tells a client that a topic does not exist.
func noTopic(name string) apiv2.Outcome {
	return failure(apiv2.Code_TOPIC_NOT_FOUND, "CODE: 17  DESC: No topic route info in name server for the topic: "+name)
}

// overall is the status of an answer with several entries: theirs when they agree.
type overall struct {
	first apiv2.Code
	mixed bool
	any   bool
}

func (o *overall) add(code apiv2.Code) {
	o.mixed = o.mixed || (o.any && code != o.first)
	if !o.any {
		o.first, o.any = code, true
	}
}

func (o *overall) outcome(empty string) apiv2.Outcome {
	code := o.first
	switch {
	case !o.any:
		return failure(apiv2.Code_INTERNAL_SERVER_ERROR, empty)
	case o.mixed:
		code = apiv2.Code_MULTIPLE_RESULTS
	}
	return apiv2.Outcome{Code: code, Message: codeName(code)}
}

// codeName is Code.String without looking the common ones up by reflection.
func codeName(code apiv2.Code) string {
	if code == apiv2.Code_OK {
		return "OK"
	}
	return code.String()
}

func statusOf(o apiv2.Outcome) *apiv2.Status {
	return &apiv2.Status{Code: o.Code, Message: o.Message}
}
