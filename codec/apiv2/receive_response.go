package apiv2

// The streams of ReceiveMessage and PullMessage are made of elements of three kinds: a status,
// then messages (delivered_message.go), then the delivery timestamp or the next offset. The
// first two are the same bytes in both.

// SizeElementStatus is the number of bytes AppendElementStatus appends.
func SizeElementStatus(status Outcome) int { return status.sizeField(tagElementStatus) }

// AppendElementStatus appends the ReceiveMessageResponse or PullMessageResponse that holds a
// status.
func AppendElementStatus(dst []byte, status Outcome) []byte {
	return status.appendField(dst, tagElementStatus)
}

// SizeReceiveDeliveryTimestamp is the number of bytes AppendReceiveDeliveryTimestamp appends.
func SizeReceiveDeliveryTimestamp(t Timestamp) int {
	t.Set = true
	return t.sizeField(tagElementDeliveryTimestamp)
}

// AppendReceiveDeliveryTimestamp appends the ReceiveMessageResponse that holds the delivery
// timestamp, whether or not t is Set.
func AppendReceiveDeliveryTimestamp(dst []byte, t Timestamp) []byte {
	t.Set = true
	return t.appendField(dst, tagElementDeliveryTimestamp)
}

// SizePullNextOffset is the number of bytes AppendPullNextOffset appends.
func SizePullNextOffset(offset int64) int { return sizeOptionalInt(tagElementNextOffset, offset) }

// AppendPullNextOffset appends the PullMessageResponse that says where to pull next, zero or
// not.
func AppendPullNextOffset(dst []byte, offset int64) []byte {
	return appendOptionalInt(dst, tagElementNextOffset, offset)
}
