package hpack

import (
	"encoding/binary"
	"slices"
)

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
	codeBitsMin = 5
	// stepBits is how many bits one look into steps takes. What headers are made of has codes
	// of 5 to 8 bits, and digits and the letters of a UUID have at most 6: mostly that is two
	// symbols at once.
	stepBits = 12
)

// length is what is known of the codes of one length.
type length struct {
	end   uint32 // one past the last code, moved to the top of codeBitsMax bits
	first uint32 // the first code
	at    uint16 // where its symbol lies in order
}

var (
	steps   [1 << stepBits]step // by the next stepBits bits
	order   [eos + 1]uint16     // symbols by length, then by value
	lengths [codeBitsMax + 1]length
)

// step is what some bits begin with: one symbol or two. It packs the bits of both into bits 0 to
// 5, where a shift takes them from without another instruction, the symbols into 8 to 23, the bits
// of the first into 24 to 27, and the number of symbols from 28 on. Zero means that the first code
// is longer than a step.
type step uint32

func newStep(symbol int, bits uint8) step {
	return step(bits) | step(symbol)<<8 | step(bits)<<24 | 1<<28
}

// longStep is a step of one symbol whose code is longer than others have.
func longStep(symbol uint16, bits uint) step { return newStep(int(symbol), 0) | step(bits) }

// with is a step of two symbols, p and then the first of q.
func (p step) with(q step) step { return p + q>>24&0xf + q>>8&0xff<<16 + 1<<28 }

func (p step) bits() uint      { return uint(p & 63) }
func (p step) firstBits() uint { return uint(p >> 24 & 0xf) }
func (p step) symbols() int    { return int(p >> 28) }

// first is the step without its second symbol.
func (p step) first() step { return newStep(int(p>>8&0xff), uint8(p.firstBits())) }

// put writes the symbols, and a byte behind a single one.
func (p step) put(dst []byte) { binary.LittleEndian.PutUint16(dst, uint16(p>>8)) }

func init() {
	code, at := uint32(0), uint16(0)
	for bits := uint8(1); bits <= codeBitsMax; bits++ {
		lengths[bits].first, lengths[bits].at = code, at
		for symbol, n := range codeBits {
			if n != bits {
				continue
			}
			fillSteps(code, bits, symbol)
			order[at] = uint16(symbol)
			code, at = code+1, at+1
		}
		lengths[bits].end = code << (codeBitsMax - bits)
		code <<= 1
	}
	pairSteps()
}

func fillSteps(code uint32, bits uint8, symbol int) {
	if bits > stepBits {
		return
	}
	spare := stepBits - bits
	for i := range uint32(1) << spare {
		steps[code<<spare|i] = newStep(symbol, bits)
	}
}

// pairSteps adds the second symbol to every step that has bits enough for it.
func pairSteps() {
	singles := steps
	for i, p := range &singles {
		q := singles[i<<p.firstBits()&(1<<stepBits-1)]
		if q != 0 && p != 0 && p.firstBits()+q.firstBits() <= stepBits {
			steps[i] = p.with(q)
		}
	}
}

// appendDecoded decodes a Huffman string onto dst. It fails with ErrString when dst would
// grow past limit bytes (RFC 7541 section 5.2).
func appendDecoded(dst, src []byte, limit int) ([]byte, error) {
	from := len(dst)
	// Room for the shortest codes, and for the second symbol that is always written.
	dst = slices.Grow(dst, len(src)*8/codeBitsMin+2)
	n, ok := decode(dst[from:cap(dst)], src, limit-from)
	switch {
	case from+n > limit:
		return dst[:limit], ErrString
	case !ok:
		return dst[:from+n], ErrHuffman
	}
	return dst[:from+n], nil
}

// decode writes the symbols of src to dst, which has room for all of them. It may stop, or
// not, once there are more than limit; whatever it says of the string matters no more then.
func decode(dst, src []byte, limit int) (n int, ok bool) {
	var window uint64 // unread bits, at the top; below them may already be some of src[at:]
	held := uint(0)   // how many
	for at := 0; ; {
		window |= load(src, at) >> held
		taken := min((63-held)/8, uint(len(src)-at))
		at, held = at+int(taken), held+8*taken
		if held < codeBitsMax {
			return drain(dst, n, window, held)
		}
		for held >= codeBitsMax {
			p := steps[window>>(64-stepBits)]
			if p == 0 {
				symbol, bits := longCode(window)
				if symbol == eos {
					return n, false
				}
				p = longStep(symbol, bits)
			}
			p.put(dst[n:])
			n += p.symbols()
			window <<= p & 63
			held -= p.bits()
		}
		if n > limit {
			return n, false
		}
	}
}

// load is the next 8 bytes of src, the first at the top; behind the end are zeros.
func load(src []byte, at int) (b uint64) {
	switch end := len(src); {
	case at+8 <= end:
		return binary.BigEndian.Uint64(src[at:])
	case end >= 8:
		return binary.BigEndian.Uint64(src[end-8:]) << (8 * uint(at+8-end))
	case end >= 4: // two halves that overlap
		b = uint64(binary.BigEndian.Uint32(src))<<32 | uint64(binary.BigEndian.Uint32(src[end-4:]))<<(8*uint(8-end))
		return b << (8 * uint(at))
	}
	for i := at; i < len(src); i++ {
		b |= uint64(src[i]) << (56 - 8*uint(i-at))
	}
	return b
}

// longCode is the symbol at the top of window, whose code is longer than a step.
func longCode(window uint64) (symbol uint16, bits uint) {
	front := uint32(window >> (64 - codeBitsMax))
	bits = stepBits + 1
	for front >= lengths[bits].end {
		bits++
	}
	l := &lengths[bits]
	return order[uint32(l.at)+front>>(codeBitsMax-bits)-l.first], bits
}

// drain decodes the last bits, behind n symbols. What is left at the end must be fewer than 8
// bits, all ones.
func drain(dst []byte, n int, window uint64, held uint) (int, bool) {
	// Fill up with ones: too few bits then look like the end-of-string symbol.
	window |= ^uint64(0) >> held
	for held >= codeBitsMin {
		p := steps[window>>(64-stepBits)]
		if p.bits() > held {
			p = p.first()
		}
		if p == 0 {
			p = longStep(longCode(window))
		}
		if p.bits() > held {
			break
		}
		p.put(dst[n:])
		n += p.symbols()
		window = window<<(p&63) | (1<<(p&63) - 1)
		held -= p.bits()
	}
	return n, held < 8 && window == ^uint64(0)
}
