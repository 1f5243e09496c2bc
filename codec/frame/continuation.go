package frame

// AppendContinuation encodes a CONTINUATION frame (RFC 9113 section 6.10). Its payload is
// the block fragment itself, so there is nothing to parse.
func AppendContinuation(dst []byte, stream uint32, block []byte, flags Flags) []byte {
	dst = AppendHead(dst, Head{Length: len(block), Kind: KindContinuation, Flags: flags, Stream: stream})
	return append(dst, block...)
}
