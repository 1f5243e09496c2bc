package frame

import "encoding/binary"

// DataBounds tells where the content of a DATA payload lies: bytes [from, to) of it. first is
// the payload's first byte, looked at only when the frame is padded. The payload itself is
// not needed, so that it can stay in the blocks it arrived in.
func DataBounds(h Head, first byte) (from, to int, err error) {
	if h.Flags.Has(FlagPadded) && h.Length == 0 {
		return 0, 0, sizeError(KindData)
	}
	return bounds(h.Length, h.Flags.Has(FlagPadded), first)
}

// ParseData borrows the content of a DATA payload.
func ParseData(h Head, payload []byte) ([]byte, error) { return trim(h, payload) }

// AppendDataHead encodes the head of a DATA frame of length bytes, which follow it.
func AppendDataHead(dst []byte, stream uint32, length int, flags Flags) []byte {
	return AppendHead(dst, Head{Length: length, Kind: KindData, Flags: flags, Stream: stream})
}

// AppendData encodes a whole DATA frame.
func AppendData(dst []byte, stream uint32, content []byte, flags Flags) []byte {
	return append(AppendDataHead(dst, stream, len(content), flags), content...)
}

// AppendDataPadded encodes a DATA frame with padding bytes of zeros behind the content.
func AppendDataPadded(dst []byte, stream uint32, content []byte, flags Flags, padding uint8) []byte {
	dst = AppendDataHead(dst, stream, 1+len(content)+int(padding), flags|FlagPadded)
	dst = append(append(dst, padding), content...)
	return append(dst, make([]byte, padding)...)
}

// PutStream overwrites the stream identifier of the encoded frame at the front of encoded.
// It turns a frame that was encoded once into one for this stream.
func PutStream(encoded []byte, stream uint32) {
	binary.BigEndian.PutUint32(encoded[5:], stream)
}
