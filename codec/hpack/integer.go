package hpack

// integerMax bounds every integer in a block. The largest that means anything is a string
// length or a table size; both are far below.
const integerMax = 1 << 28

// integerBytesMax is how many continuation bytes an integer may take. Five carry 35 bits,
// so more can only be padding with zeros.
const integerBytesMax = 5

// integer reads an integer whose prefix is the bits of mask in the next byte (RFC 7541 section
// 5.1). That byte is there.
func (d *Decoder) integer(mask byte) (uint32, error) {
	first := d.block[d.at] & mask
	d.at++
	if first < mask {
		return uint32(first), nil
	}
	return d.longInteger(uint64(mask))
}

func (d *Decoder) longInteger(n uint64) (uint32, error) {
	for i, b := range d.block[d.at:] {
		if i == integerBytesMax {
			return 0, ErrInteger
		}
		n += uint64(b&0x7f) << (7 * uint(i))
		if n > integerMax {
			return 0, ErrInteger
		}
		if b < 0x80 {
			d.at += i + 1
			return uint32(n), nil
		}
	}
	return 0, ErrTruncated
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
