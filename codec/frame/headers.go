package frame

// Headers is the payload of a HEADERS frame (RFC 9113 section 6.2).
type Headers struct {
	Block       []byte // fragment of the header block; borrowed
	HasPriority bool
	Priority    Priority
}

// ParseHeaders reads a HEADERS payload.
func ParseHeaders(h Head, payload []byte) (p Headers, err error) {
	if payload, err = trim(h, payload); err != nil {
		return p, err
	}
	if h.Flags.Has(FlagPriority) {
		if len(payload) < priorityBytes {
			return p, sizeError(KindHeaders)
		}
		p.HasPriority = true
		p.Priority = parsePriority(payload)
		payload = payload[priorityBytes:]
	}
	p.Block = payload
	return p, nil
}

// AppendHeaders encodes a HEADERS frame around a block fragment.
func AppendHeaders(dst []byte, stream uint32, block []byte, flags Flags) []byte {
	dst = AppendHead(dst, Head{Length: len(block), Kind: KindHeaders, Flags: flags, Stream: stream})
	return append(dst, block...)
}
