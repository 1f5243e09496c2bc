package frame

// PingBytes is the size of every PING payload (RFC 9113 section 6.7).
const PingBytes = 8

// ParsePing reads a PING payload.
func ParsePing(payload []byte) (data [PingBytes]byte, err error) {
	if len(payload) != PingBytes {
		return data, sizeError(KindPing)
	}
	return [PingBytes]byte(payload), nil
}

// AppendPing encodes a PING frame; flags is 0 or FlagAck.
func AppendPing(dst []byte, data [PingBytes]byte, flags Flags) []byte {
	dst = AppendHead(dst, Head{Length: PingBytes, Kind: KindPing, Flags: flags})
	return append(dst, data[:]...)
}
