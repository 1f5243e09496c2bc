package hpack

// eos is the symbol that only ever appears as padding.
const eos = 256

// codeBits are the lengths in bits of the Huffman codes of RFC 7541 appendix B. The code is
// canonical: codes of one length are consecutive, in the order of their symbols, so that the
// lengths say everything.
var codeBits = [eos + 1]uint8{
	13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
	28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
	6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
	5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
	13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
	15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
	6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
	20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
	24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
	22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
	21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
	26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
	19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
	20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
	26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
	30,
}

const (
	codeBitsMax = 30
	// quickBits is how many bits one look into the quick table takes. Every letter, digit
	// and common sign has a code of at most 8 bits.
	quickBits = 10
)

// length is what is known of the codes of one length.
type length struct {
	end   uint32 // one past the last code, moved to the top of codeBitsMax bits
	first uint32 // the first code
	at    uint16 // where its symbol lies in order
}

var (
	quick   [1 << quickBits]uint16 // symbol<<4 | bits; 0 where the code is longer
	order   [eos + 1]uint16        // symbols by length, then by value
	lengths [codeBitsMax + 1]length
)

func init() {
	code, at := uint32(0), uint16(0)
	for bits := uint8(1); bits <= codeBitsMax; bits++ {
		lengths[bits].first, lengths[bits].at = code, at
		for symbol, n := range codeBits {
			if n != bits {
				continue
			}
			fillQuick(code, bits, symbol)
			order[at] = uint16(symbol)
			code, at = code+1, at+1
		}
		lengths[bits].end = code << (codeBitsMax - bits)
		code <<= 1
	}
}

func fillQuick(code uint32, bits uint8, symbol int) {
	if bits > quickBits {
		return
	}
	spare := quickBits - bits
	for i := range uint32(1) << spare {
		quick[code<<spare|i] = uint16(symbol)<<4 | uint16(bits)
	}
}

// appendDecoded decodes a Huffman string onto dst. It fails with ErrString when dst would
// grow past limit bytes (RFC 7541 section 5.2).
func appendDecoded(dst, src []byte, limit int) ([]byte, error) {
	var window uint64 // unread bits, at the bottom
	held := uint(0)   // how many
	for {
		for held <= 56 && len(src) > 0 {
			window = window<<8 | uint64(src[0])
			src, held = src[1:], held+8
		}
		if held < codeBitsMax && len(src) == 0 {
			return drain(dst, window, held, limit)
		}
		symbol, bits := next(window, held)
		if symbol == eos {
			return dst, ErrHuffman
		}
		if len(dst) == limit {
			return dst, ErrString
		}
		dst = append(dst, byte(symbol))
		held -= bits
	}
}

// next is the symbol at the front of held bits, of which there are at least codeBitsMax.
func next(window uint64, held uint) (symbol uint16, bits uint) {
	if hit := quick[window>>(held-quickBits)&(1<<quickBits-1)]; hit != 0 {
		return hit >> 4, uint(hit & 0xf)
	}
	front := uint32(window >> (held - codeBitsMax) & (1<<codeBitsMax - 1))
	bits = quickBits + 1
	for front >= lengths[bits].end {
		bits++
	}
	l := &lengths[bits]
	return order[uint32(l.at)+front>>(codeBitsMax-bits)-l.first], bits
}

// drain decodes the last bits. What is left at the end must be fewer than 8 bits, all ones.
func drain(dst []byte, window uint64, held uint, limit int) ([]byte, error) {
	for {
		// Fill up with ones: too few bits then look like the end-of-string symbol.
		filled := window<<codeBitsMax | (1<<codeBitsMax - 1)
		symbol, bits := next(filled, held+codeBitsMax)
		if symbol == eos || bits > held {
			break
		}
		if len(dst) == limit {
			return dst, ErrString
		}
		dst = append(dst, byte(symbol))
		held -= bits
	}
	if ones := uint64(1)<<held - 1; held > 7 || window&ones != ones {
		return dst, ErrHuffman
	}
	return dst, nil
}
