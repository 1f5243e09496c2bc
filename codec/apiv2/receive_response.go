package apiv2

// A ReceiveMessage stream is made of ReceiveMessageResponse elements of three kinds: a status,
// then messages (delivered_message.go), then the delivery timestamp.

// SizeReceiveStatus is the number of bytes AppendReceiveStatus appends.
func SizeReceiveStatus(status Outcome) int { return status.sizeField(tagElementStatus) }

// AppendReceiveStatus appends the ReceiveMessageResponse that holds a status.
func AppendReceiveStatus(dst []byte, status Outcome) []byte {
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
