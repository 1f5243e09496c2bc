package command

import "encoding/binary"

// binaryFixedBytes is the part of a ROCKETMQ head before the remark: code 2, language 1,
// version 2, opaque 4, flag 4.
const binaryFixedBytes = 13

// parseBinaryHead reads a ROCKETMQ head (specification 1.3). A length of zero is a null. Bytes
// behind the ext block are ignored, as Java does.
func parseBinaryHead(h *Head, b []byte) error {
	r := binaryReader{b: b}
	fixed := r.take(binaryFixedBytes, "fixed part")
	if fixed == nil {
		return r.err()
	}
	h.Code = int32(int16(binary.BigEndian.Uint16(fixed)))
	h.Language = Language(fixed[2])
	h.Version = int32(int16(binary.BigEndian.Uint16(fixed[3:])))
	h.Opaque = int32(binary.BigEndian.Uint32(fixed[5:]))
	h.Flag = int32(binary.BigEndian.Uint32(fixed[9:]))
	h.Remark = r.text32("remark")
	r.limit(r.length32("ext block"))
	for len(r.b) > r.at && r.reason == "" {
		key, value := r.text16("ext key"), r.text32("ext value")
		switch {
		case r.reason != "" || key == nil:
		case len(h.Ext) == FieldsMax:
			r.fail("too many ext fields")
		default:
			h.Ext = append(h.Ext, Field{Key: key, Value: value})
		}
	}
	return r.err()
}

// binaryReader latches its first failure; every read after it gives nil or zero.
type binaryReader struct {
	b      []byte
	at     int
	reason string
}

func (r *binaryReader) fail(reason string) {
	if r.reason == "" {
		r.reason = reason
	}
}

func (r *binaryReader) err() error {
	if r.reason == "" {
		return nil
	}
	return &HeadError{Kind: RocketMQ, Offset: r.at, Reason: r.reason}
}

// take borrows n bytes; nil when n is 0 or they are not there.
func (r *binaryReader) take(n int, what string) []byte {
	if r.reason != "" || n == 0 {
		return nil
	}
	if n < 0 || n > len(r.b)-r.at {
		r.fail(what + " is longer than what is left")
		return nil
	}
	taken := r.b[r.at : r.at+n : r.at+n]
	r.at += n
	return taken
}

func (r *binaryReader) length16(what string) int {
	if word := r.take(2, what); word != nil {
		return int(int16(binary.BigEndian.Uint16(word)))
	}
	return 0
}

func (r *binaryReader) length32(what string) int {
	if word := r.take(4, what); word != nil {
		return int(int32(binary.BigEndian.Uint32(word)))
	}
	return 0
}

func (r *binaryReader) text16(what string) []byte { return r.take(r.length16(what), what) }

func (r *binaryReader) text32(what string) []byte { return r.take(r.length32(what), what) }

// limit makes the next n bytes all there is.
func (r *binaryReader) limit(n int) {
	if n < 0 || n > len(r.b)-r.at {
		r.fail("ext block is longer than what is left")
		return
	}
	r.b = r.b[:r.at+n]
}
