package apiv2

import (
	"errors"
	"fmt"
)

// What can be wrong with the bytes of a request; a [ParseError] says where.
var (
	ErrTruncated = errors.New("message ends inside a field")
	ErrVarint    = errors.New("varint is longer than 64 bits")
	ErrTag       = errors.New("field number or wire type does not exist")
	ErrGroup     = errors.New("group ends without a beginning of the same number")
	ErrDepth     = errors.New("groups are nested too deep")
	ErrUTF8      = errors.New("string is not UTF-8")
)

// ParseError is the first failure of a [Cursor].
type ParseError struct {
	Offset int   // bytes from the front of the chain
	Cause  error // one of the Err values, or a *LimitError
}

// Error names the cause and its place.
func (e *ParseError) Error() string {
	return fmt.Sprintf("apiv2: %v (at byte %d)", e.Cause, e.Offset)
}

// Unwrap returns the cause.
func (e *ParseError) Unwrap() error { return e.Cause }

// LimitError says that a request has more elements of a kind than [Limits] allow.
type LimitError struct {
	Limit string // the field of Limits
	Max   int    // its value
}

// Error names the limit.
func (e *LimitError) Error() string {
	return fmt.Sprintf("more elements than %s = %d", e.Limit, e.Max)
}
