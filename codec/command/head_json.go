package command

import "bytes"

// parseJSONHead reads a JSON head (specification 1.2) in one pass. Brokers answer JSON whatever
// they are asked in, so every answer goes through here. Order, white space and unknown members
// do not matter; what is absent or null keeps its zero value, as it does with Java peers.
func parseJSONHead(h *Head, b []byte) error {
	r := jsonReader{b: b, text: h.text}
	r.open('{')
	for first := true; r.member(first); first = false {
		readMember(h, &r)
	}
	r.space()
	if r.at < len(b) {
		r.fail("something behind the head")
	}
	h.text = r.text
	return r.err()
}

func readMember(h *Head, r *jsonReader) {
	switch string(r.key) {
	case "code":
		h.Code = r.int32()
	case "language":
		h.Language = languageOf(r.value())
	case "version":
		h.Version = r.int32()
	case "opaque":
		h.Opaque = r.int32()
	case "flag":
		h.Flag = r.int32()
	case "remark":
		h.Remark = r.value()
	case "extFields":
		h.Ext = readExt(h.Ext[:0], r)
	default:
		r.skip()
	}
}

func readExt(ext []Field, r *jsonReader) []Field {
	if r.peek() == 'n' {
		r.skip()
		return ext
	}
	r.open('{')
	for first := true; r.member(first); first = false {
		if len(ext) == FieldsMax {
			r.fail("too many ext fields")
			return ext
		}
		key := r.key
		ext = append(ext, Field{Key: key, Value: r.value()})
	}
	return ext
}

// jsonDepthMax bounds the nesting of a head, the head itself and unknown members included.
const jsonDepthMax = 8

// jsonReader reads JSON from front to back. It latches its first failure by moving to the end,
// where every read fails again.
type jsonReader struct {
	b      []byte
	at     int
	depth  int
	key    []byte // of the member that the reader is in
	text   []byte // unescaped text; grows and is never moved under a borrower
	reason string
	failed int // where
}

func (r *jsonReader) fail(reason string) {
	if r.reason == "" {
		r.reason, r.failed = reason, r.at
	}
	r.at = len(r.b)
}

func (r *jsonReader) err() error {
	if r.reason == "" {
		return nil
	}
	return &HeadError{Kind: JSON, Offset: r.failed, Reason: r.reason}
}

func (r *jsonReader) space() {
	for r.at < len(r.b) {
		switch r.b[r.at] {
		case ' ', '\n', '\r', '\t':
			r.at++
		default:
			return
		}
	}
}

// peek is the next byte behind white space, 0 at the end.
func (r *jsonReader) peek() byte {
	if r.at < len(r.b) && r.b[r.at] > ' ' {
		return r.b[r.at]
	}
	r.space()
	if r.at == len(r.b) {
		return 0
	}
	return r.b[r.at]
}

func (r *jsonReader) expect(c byte) {
	if r.at < len(r.b) && r.b[r.at] == c {
		r.at++
		return
	}
	r.expectBehindSpace(c)
}

func (r *jsonReader) expectBehindSpace(c byte) {
	if r.peek() != c {
		r.fail(unexpected)
		return
	}
	r.at++
}

const unexpected = "not the character that belongs here"

// open enters an object or an array.
func (r *jsonReader) open(c byte) {
	r.expect(c)
	r.depth++
	if r.depth > jsonDepthMax {
		r.fail("nested too deep")
	}
}

// member moves to the value of the next member of an object; false behind the last one.
func (r *jsonReader) member(first bool) bool {
	c := r.peek()
	if c == '}' {
		r.at++
		r.depth--
		return false
	}
	if !first {
		r.expect(',')
	}
	r.expect('"')
	r.key = r.string()
	r.expect(':')
	return r.reason == ""
}

// value reads any value as text: a string unescaped, a null as nil, everything else as it is
// spelled, because some writers leave the quotes off numbers.
func (r *jsonReader) value() []byte {
	if r.peek() == '"' {
		r.at++
		return r.string()
	}
	from := r.at
	r.skip()
	if r.reason != "" || r.b[from] == 'n' {
		return nil
	}
	return r.b[from:r.at:r.at]
}

func (r *jsonReader) int32() int32 {
	at := r.at
	v := r.value()
	if v == nil {
		return 0
	}
	n, ok := parseInt32(v)
	if !ok && r.reason == "" {
		r.at = at
		r.fail("not a 32-bit number")
	}
	return n
}

// skip moves past a value of any kind.
func (r *jsonReader) skip() {
	switch c := r.peek(); c {
	case '"':
		r.at++
		r.string()
	case '{':
		r.open('{')
		for first := true; r.member(first); first = false {
			r.skip()
		}
	case '[':
		r.skipArray()
	case 't':
		r.literal("true")
	case 'f':
		r.literal("false")
	case 'n':
		r.literal("null")
	default:
		r.number()
	}
}

func (r *jsonReader) skipArray() {
	r.open('[')
	if r.peek() != ']' {
		r.skip()
		for r.peek() == ',' {
			r.at++
			r.skip()
		}
	}
	r.expect(']')
	r.depth--
}

func (r *jsonReader) literal(word string) {
	if !bytes.HasPrefix(r.b[r.at:], []byte(word)) {
		r.fail(unexpected)
		return
	}
	r.at += len(word)
}

// number moves past -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)?
func (r *jsonReader) number() {
	r.optional('-', '-')
	if !r.optional('0', '0') {
		r.digits()
	}
	if r.optional('.', '.') {
		r.digits()
	}
	if r.optional('e', 'E') {
		r.optional('+', '-')
		r.digits()
	}
}

func (r *jsonReader) optional(a, b byte) bool {
	if r.at < len(r.b) && (r.b[r.at] == a || r.b[r.at] == b) {
		r.at++
		return true
	}
	return false
}

func (r *jsonReader) digits() {
	from := r.at
	for r.at < len(r.b) && r.b[r.at]-'0' <= 9 {
		r.at++
	}
	if r.at == from {
		r.fail(unexpected)
	}
}
