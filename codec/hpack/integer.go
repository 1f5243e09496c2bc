package hpack

// integerMax bounds every integer in a block. The largest that means anything is a string
// length or a table size; both are far below.
const integerMax = 1 << 28

// integerBytesMax is how many continuation bytes an integer may take. Five carry 35 bits,
// so more can only be padding with zeros.
const integerBytesMax = 5

// integer reads an integer whose prefix is the low bits of b[0] (RFC 7541 section 5.1). It
// returns what is behind it.
func integer(b []byte, bits uint) (n uint32, rest []byte, err error) {
	if len(b) == 0 {
		return 0, nil, ErrTruncated
	}
	mask := byte(1)<<bits - 1
	if first := b[0] & mask; first < mask {
		return uint32(first), b[1:], nil
	}
	return longInteger(b[1:], uint64(mask))
}

func longInteger(b []byte, n uint64) (uint32, []byte, error) {
	for i := range b {
		if i == integerBytesMax {
			return 0, nil, ErrInteger
		}
		n += uint64(b[i]&0x7f) << (7 * uint(i))
		if n > integerMax {
			return 0, nil, ErrInteger
		}
		if b[i] < 0x80 {
			return uint32(n), b[i+1:], nil
		}
	}
	return 0, nil, ErrTruncated
}

// appendInteger encodes n behind the pattern bits of first.
func appendInteger(dst []byte, first byte, bits uint, n int) []byte {
	mask := 1<<bits - 1
	if n < mask {
		return append(dst, first|byte(n))
	}
	dst = append(dst, first|byte(mask))
	n -= mask
	for n >= 0x80 {
		dst = append(dst, byte(n)|0x80)
		n >>= 7
	}
	return append(dst, byte(n))
}
