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
	b := append(dst, make([]byte, PrefixBytes+binaryFixedBytes+4)...)
	fixed := b[len(dst)+PrefixBytes:]
	binary.BigEndian.PutUint16(fixed, uint16(code))
	fixed[2] = byte(LanguageJava)
	binary.BigEndian.PutUint16(fixed[3:], Version)
	binary.BigEndian.PutUint32(fixed[5:], uint32(opaque))
	binary.BigEndian.PutUint32(fixed[9:], uint32(flag))
	binary.BigEndian.PutUint32(fixed[13:], uint32(len(remark)))
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

// The fields of a send have names of one letter. The methods with a byte for a key write them:
// name, length and, where there is one, the only digit are one append.

func (w *binaryHead) letterBytes(key byte, v []byte) {
	n := uint32(len(v))
	b := append(w.b, 0, 1, key, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	w.b = append(b, v...)
}

func (w *binaryHead) letterInt(key byte, n int64) {
	if 0 <= n && n <= 9 {
		w.b = append(w.b, 0, 1, key, 0, 0, 0, 1, '0'+byte(n))
		return
	}
	b := append(w.b, 0, 1, key, 0, 0, 0, 0)
	w.b = strconv.AppendInt(b, n, 10)
	w.b[len(b)-1] = byte(len(w.b) - len(b)) // no number has more than 20 digits
}

// optBytes leaves an absent field out: a length of zero would be read as a null anyway.
func (w *binaryHead) optBytes(key string, v []byte) {
	if len(v) > 0 {
		w.bytes(key, v)
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
