package command

// ConsumerOffset names how far a group has consumed a queue. Specification 2.20.
type ConsumerOffset struct {
	ConsumerGroup string
	Topic         string
	QueueID       int32
}

// AppendQueryConsumerOffset appends the head of a QUERY_CONSUMER_OFFSET (14) request. A group
// that never told is answered with QUERY_NOT_FOUND, where the reference's clients may be told 0.
func AppendQueryConsumerOffset(dst []byte, opaque int32, r *ConsumerOffset, bodyLen int) []byte {
	w := beginConsumerOffset(dst, RequestQueryConsumerOffset, opaque, r)
	w.bool("setZeroIfNotFound", false)
	return w.seal(bodyLen)
}

// AppendUpdateConsumerOffset appends the head of an UPDATE_CONSUMER_OFFSET (15) request. Brokers
// take any offset, one that no message has among them.
func AppendUpdateConsumerOffset(dst []byte, opaque int32, r *ConsumerOffset, offset int64, bodyLen int) []byte {
	w := beginConsumerOffset(dst, RequestUpdateConsumerOffset, opaque, r)
	w.int("commitOffset", offset)
	return w.seal(bodyLen)
}

func beginConsumerOffset(dst []byte, code RequestCode, opaque int32, r *ConsumerOffset) jsonHead {
	w := beginJSON(dst, int32(code), opaque, 0)
	w.fields()
	w.string("consumerGroup", r.ConsumerGroup)
	w.string("topic", r.Topic)
	w.int("queueId", int64(r.QueueID))
	return w
}
