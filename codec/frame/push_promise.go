package frame

import "encoding/binary"

// PushPromise is the payload of a PUSH_PROMISE frame (RFC 9113 section 6.6).
type PushPromise struct {
	Promised uint32
	Block    []byte // fragment of the header block; borrowed
}

// ParsePushPromise reads a PUSH_PROMISE payload. A server never accepts one; the layout is
// here so that the list of ten is whole and test peers can be told what they did.
func ParsePushPromise(h Head, payload []byte) (p PushPromise, err error) {
	if payload, err = trim(h, payload); err != nil {
		return p, err
	}
	if len(payload) < 4 {
		return p, sizeError(KindPushPromise)
	}
	return PushPromise{
		Promised: binary.BigEndian.Uint32(payload) & StreamMax,
		Block:    payload[4:],
	}, nil
}

// AppendPushPromise encodes a PUSH_PROMISE frame.
func AppendPushPromise(dst []byte, stream, promised uint32, block []byte, flags Flags) []byte {
	dst = AppendHead(dst, Head{Length: 4 + len(block), Kind: KindPushPromise, Flags: flags, Stream: stream})
	return append(binary.BigEndian.AppendUint32(dst, promised), block...)
}
