package apiv2

import "google.golang.org/protobuf/encoding/protowire"

// Outcome is a Status to be encoded.
type Outcome struct {
	Code    Code
	Message string // for a person; must be UTF-8
}

// Below, each size function gives the bytes that its append twin writes: a field with its tag.
// A field without presence is not written when it is zero; one with presence ("optional" in
// the .proto) is written whenever it is there.

func sizeVarint(v uint64) int { return protowire.SizeVarint(v) }

func appendVarint(dst []byte, v uint64) []byte {
	if v < 0x80 {
		return append(dst, byte(v))
	}
	return protowire.AppendVarint(dst, v)
}

// appendTag writes a tag; numbers up to 15 make one byte, those up to 2047 two.
func appendTag(dst []byte, tag uint32) []byte { return appendVarint(dst, uint64(tag)) }

func sizeTag(tag uint32) int {
	if tag < 0x80 {
		return 1
	}
	return 2
}

// sizeBytes is a length-delimited field of n bytes, empty or not.
func sizeBytes(tag uint32, n int) int { return sizeTag(tag) + sizeVarint(uint64(n)) + n }

// appendHead writes the tag and the length of a field of n bytes; the caller writes the bytes.
func appendHead(dst []byte, tag uint32, n int) []byte {
	return appendVarint(appendTag(dst, tag), uint64(n))
}

func appendBytes(dst []byte, tag uint32, b []byte) []byte {
	return append(appendHead(dst, tag, len(b)), b...)
}

// sizeText is a string without presence.
func sizeText(tag uint32, b []byte) int {
	if len(b) == 0 {
		return 0
	}
	return sizeBytes(tag, len(b))
}

func appendText(dst []byte, tag uint32, b []byte) []byte {
	if len(b) == 0 {
		return dst
	}
	return appendBytes(dst, tag, b)
}

// sizeOptionalText is a string with presence: nil is absent, empty is there.
func sizeOptionalText(tag uint32, b []byte) int {
	if b == nil {
		return 0
	}
	return sizeBytes(tag, len(b))
}

func appendOptionalText(dst []byte, tag uint32, b []byte) []byte {
	if b == nil {
		return dst
	}
	return appendBytes(dst, tag, b)
}

// sizeInt is an integer or enum without presence. Negative values take ten bytes.
func sizeInt(tag uint32, v int64) int {
	if v == 0 {
		return 0
	}
	return sizeOptionalInt(tag, v)
}

func appendInt(dst []byte, tag uint32, v int64) []byte {
	if v == 0 {
		return dst
	}
	return appendOptionalInt(dst, tag, v)
}

// sizeOptionalInt is an integer with presence, which is there.
func sizeOptionalInt(tag uint32, v int64) int { return sizeTag(tag) + sizeVarint(uint64(v)) }

func appendOptionalInt(dst []byte, tag uint32, v int64) []byte {
	return appendVarint(appendTag(dst, tag), uint64(v))
}

func (o *Outcome) size() int {
	n := sizeInt(tagStatusCode, int64(o.Code))
	if o.Message != "" {
		n += sizeBytes(tagStatusMessage, len(o.Message))
	}
	return n
}

// sizeField is the outcome as the field tag of the message around it.
func (o *Outcome) sizeField(tag uint32) int { return sizeBytes(tag, o.size()) }

func (o *Outcome) appendField(dst []byte, tag uint32) []byte {
	dst = appendHead(dst, tag, o.size())
	dst = appendInt(dst, tagStatusCode, int64(o.Code))
	if o.Message != "" {
		dst = append(appendHead(dst, tagStatusMessage, len(o.Message)), o.Message...)
	}
	return dst
}

func (t Timestamp) size() int {
	return sizeInt(tagSeconds, t.Seconds) + sizeInt(tagNanos, int64(t.Nanos))
}

// sizeField is the timestamp as the field tag of the message around it; nothing if not Set.
func (t Timestamp) sizeField(tag uint32) int {
	if !t.Set {
		return 0
	}
	return sizeBytes(tag, t.size())
}

func (t Timestamp) appendField(dst []byte, tag uint32) []byte {
	if !t.Set {
		return dst
	}
	dst = appendHead(dst, tag, t.size())
	dst = appendInt(dst, tagSeconds, t.Seconds)
	return appendInt(dst, tagNanos, int64(t.Nanos))
}
