package load

import (
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/net/http2/hpack"
)

// Identity is what a client says about itself in the headers of each request.
type Identity struct {
	Authority string
	Scheme    string // "http" or "https"
	ClientID  string
	Fixed     bool // one request id and timeout for all requests
}

const (
	tableBytesDefault = 4096 // SETTINGS_HEADER_TABLE_SIZE until the server says less
	entryOverhead     = 32   // RFC 7541 §4.1
	staticEntries     = 61
	valuesVarying     = 1024 // distinct values; many more than a dynamic table can hold
	indexedBit        = 0x80
	incrementalBit    = 0x40
	sizeUpdateBit     = 0x20
	authorityStatic   = 1
	methodPostStatic  = 3
	pathStatic        = 4
	schemeHTTPStatic  = 6
	schemeHTTPSStatic = 7
	contentTypeStatic = 31
	userAgentStatic   = 58
)

// headField is one header field, encoded the way grpc-go's client does: by
// index while the server's table still holds it, else as a literal that enters
// the table. Only when it was inserted has to be known for that.
type headField struct {
	nameIndex int    // in the static table, 0 when it is not there
	name      []byte // the name as a string literal
	value     []byte // the value as a string literal
	size      uint64 // of the entry in the dynamic table
	ordinal   uint64 // of its last insertion, counted from 1; 0 for never
	before    uint64 // bytes inserted before that insertion
	matches   bool   // the last insertion had this value
}

// requestHead encodes the header blocks of one connection. It mirrors the
// dynamic table by two numbers: how many entries and how many bytes were ever
// inserted. Eviction is first in, first out, so an entry is still there if
// what was inserted from it on fits.
type requestHead struct {
	limit    uint64 // bytes of the table
	shrink   bool   // announce limit in the next block
	inserted uint64 // entries
	bytes    uint64 // of all inserted entries
	scheme   byte
	fixed    bool
	common   []headField // in the order sent, after :path
	last     []headField // metadata that follows the varying fields
	paths    map[string]*headField
	timeouts map[time.Duration]*timeoutValues
	timeout  headField
	ids      [][]byte
	id       headField
	date     headField
	second   int64 // that date shows
	turn     int
}

func literal(s string) []byte {
	n := hpack.HuffmanEncodeLength(s)
	if n < uint64(len(s)) {
		return hpack.AppendHuffmanString(appendInt(nil, 0x80, 7, n), s)
	}
	return append(appendInt(nil, 0, 7, uint64(len(s))), s...)
}

func newField(nameIndex int, name, value string) headField {
	return headField{nameIndex: nameIndex, name: literal(name), value: literal(value),
		size: uint64(len(name) + len(value) + entryOverhead)}
}

func newRequestHead(id Identity) *requestHead {
	h := &requestHead{limit: tableBytesDefault, scheme: schemeHTTPStatic | indexedBit, fixed: id.Fixed,
		paths: map[string]*headField{}, timeouts: map[time.Duration]*timeoutValues{}}
	if id.Scheme == "https" {
		h.scheme = schemeHTTPSStatic | indexedBit
	}
	h.common = []headField{
		newField(authorityStatic, ":authority", id.Authority),
		newField(contentTypeStatic, "content-type", "application/grpc"),
		newField(userAgentStatic, "user-agent", "grpc-go/1.85.0"),
		newField(0, "te", "trailers"),
	}
	h.last = []headField{
		newField(0, "x-mq-language", "GO"),
		newField(0, "x-mq-protocol", "GRPC_V2"),
		newField(0, "x-mq-client-version", "5.1.4"),
		newField(0, "x-mq-namespace", ""),
		newField(0, "x-mq-client-id", id.ClientID),
	}
	h.ids = requestIDs()
	h.id = newField(0, "x-mq-request-id", "00000000-0000-0000-0000-000000000000")
	h.timeout = newField(0, "grpc-timeout", "0000000u")
	h.date = newField(0, "x-mq-date-time", "20060102T150405Z")
	return h
}

// requestIDs makes encoded UUIDs.
func requestIDs() [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	ids := make([][]byte, valuesVarying)
	for i := range ids {
		a, b := r.Uint64(), r.Uint64()
		ids[i] = literal(fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&0xffffffffffff))
	}
	return ids
}

// timeoutValues are what is left of a timeout when requests leave: some
// microseconds less, all of the same length.
type timeoutValues struct {
	encoded [][]byte
	size    uint64 // of such an entry in the dynamic table
}

func newTimeoutValues(d time.Duration) *timeoutValues {
	t := &timeoutValues{encoded: make([][]byte, valuesVarying)}
	for i := range t.encoded {
		text := fmt.Sprintf("%07du", d.Microseconds()-int64(5+i))
		t.encoded[i] = literal(text)
		t.size = uint64(len("grpc-timeout") + len(text) + entryOverhead)
	}
	return t
}

// setLimit follows the server's SETTINGS_HEADER_TABLE_SIZE downwards.
func (h *requestHead) setLimit(n uint32) {
	if uint64(n) < h.limit {
		h.limit = uint64(n)
		h.shrink = true
	}
}

// append adds the header block of one request.
func (h *requestHead) append(out []byte, path string, timeout time.Duration, unix int64) []byte {
	if h.shrink {
		out = appendInt(out, sizeUpdateBit, 5, h.limit)
		h.shrink = false
	}
	out = append(out, methodPostStatic|indexedBit, h.scheme)
	p := h.paths[path]
	if p == nil {
		f := newField(pathStatic, ":path", path)
		p = &f
		h.paths[path] = p
	}
	out = h.field(out, p)
	for i := range h.common {
		out = h.field(out, &h.common[i])
	}
	if !h.fixed {
		h.turn++
	}
	if timeout > 0 {
		out = h.appendTimeout(out, timeout)
	}
	h.vary(&h.id, h.ids[h.turn%valuesVarying])
	out = h.field(out, &h.id)
	if unix != h.second {
		h.second = unix
		h.vary(&h.date, literal(time.Unix(unix, 0).UTC().Format("20060102T150405Z")))
	}
	out = h.field(out, &h.date)
	for i := range h.last {
		out = h.field(out, &h.last[i])
	}
	return out
}

func (h *requestHead) appendTimeout(out []byte, d time.Duration) []byte {
	values := h.timeouts[d]
	if values == nil {
		values = newTimeoutValues(d)
		h.timeouts[d] = values
	}
	h.timeout.size = values.size
	h.vary(&h.timeout, values.encoded[h.turn%valuesVarying])
	return h.field(out, &h.timeout)
}

// vary gives a field a new value; the same bytes are the same value.
func (h *requestHead) vary(f *headField, value []byte) {
	if &f.value[0] != &value[0] {
		f.value = value
		f.matches = false
	}
}

// field adds one field and keeps the mirror of the table.
func (h *requestHead) field(out []byte, f *headField) []byte {
	held := f.ordinal > 0 && h.bytes-f.before <= h.limit
	index := staticEntries + 1 + h.inserted - f.ordinal
	if held && f.matches {
		return appendInt(out, indexedBit, 7, index)
	}
	switch {
	case f.nameIndex > 0:
		out = appendInt(out, incrementalBit, 6, uint64(f.nameIndex))
	case held:
		out = appendInt(out, incrementalBit, 6, index)
	default:
		out = append(append(out, incrementalBit), f.name...)
	}
	out = append(out, f.value...)
	h.inserted++
	f.ordinal, f.before, f.matches = h.inserted, h.bytes, true
	h.bytes += f.size
	if f.size > h.limit { // RFC 7541 §4.4: such an entry empties the table
		f.ordinal = 0
	}
	return out
}

// appendInt is the prefixed integer of RFC 7541 §5.1.
func appendInt(out []byte, first byte, prefixBits uint, v uint64) []byte {
	limit := uint64(1)<<prefixBits - 1
	if v < limit {
		return append(out, first|byte(v))
	}
	out = append(out, first|byte(limit))
	for v -= limit; v >= 0x80; v >>= 7 {
		out = append(out, byte(v)|0x80)
	}
	return append(out, byte(v))
}
