package apiv2

// SendResult is one SendResultEntry to be encoded. Empty and zero fields are left out.
type SendResult struct {
	Outcome       Outcome
	MessageID     []byte
	TransactionID []byte
	Offset        int64 // in the queue
	RecallHandle  []byte
}

// SizeSendMessageResponse is the number of bytes AppendSendMessageResponse appends.
func SizeSendMessageResponse(status Outcome, entries []SendResult) int {
	n := status.sizeField(tagResponseStatus)
	for i := range entries {
		n += sizeBytes(tagResponseEntries, entries[i].size())
	}
	return n
}

// AppendSendMessageResponse appends a SendMessageResponse to dst. It borrows entries, whose
// strings must be UTF-8.
func AppendSendMessageResponse(dst []byte, status Outcome, entries []SendResult) []byte {
	dst = status.appendField(dst, tagResponseStatus)
	for i := range entries {
		dst = entries[i].append(dst)
	}
	return dst
}

func (r *SendResult) size() int {
	return r.Outcome.sizeField(tagSendEntryStatus) +
		sizeText(tagSendEntryMessageID, r.MessageID) +
		sizeText(tagSendEntryTransactionID, r.TransactionID) +
		sizeInt(tagSendEntryOffset, r.Offset) +
		sizeText(tagSendEntryRecallHandle, r.RecallHandle)
}

func (r *SendResult) append(dst []byte) []byte {
	dst = appendHead(dst, tagResponseEntries, r.size())
	dst = r.Outcome.appendField(dst, tagSendEntryStatus)
	dst = appendText(dst, tagSendEntryMessageID, r.MessageID)
	dst = appendText(dst, tagSendEntryTransactionID, r.TransactionID)
	dst = appendInt(dst, tagSendEntryOffset, r.Offset)
	return appendText(dst, tagSendEntryRecallHandle, r.RecallHandle)
}
