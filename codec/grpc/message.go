package grpc

// plain tells whether the i-th byte of s stands for itself in a grpc-message: printable ASCII but
// for the percent sign. A space does so between others only: HTTP/2 has no values that begin or
// end with one (RFC 9113 section 8.2.1).
func plain(s string, i int) bool {
	switch c := s[i]; c {
	case '%':
		return false
	case ' ':
		return i > 0 && i < len(s)-1
	default:
		return c > ' ' && c <= '~'
	}
}

const hexDigits = "0123456789ABCDEF"

// EncodedLen is how many bytes AppendMessage appends for s.
func EncodedLen(s string) int {
	n := len(s)
	for i := range len(s) {
		if !plain(s, i) {
			n += 2
		}
	}
	return n
}

// AppendMessage percent-encodes s as a grpc-message value. The encoding also keeps line
// breaks out of the header.
func AppendMessage(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; plain(s, i) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', hexDigits[c>>4], hexDigits[c&0xf])
		}
	}
	return dst
}

// DecodeMessage is the inverse of AppendMessage. As the specification asks, an escape that
// is no escape is kept as it is.
func DecodeMessage(b []byte) string {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] == '%' && i+2 < len(b) {
			high, low := unhex(b[i+1]), unhex(b[i+2])
			if high >= 0 && low >= 0 {
				out = append(out, byte(high<<4|low))
				i += 2
				continue
			}
		}
		out = append(out, b[i])
	}
	return string(out)
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}
