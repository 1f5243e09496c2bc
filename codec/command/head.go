package command

import (
	"slices"
	"strconv"
)

// Flag bits of a head.
const (
	FlagResponse int32 = 1 << 0
	FlagOneway   int32 = 1 << 1
)

// Field is one ext field. A nil Value is a null.
type Field struct {
	Key, Value []byte
}

// Head is a parsed head. Its slices borrow the bytes given to [ParseHead], or the Head's own
// scratch where text had to be unescaped, and are valid until the next parse. A Head is meant
// to be reused: then parsing allocates nothing.
type Head struct {
	Kind     SerializeType
	Language Language
	Code     int32
	Version  int32
	Opaque   int32
	Flag     int32
	Remark   []byte  // nil when absent
	Ext      []Field // in the order of the wire

	text []byte // unescaped text of this parse
}

// What a Head refuses to hold and what it keeps between parses.
const (
	// FieldsMax bounds the ext fields of a head. The longest known request has 20.
	FieldsMax = 256

	// textBytesKeptMax bounds the scratch a Head keeps, so that one long remark does not
	// stay with its connection for ever.
	textBytesKeptMax = 64 << 10
)

// ParseHead reads a head of the given kind. b is borrowed by h until the next parse.
func ParseHead(h *Head, kind SerializeType, b []byte) error {
	h.reset(kind)
	switch kind {
	case JSON:
		if parseJavaHead(h, b) {
			return nil
		}
		h.reset(kind)
		return parseJSONHead(h, b)
	case RocketMQ:
		return parseBinaryHead(h, b)
	}
	return ErrSerializeType
}

func (h *Head) reset(kind SerializeType) {
	text := h.text[:0]
	if cap(text) > textBytesKeptMax {
		text = nil
	}
	*h = Head{Kind: kind, Language: LanguageOther, Ext: h.Ext[:0], text: text}
}

// IsResponse tells an answer from a request. Only this bit does: opaques of the two directions
// are numbered apart and may collide.
func (h *Head) IsResponse() bool { return h.Flag&FlagResponse != 0 }

// IsOneway tells that no answer is wanted.
func (h *Head) IsOneway() bool { return h.Flag&FlagOneway != 0 }

// Value borrows the value of an ext field, nil when it is absent or null. Of several the last
// one counts, as in a map.
func (h *Head) Value(key string) []byte {
	for _, v := range slices.Backward(h.Ext) {
		if string(v.Key) == key {
			return v.Value
		}
	}
	return nil
}

// Int64 reads an ext field as a decimal number; false when it is absent or not one.
func (h *Head) Int64(key string) (int64, bool) { return parseInt64(h.Value(key)) }

// Int32 reads an ext field as a decimal number; false when it is absent or not one.
func (h *Head) Int32(key string) (int32, bool) { return parseInt32(h.Value(key)) }

// Bool reads an ext field as Java does: "true" in any case is true, everything else is false.
// The second result is false when the field is absent.
func (h *Head) Bool(key string) (value, ok bool) {
	v := h.Value(key)
	return isTrue(v), v != nil
}

func isTrue(v []byte) bool {
	return len(v) == 4 && v[0]|0x20 == 't' && v[1]|0x20 == 'r' && v[2]|0x20 == 'u' && v[3]|0x20 == 'e'
}

// HeadError says where in a head, in bytes from its begin, reading stopped. It ends the
// connection, as it does with Java peers.
type HeadError struct {
	Kind   SerializeType
	Offset int
	Reason string
}

func (e *HeadError) Error() string {
	return "command: " + e.Kind.String() + " head, byte " + strconv.Itoa(e.Offset) + ": " + e.Reason
}
