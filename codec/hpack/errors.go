package hpack

import "errors"

// Errors after which the two tables no longer agree: the connection ends with
// COMPRESSION_ERROR (RFC 9113 section 4.3).
var (
	ErrTruncated = errors.New("header block ends inside a field")
	ErrInteger   = errors.New("header block holds an integer out of range")
	ErrIndex     = errors.New("header block refers to an entry that does not exist")
	ErrHuffman   = errors.New("header block holds an invalid Huffman string")
	ErrString    = errors.New("header block holds a string that exceeds the limit")
	ErrTableSize = errors.New("header block holds an invalid table size update")
)

// Errors that cost only the request: the block was decoded to its end and the table is right.
var (
	ErrListBytes  = errors.New("header list exceeds the limit of bytes")
	ErrListFields = errors.New("header list exceeds the limit of fields")
)

// Recoverable tells whether the table is still right after err.
func Recoverable(err error) bool { return err == ErrListBytes || err == ErrListFields }
