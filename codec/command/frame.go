package command

import (
	"encoding/binary"
	"errors"
)

const (
	// PrefixBytes is how much [SplitFrame] needs: the two length words.
	PrefixBytes = 8

	// FrameBytesMax is the largest frame, prefix and body counted, that Java peers accept
	// (com.rocketmq.remoting.frameMaxLength).
	FrameBytesMax = 16 << 20

	lengthBytes   = 4          // the first word, which does not count itself
	headBytesMask = 0x00FFFFFF // the second word: head length below, serialize type above
)

// SerializeType is the encoding of a head, as the top byte of the second prefix word says it.
type SerializeType byte

// The two encodings. A server answers in its own, whatever it was asked in, so each frame is
// read by its own byte.
const (
	JSON     SerializeType = 0
	RocketMQ SerializeType = 1
)

func (t SerializeType) String() string {
	switch t {
	case JSON:
		return "JSON"
	case RocketMQ:
		return "ROCKETMQ"
	}
	return "unknown"
}

// What [SplitFrame] refuses. Each of them ends the connection: behind a wrong length there is
// no next frame to be found.
var (
	ErrPrefixShort   = errors.New("command: fewer than 8 bytes of prefix")
	ErrFrameLong     = errors.New("command: frame is longer than 16 MiB")
	ErrFrameShort    = errors.New("command: frame length is below 4")
	ErrHeadLength    = errors.New("command: head is longer than its frame")
	ErrSerializeType = errors.New("command: serialize type is neither JSON nor ROCKETMQ")
)

// SplitFrame reads the prefix of a frame: after its PrefixBytes come headLen bytes of head in
// the encoding kind, then bodyLen bytes of body.
func SplitFrame(prefix []byte) (headLen, bodyLen int, kind SerializeType, err error) {
	if len(prefix) < PrefixBytes {
		return 0, 0, 0, ErrPrefixShort
	}
	total := int64(binary.BigEndian.Uint32(prefix))
	word := binary.BigEndian.Uint32(prefix[lengthBytes:])
	headLen = int(word & headBytesMask)
	kind = SerializeType(word >> 24)
	switch {
	case total+lengthBytes > FrameBytesMax:
		return 0, 0, 0, ErrFrameLong
	case total < PrefixBytes-lengthBytes:
		return 0, 0, 0, ErrFrameShort
	case int64(headLen) > total-(PrefixBytes-lengthBytes):
		return 0, 0, 0, ErrHeadLength
	case kind > RocketMQ:
		return 0, 0, 0, ErrSerializeType
	}
	return headLen, int(total) - (PrefixBytes - lengthBytes) - headLen, kind, nil
}

// appendPrefix leaves room for the prefix, which sealPrefix fills once the head is written.
func appendPrefix(dst []byte) []byte { return append(dst, 0, 0, 0, 0, 0, 0, 0, 0) }

// sealPrefix writes the prefix of the frame that begins at start and whose head ends with dst.
func sealPrefix(dst []byte, start, bodyLen int, kind SerializeType) []byte {
	headLen := len(dst) - start - PrefixBytes
	prefix := dst[start : start+PrefixBytes]
	binary.BigEndian.PutUint32(prefix, uint32(PrefixBytes-lengthBytes+headLen+bodyLen))
	binary.BigEndian.PutUint32(prefix[lengthBytes:], uint32(kind)<<24|uint32(headLen)&headBytesMask)
	return dst
}
