package apiv2

// AckResult is one AckMessageResultEntry to be encoded.
type AckResult struct {
	MessageID     []byte
	ReceiptHandle []byte
	Outcome       Outcome
}

// SizeAckMessageResponse is the number of bytes AppendAckMessageResponse appends.
func SizeAckMessageResponse(status Outcome, entries []AckResult) int {
	n := status.sizeField(tagResponseStatus)
	for i := range entries {
		n += sizeBytes(tagResponseEntries, entries[i].size())
	}
	return n
}

// AppendAckMessageResponse appends an AckMessageResponse to dst. It borrows entries, whose
// strings must be UTF-8.
func AppendAckMessageResponse(dst []byte, status Outcome, entries []AckResult) []byte {
	dst = status.appendField(dst, tagResponseStatus)
	for i := range entries {
		dst = entries[i].append(dst)
	}
	return dst
}

func (r *AckResult) size() int {
	return sizeText(tagAckResultMessageID, r.MessageID) +
		sizeText(tagAckResultReceiptHandle, r.ReceiptHandle) +
		r.Outcome.sizeField(tagAckResultStatus)
}

func (r *AckResult) append(dst []byte) []byte {
	dst = appendHead(dst, tagResponseEntries, r.size())
	dst = appendText(dst, tagAckResultMessageID, r.MessageID)
	dst = appendText(dst, tagAckResultReceiptHandle, r.ReceiptHandle)
	return r.Outcome.appendField(dst, tagAckResultStatus)
}
