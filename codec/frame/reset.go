package frame

import "encoding/binary"

// ParseReset reads an RST_STREAM payload (RFC 9113 section 6.4).
func ParseReset(payload []byte) (ErrCode, error) {
	if len(payload) != 4 {
		return 0, sizeError(KindReset)
	}
	return ErrCode(binary.BigEndian.Uint32(payload)), nil
}

// AppendReset encodes an RST_STREAM frame.
func AppendReset(dst []byte, stream uint32, code ErrCode) []byte {
	dst = AppendHead(dst, Head{Length: 4, Kind: KindReset, Stream: stream})
	return binary.BigEndian.AppendUint32(dst, uint32(code))
}
