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

// validValue refuses NUL, CR and LF anywhere and white space at either end.
func validValue(value []byte) bool {
	if len(value) == 0 {
		return true
	}
	if blank(value[0]) || blank(value[len(value)-1]) {
		return false
	}
	for _, c := range value {
		if c <= '\r' && (c == 0 || c == '\n' || c == '\r') {
			return false
		}
	}
	return true
}

func blank(c byte) bool { return c == ' ' || c == '\t' }
