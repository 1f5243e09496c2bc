package frame

import "encoding/binary"

const priorityBytes = 5

// Priority is the payload of a PRIORITY frame (RFC 9113 section 6.3). The scheme is
// deprecated; only the layout is checked.
type Priority struct {
	DependsOn uint32
	Exclusive bool
	Weight    uint8 // the weight less one
}

// ParsePriority reads a PRIORITY payload.
func ParsePriority(payload []byte) (Priority, error) {
	if len(payload) != priorityBytes {
		return Priority{}, sizeError(KindPriority)
	}
	return parsePriority(payload), nil
}

func parsePriority(b []byte) Priority {
	dependency := binary.BigEndian.Uint32(b)
	return Priority{
		DependsOn: dependency & StreamMax,
		Exclusive: dependency > StreamMax,
		Weight:    b[4],
	}
}

// AppendPriority encodes a PRIORITY frame.
func AppendPriority(dst []byte, stream uint32, p Priority) []byte {
	dst = AppendHead(dst, Head{Length: priorityBytes, Kind: KindPriority, Stream: stream})
	dependency := p.DependsOn
	if p.Exclusive {
		dependency |= 1 << 31
	}
	return append(binary.BigEndian.AppendUint32(dst, dependency), p.Weight)
}
