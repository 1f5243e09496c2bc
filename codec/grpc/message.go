package grpc

// plain tells whether c stands for itself in a grpc-message: printable ASCII but for the
// percent sign.
func plain(c byte) bool { return c >= 0x20 && c <= 0x7e && c != '%' }

const hexDigits = "0123456789ABCDEF"

// EncodedLen is how many bytes AppendMessage appends for s.
func EncodedLen(s string) int {
	n := len(s)
	for i := range len(s) {
		if !plain(s[i]) {
			n += 2
		}
	}
	return n
}

// AppendMessage percent-encodes s as a grpc-message value. The encoding also keeps line
// breaks out of the header.
func AppendMessage(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; plain(c) {
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
