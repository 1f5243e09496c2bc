package frame

import "encoding/binary"

// ParseWindowUpdate reads a WINDOW_UPDATE payload (RFC 9113 section 6.9). An increment of 0
// is returned as it is: which error it means depends on the stream.
func ParseWindowUpdate(payload []byte) (increment uint32, err error) {
	if len(payload) != 4 {
		return 0, sizeError(KindWindowUpdate)
	}
	return binary.BigEndian.Uint32(payload) & WindowMax, nil
}

// AppendWindowUpdate encodes a WINDOW_UPDATE frame; stream 0 is the connection.
func AppendWindowUpdate(dst []byte, stream, increment uint32) []byte {
	dst = AppendHead(dst, Head{Length: 4, Kind: KindWindowUpdate, Stream: stream})
	return binary.BigEndian.AppendUint32(dst, increment)
}
