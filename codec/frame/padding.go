package frame

var errPadding = &Error{Code: ProtocolError, Reason: "padding exceeds the payload"}

// bounds tells where the padded content of a payload of length bytes lies, given the pad
// length in its first byte.
func bounds(length int, padded bool, first byte) (from, to int, err error) {
	if !padded {
		return 0, length, nil
	}
	if to = length - int(first); to < 1 {
		return 0, 0, errPadding
	}
	return 1, to, nil
}

// trim cuts the pad length and the padding off a payload.
func trim(h Head, payload []byte) ([]byte, error) {
	if !h.Flags.Has(FlagPadded) {
		return payload, nil
	}
	if len(payload) == 0 {
		return nil, sizeError(h.Kind)
	}
	from, to, err := bounds(len(payload), true, payload[0])
	if err != nil {
		return nil, err
	}
	return payload[from:to], nil
}
