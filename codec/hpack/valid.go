package hpack

// nameBytes are the bytes a field name may hold (RFC 9113 section 8.2.1): no controls, no
// space, no upper case, nothing from 0x7f on. The colon of a pseudo-header is looked at
// apart.
var nameBytes = func() (ok [256]bool) {
	for c := 0x21; c < 0x7f; c++ {
		ok[c] = c != ':' && (c < 'A' || c > 'Z')
	}
	return ok
}()

func validName(name []byte) bool {
	if len(name) > 0 && name[0] == ':' {
		name = name[1:]
	}
	if len(name) == 0 {
		return false
	}
	for _, c := range name {
		if !nameBytes[c] {
			return false
		}
	}
	return true
}

// validValue refuses NUL, CR and LF. White space at either end, which RFC 9113 section 8.2.1
// forbids too, is let through: the reference accepts it, and so does everybody else.
func validValue(value []byte) bool {
	for _, c := range value {
		if c <= '\r' && (c == 0 || c == '\n' || c == '\r') {
			return false
		}
	}
	return true
}
