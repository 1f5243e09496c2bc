package hpack

// The encoder never uses the dynamic table: what it appends means the same in every block of
// every connection, so that whole blocks can be made once and kept.

// AppendIndexed encodes a field that is entry index of the static table.
func AppendIndexed(dst []byte, index int) []byte {
	return appendInteger(dst, 0x80, 7, index)
}

// AppendLiteral encodes a field without indexing, its name spelled out.
func AppendLiteral(dst []byte, name, value string) []byte {
	dst = appendString(append(dst, 0x00), name)
	return appendString(dst, value)
}

// AppendLiteralNamed encodes a field without indexing, its name taken from entry index of
// the static table.
func AppendLiteralNamed(dst []byte, index int, value string) []byte {
	return appendString(appendInteger(dst, 0x00, 4, index), value)
}

// AppendLiteralHead encodes the name and the value length of a field without indexing; the
// caller appends n bytes of value.
func AppendLiteralHead(dst []byte, name string, n int) []byte {
	dst = appendString(append(dst, 0x00), name)
	return appendInteger(dst, 0x00, 7, n)
}

func appendString(dst []byte, s string) []byte {
	return append(appendInteger(dst, 0x00, 7, len(s)), s...)
}
