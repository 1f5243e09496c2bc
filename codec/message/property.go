package message

import (
	"bytes"
	"strings"
)

const (
	nameEnd  = 1 // between a name and its value
	valueEnd = 2 // behind a value

	// PropertiesBytesMax is what a broker stores: the length is a signed 16-bit number.
	PropertiesBytesMax = 1<<15 - 1
)

// PropertyReader walks encoded properties, borrowing them. Specification 3.4: a pair without a
// name or without a value does not exist.
type PropertyReader struct {
	rest []byte
}

// ReadProperties returns a PropertyReader at the front of properties.
func ReadProperties(properties []byte) PropertyReader { return PropertyReader{rest: properties} }

// Next borrows the next pair; ok is false behind the last one.
func (r *PropertyReader) Next() (key, value []byte, ok bool) {
	for len(r.rest) > 0 {
		pair := r.pair()
		if mid := bytes.IndexByte(pair, nameEnd); mid > 0 && mid < len(pair)-1 {
			return pair[:mid:mid], pair[mid+1:], true
		}
	}
	return nil, nil, false
}

// pair borrows what stands before the next end of a value, which need not be a pair. Those who
// look for few names tell by it which pairs are worth being taken apart.
func (r *PropertyReader) pair() (pair []byte) {
	pair = r.rest
	if end := bytes.IndexByte(pair, valueEnd); end >= 0 {
		pair, r.rest = pair[:end:end], pair[end+1:]
	} else {
		r.rest = nil
	}
	return pair
}

// Property borrows the value of a property, nil when there is none. Of several the last one
// counts.
func Property(properties []byte, key string) (value []byte) {
	mid := len(key)
	if mid == 0 || strings.IndexByte(key, nameEnd) >= 0 {
		return nil // there are no such names
	}
	r := ReadProperties(properties)
	for len(r.rest) > 0 {
		pair := r.pair()
		if mid < len(pair)-1 && pair[mid] == nameEnd && string(pair[:mid]) == key {
			value = pair[mid+1:]
		}
	}
	return value
}
