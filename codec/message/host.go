package message

import (
	"encoding/binary"
	"net/netip"
	"strconv"
)

// Bytes of an IP address on the wire.
const (
	ip4Bytes = 4
	ip6Bytes = 16
)

// Host is where a message was born or stored. The zero Host is 0.0.0.0:0 on the wire.
type Host struct {
	IP   netip.Addr
	Port int32 // 32 bits on the wire
}

// is6 tells whether the host takes 16 bytes. An IPv4 address in IPv6 clothes stays one.
func (h Host) is6() bool { return h.IP.Is6() }

// AppendTo appends "ip:port".
func (h Host) AppendTo(dst []byte) []byte {
	if h.IP.IsValid() {
		dst = h.IP.AppendTo(dst)
	} else {
		dst = append(dst, "0.0.0.0"...)
	}
	return strconv.AppendInt(append(dst, ':'), int64(h.Port), 10)
}

func (h Host) String() string { return string(h.AppendTo(nil)) }

// appendWire appends the IP bytes, 4 or 16, and the port.
func (h Host) appendWire(dst []byte) []byte {
	switch {
	case h.is6():
		ip := h.IP.As16()
		dst = append(dst, ip[:]...)
	case h.IP.Is4():
		ip := h.IP.As4()
		dst = append(dst, ip[:]...)
	default:
		dst = append(dst, 0, 0, 0, 0)
	}
	return binary.BigEndian.AppendUint32(dst, uint32(h.Port))
}
