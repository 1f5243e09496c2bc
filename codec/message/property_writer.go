package message

import (
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
)

// What [PropertyWriter.Err] tells.
var (
	ErrPropertySeparator = errors.New("message: property holds 0x01 or 0x02")
	ErrPropertiesLong    = errors.New("message: properties are longer than 32767 bytes")
)

type text interface{ ~string | ~[]byte }

// AppendProperty appends one pair. It refuses, and leaves dst as it was, when key or value hold
// one of the two separators: a sender must not be able to add properties of its choice.
func AppendProperty[K, V text](dst []byte, key K, value V) ([]byte, error) {
	if separated([]byte(key)) || separated([]byte(value)) {
		return dst, ErrPropertySeparator
	}
	dst = append(append(dst, key...), nameEnd)
	return append(append(dst, value...), valueEnd), nil
}

// separated tells whether b holds a separator. Eight bytes at a time it looks for one below 3,
// which is a separator nearly always, and only then at each. What is left over at the end is
// looked at together with bytes before it, a second time.
func separated(b []byte) bool {
	n := len(b)
	if n < 8 {
		return n > 0 && separatedShort(b)
	}
	for at := 0; at < n-8; at += 8 {
		if hasBelow3(binary.LittleEndian.Uint64(b[at:])) {
			return separatedSlow(b)
		}
	}
	return hasBelow3(binary.LittleEndian.Uint64(b[n-8:])) && separatedSlow(b)
}

// separatedShort is separated for one to seven bytes.
func separatedShort(b []byte) bool {
	if n := len(b); n >= 4 {
		word := uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<32
		return hasBelow3(word) && separatedSlow(b)
	}
	return separatedSlow(b)
}

func hasBelow3(word uint64) bool {
	const each, tops = 0x0101010101010101, 0x8080808080808080
	return (word-3*each)&^word&tops != 0
}

func separatedSlow(b []byte) bool {
	for _, c := range b {
		if c == nameEnd || c == valueEnd {
			return true
		}
	}
	return false
}

// PropertyWriter appends pairs and latches the first failure. Empty values are written, as the
// reference does, and vanish when they are read.
type PropertyWriter struct {
	b     []byte
	start int
	err   error
}

// NewPropertyWriter takes dst; the properties are appended to it.
func NewPropertyWriter(dst []byte) PropertyWriter { return PropertyWriter{b: dst, start: len(dst)} }

// Bytes gives dst back with the properties behind it. They are good when Err is nil.
func (w *PropertyWriter) Bytes() []byte { return w.b }

// Err is the first failure.
func (w *PropertyWriter) Err() error {
	if w.err == nil && len(w.b)-w.start > PropertiesBytesMax {
		return ErrPropertiesLong
	}
	return w.err
}

// The methods below come by pairs of what a caller has in hand. They are not made of one
// generic function: its calls, and an append for each of four pieces, cost as much as the rest.

// Put appends a pair whose key and value are views.
func (w *PropertyWriter) Put(key, value []byte) {
	if separated(key) || separated(value) {
		w.refuse()
		return
	}
	pair := w.grow(len(key) + 1 + len(value) + 1)
	copy(pair, key)
	pair[len(key)] = nameEnd
	copy(pair[len(key)+1:], value)
	pair[len(pair)-1] = valueEnd
}

// PutBytes appends a pair with one of the names of this package, which hold no separators.
func (w *PropertyWriter) PutBytes(key string, value []byte) {
	if separated(value) {
		w.refuse()
		return
	}
	pair := w.grow(len(key) + 1 + len(value) + 1)
	copy(pair, key)
	pair[len(key)] = nameEnd
	copy(pair[len(key)+1:], value)
	pair[len(pair)-1] = valueEnd
}

// PutString is PutBytes of a string.
func (w *PropertyWriter) PutString(key, value string) { w.PutBytes(key, []byte(value)) }

// PutInt appends a number in decimal, with one of the names of this package.
func (w *PropertyWriter) PutInt(key string, value int64) {
	pair := w.grow(len(key) + 1)
	copy(pair, key)
	pair[len(key)] = nameEnd
	w.b = append(strconv.AppendInt(w.b, value, 10), valueEnd)
}

// grow makes room for a pair of n bytes, which the caller fills.
func (w *PropertyWriter) grow(n int) (pair []byte) {
	from := len(w.b)
	if n > cap(w.b)-from {
		w.b = slices.Grow(w.b, n)
	}
	w.b = w.b[:from+n]
	return w.b[from:]
}

func (w *PropertyWriter) refuse() {
	if w.err == nil {
		w.err = ErrPropertySeparator
	}
}
