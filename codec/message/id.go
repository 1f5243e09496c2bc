package message

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
)

const upperHexDigits = "0123456789ABCDEF"

// Bytes that an offset id spells out: IP, port and commit-log offset.
const (
	offsetIDBytes4 = 4 + 4 + 8
	offsetIDBytes6 = 16 + 4 + 8
)

// AppendOffsetID appends the offset message id of a message: where it is stored, in upper-case
// hexadecimal, 32 or 56 characters. Specification 3.2.
func AppendOffsetID(dst []byte, storeHost Host, commitLogOffset int64) []byte {
	var scratch [offsetIDBytes6]byte
	b := storeHost.appendWire(scratch[:0])
	b = binary.BigEndian.AppendUint64(b, uint64(commitLogOffset))
	for _, c := range b {
		dst = append(dst, upperHexDigits[c>>4], upperHexDigits[c&15])
	}
	return dst
}

// ParseOffsetID reads an offset message id, in any case of letters.
func ParseOffsetID(id []byte) (storeHost Host, commitLogOffset int64, ok bool) {
	var b [offsetIDBytes6]byte
	n := len(id) / 2
	if len(id)%2 != 0 || n != offsetIDBytes4 && n != offsetIDBytes6 {
		return Host{}, 0, false
	}
	if _, err := hex.Decode(b[:], id); err != nil {
		return Host{}, 0, false
	}
	rest := b[4:n]
	if n == offsetIDBytes6 {
		storeHost.IP, rest = netip.AddrFrom16([16]byte(b[:16])), b[16:n]
	} else {
		storeHost.IP = netip.AddrFrom4([4]byte(b[:4]))
	}
	storeHost.Port = int32(binary.BigEndian.Uint32(rest))
	return storeHost, int64(binary.BigEndian.Uint64(rest[4:])), true
}
