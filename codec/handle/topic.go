package handle

import "bytes"

const (
	retryPrefix      = "%RETRY%"
	retrySeparatorV1 = '_'
	retrySeparatorV2 = '+'
)

// AppendRealTopic appends the topic that acks and changes of a delivery must name: the retry
// topic where the delivery came from one. Remoting specification 4.4.
func AppendRealTopic(dst []byte, mark byte, group, topic []byte) []byte {
	switch mark {
	case MarkRetryV1:
		dst = append(append(append(dst, retryPrefix...), group...), retrySeparatorV1)
	case MarkRetryV2:
		dst = append(append(append(dst, retryPrefix...), group...), retrySeparatorV2)
	}
	return append(dst, topic...)
}

// MarkOf is the mark of a topic as a record names it.
func MarkOf(topic []byte) byte {
	switch {
	case !bytes.HasPrefix(topic, []byte(retryPrefix)):
		return MarkNormal
	case bytes.IndexByte(topic, retrySeparatorV2) >= 0:
		return MarkRetryV2
	}
	return MarkRetryV1
}
