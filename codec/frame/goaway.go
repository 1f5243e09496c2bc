package frame

import "encoding/binary"

// GoAway is the payload of a GOAWAY frame (RFC 9113 section 6.8).
type GoAway struct {
	Last  uint32 // the last stream that was or may be acted on
	Code  ErrCode
	Debug []byte // opaque; borrowed
}

// ParseGoAway reads a GOAWAY payload.
func ParseGoAway(payload []byte) (GoAway, error) {
	if len(payload) < 8 {
		return GoAway{}, sizeError(KindGoAway)
	}
	return GoAway{
		Last:  binary.BigEndian.Uint32(payload) & StreamMax,
		Code:  ErrCode(binary.BigEndian.Uint32(payload[4:])),
		Debug: payload[8:],
	}, nil
}

// AppendGoAway encodes a GOAWAY frame.
func AppendGoAway(dst []byte, last uint32, code ErrCode, debug string) []byte {
	dst = AppendHead(dst, Head{Length: 8 + len(debug), Kind: KindGoAway})
	dst = binary.BigEndian.AppendUint32(dst, last)
	dst = binary.BigEndian.AppendUint32(dst, uint32(code))
	return append(dst, debug...)
}
