package message

import (
	"encoding/binary"
	"net/netip"
)

// fixed cuts numbers off the front of bytes whose length has been checked.
type fixed struct {
	b []byte
}

func (f *fixed) uint32() uint32 {
	n := binary.BigEndian.Uint32(f.b)
	f.b = f.b[4:]
	return n
}

func (f *fixed) uint64() uint64 {
	n := binary.BigEndian.Uint64(f.b)
	f.b = f.b[8:]
	return n
}

func (f *fixed) host(six bool) (h Host) {
	if six {
		h.IP = netip.AddrFrom16([ip6Bytes]byte(f.b))
		f.b = f.b[ip6Bytes:]
	} else {
		h.IP = netip.AddrFrom4([ip4Bytes]byte(f.b))
		f.b = f.b[ip4Bytes:]
	}
	h.Port = int32(f.uint32())
	return h
}
