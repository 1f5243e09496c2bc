package apiv2

// SizeChangeInvisibleDurationResponse is the number of bytes
// AppendChangeInvisibleDurationResponse appends.
func SizeChangeInvisibleDurationResponse(status Outcome, receiptHandle []byte) int {
	return status.sizeField(tagResponseStatus) + sizeText(tagChangedReceiptHandle, receiptHandle)
}

// AppendChangeInvisibleDurationResponse appends a ChangeInvisibleDurationResponse to dst. It
// borrows receiptHandle, which must be UTF-8 and is left out when empty.
func AppendChangeInvisibleDurationResponse(dst []byte, status Outcome, receiptHandle []byte) []byte {
	dst = status.appendField(dst, tagResponseStatus)
	return appendText(dst, tagChangedReceiptHandle, receiptHandle)
}
