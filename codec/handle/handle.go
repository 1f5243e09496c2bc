package handle

import (
	"errors"
	"strconv"
)

// Marks of the topic that a delivery was read from.
const (
	MarkNormal  byte = '0'
	MarkRetryV1 byte = '1' // %RETRY%<group>_<topic>
	MarkRetryV2 byte = '2' // %RETRY%<group>+<topic>
)

// CommitLogOffsetAbsent is the CommitLogOffset of a handle with eight fields.
const CommitLogOffsetAbsent = -1

// ReviveQueueOrder is the ReviveQueueID of a FIFO delivery.
const ReviveQueueOrder = 999

// Handle is a receipt handle: a delivery, not a message. Source: gRPC specification 3.7,
// Remoting specification 4.2.
type Handle struct {
	StartOffset     int64 // queue offset where the pop began to read
	RetrieveTime    int64 // ms since 1970, the broker's clock: the pop time
	InvisibleTime   int64 // ms
	Offset          int64 // queue offset of the message
	CommitLogOffset int64 // added by the proxy; CommitLogOffsetAbsent without
	ReviveQueueID   int32
	QueueID         int32
	TopicMark       byte
	Broker          []byte // borrowed from the text by Parse
}

// ErrHandle says that a text is not a receipt handle.
var ErrHandle = errors.New("handle: not a receipt handle")

// Expired tells whether the delivery is over at now, in ms since 1970.
func (h *Handle) Expired(now int64) bool { return h.RetrieveTime+h.InvisibleTime <= now }

// Append appends the text of h: nine fields, or eight without a commit-log offset.
func Append(dst []byte, h *Handle) []byte {
	dst = appendInt(dst, h.StartOffset)
	dst = appendInt(dst, h.RetrieveTime)
	dst = appendInt(dst, h.InvisibleTime)
	dst = appendInt(dst, int64(h.ReviveQueueID))
	dst = append(dst, h.TopicMark, ' ')
	dst = append(append(dst, h.Broker...), ' ')
	dst = appendInt(dst, int64(h.QueueID))
	dst = strconv.AppendInt(dst, h.Offset, 10)
	if h.CommitLogOffset >= 0 {
		dst = strconv.AppendInt(append(dst, ' '), h.CommitLogOffset, 10)
	}
	return dst
}

func appendInt(dst []byte, n int64) []byte {
	return append(strconv.AppendInt(dst, n, 10), ' ')
}
