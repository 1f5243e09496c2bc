package command

import (
	"encoding/binary"
	"math"
	"strconv"
)

// binaryHead writes a head as ROCKETMQ. It is used like [jsonHead] and has no room for codes
// above 32767: the code is a signed 16-bit number, and a broker that gets a pop code in it
// answers that it does not know request 3442.
type binaryHead struct {
	b     []byte
	start int // where the prefix begins
	ext   int // where the ext block begins, behind its length
}

func beginBinary(dst []byte, code, opaque, flag int32, remark string) binaryHead {
	b := appendPrefix(dst)
	b = binary.BigEndian.AppendUint16(b, uint16(code))
	b = append(b, byte(LanguageJava))
	b = binary.BigEndian.AppendUint16(b, Version)
	b = binary.BigEndian.AppendUint32(b, uint32(opaque))
	b = binary.BigEndian.AppendUint32(b, uint32(flag))
	b = binary.BigEndian.AppendUint32(b, uint32(len(remark)))
	b = append(b, remark...)
	b = append(b, 0, 0, 0, 0) // length of the ext block, filled by seal
	return binaryHead{b: b, start: len(dst), ext: len(b)}
}

func (w *binaryHead) key(key string) {
	w.b = binary.BigEndian.AppendUint16(w.b, uint16(len(key)))
	w.b = append(w.b, key...)
}

func (w *binaryHead) int(key string, n int64) {
	w.key(key)
	at := len(w.b)
	w.b = append(w.b, 0, 0, 0, 0)
	w.b = strconv.AppendInt(w.b, n, 10)
	binary.BigEndian.PutUint32(w.b[at:], uint32(len(w.b)-at-4))
}

func (w *binaryHead) bytes(key string, v []byte) {
	w.key(key)
	w.b = binary.BigEndian.AppendUint32(w.b, uint32(len(v)))
	w.b = append(w.b, v...)
}

func (w *binaryHead) string(key, v string) {
	w.key(key)
	w.b = binary.BigEndian.AppendUint32(w.b, uint32(len(v)))
	w.b = append(w.b, v...)
}

func (w *binaryHead) bool(key string, v bool) { w.string(key, strconv.FormatBool(v)) }

// optBytes leaves an absent field out: a length of zero would be read as a null anyway.
func (w *binaryHead) optBytes(key string, v []byte) {
	if len(v) > 0 {
		w.bytes(key, v)
	}
}

func (w *binaryHead) optString(key, v string) {
	if v != "" {
		w.string(key, v)
	}
}

// field writes a field as it is; one whose name does not fit its 16-bit length is left out.
func (w *binaryHead) field(f Field) {
	if f.Value == nil || len(f.Key) > math.MaxInt16 {
		return
	}
	w.b = binary.BigEndian.AppendUint16(w.b, uint16(len(f.Key)))
	w.b = append(w.b, f.Key...)
	w.b = binary.BigEndian.AppendUint32(w.b, uint32(len(f.Value)))
	w.b = append(w.b, f.Value...)
}

// seal fills the length of the ext block and the prefix, which counts bodyLen bytes to follow.
func (w *binaryHead) seal(bodyLen int) []byte {
	binary.BigEndian.PutUint32(w.b[w.ext-4:], uint32(len(w.b)-w.ext))
	return sealPrefix(w.b, w.start, bodyLen, RocketMQ)
}
