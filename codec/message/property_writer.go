package message

import (
	"errors"
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
	if separated(key) || separated(value) {
		return dst, ErrPropertySeparator
	}
	dst = append(append(dst, key...), nameEnd)
	return append(append(dst, value...), valueEnd), nil
}

func separated[T text](s T) bool {
	for i := 0; i < len(s); i++ {
		if s[i] == nameEnd || s[i] == valueEnd {
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

// Put appends a pair whose key and value are views.
func (w *PropertyWriter) Put(key, value []byte) { put(w, key, value) }

// PutBytes appends a pair with a known name.
func (w *PropertyWriter) PutBytes(key string, value []byte) { put(w, key, value) }

// PutString appends a pair with a known name.
func (w *PropertyWriter) PutString(key, value string) { put(w, key, value) }

// PutInt appends a number in decimal.
func (w *PropertyWriter) PutInt(key string, value int64) {
	var digits [20]byte
	put(w, key, strconv.AppendInt(digits[:0], value, 10))
}

func put[K, V text](w *PropertyWriter, key K, value V) {
	b, err := AppendProperty(w.b, key, value)
	w.b = b
	if err != nil && w.err == nil {
		w.err = err
	}
}
