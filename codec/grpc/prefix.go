package grpc

import "encoding/binary"

// PrefixBytes is the size of the prefix in front of every message.
const PrefixBytes = 5

// Prefix is the Length-Prefixed-Message head: a compressed flag and a length.
type Prefix struct {
	Flag   byte   // Plain or Compressed; the rest is undefined
	Length uint32 // bytes of the message behind the prefix
}

// ParsePrefix reads the prefix at the front of b, which must hold PrefixBytes bytes.
func ParsePrefix(b []byte) Prefix {
	return Prefix{Flag: b[0], Length: binary.BigEndian.Uint32(b[1:PrefixBytes])}
}

// The flags of a prefix.
const (
	Plain      byte = 0
	Compressed byte = 1 // as the grpc-encoding of the call says
)

// Append encodes p.
func (p Prefix) Append(dst []byte) []byte {
	return binary.BigEndian.AppendUint32(append(dst, p.Flag), p.Length)
}

// AppendPrefix encodes the prefix of a plain message of length bytes.
func AppendPrefix(dst []byte, length int) []byte {
	return Prefix{Length: uint32(length)}.Append(dst)
}
