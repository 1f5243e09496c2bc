package command

// QueueOffset is a GET_MAX_OFFSET (30), GET_MIN_OFFSET (31) or SEARCH_OFFSET_BY_TIMESTAMP (29)
// request. Brokers answer 0 for a queue that they do not have. Specification 2.20.
type QueueOffset struct {
	Topic   string
	QueueID int32
}

// AppendGetMaxOffset appends the head of a question for the offset of the next message.
func AppendGetMaxOffset(dst []byte, opaque int32, r *QueueOffset, bodyLen int) []byte {
	return appendQueueOffset(dst, RequestGetMaxOffset, opaque, r, bodyLen)
}

// AppendGetMinOffset appends the head of a question for the offset of the oldest message.
func AppendGetMinOffset(dst []byte, opaque int32, r *QueueOffset, bodyLen int) []byte {
	return appendQueueOffset(dst, RequestGetMinOffset, opaque, r, bodyLen)
}

// AppendSearchOffset appends the head of a question for the offset of the first message stored
// at a time or later, in ms since 1970; when there is none, that is the offset of the next one.
func AppendSearchOffset(dst []byte, opaque int32, r *QueueOffset, timestamp int64, bodyLen int) []byte {
	w := beginJSON(dst, int32(RequestSearchOffsetByTimestamp), opaque, 0)
	w.fields()
	w.string("topic", r.Topic)
	w.int("queueId", int64(r.QueueID))
	w.int("timestamp", timestamp)
	w.string("boundaryType", "lower")
	return w.seal(bodyLen)
}

func appendQueueOffset(dst []byte, code RequestCode, opaque int32, r *QueueOffset, bodyLen int) []byte {
	w := beginJSON(dst, int32(code), opaque, 0)
	w.fields()
	w.string("topic", r.Topic)
	w.int("queueId", int64(r.QueueID))
	if code == RequestGetMaxOffset {
		w.bool("committed", true)
	}
	return w.seal(bodyLen)
}

// ParseOffsetResponse reads the answer to all of them, and to QUERY_CONSUMER_OFFSET.
func ParseOffsetResponse(h *Head) (offset int64, err error) {
	p := extParser{ext: h.Ext}
	for p.next() {
		if string(p.key) == "offset" {
			offset = p.int64(1)
		}
	}
	return offset, p.err(1, "offset")
}
