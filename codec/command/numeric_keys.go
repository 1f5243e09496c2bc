package command

// quoteNumericKeys makes JSON of what Java's older printers write: maps with numbers for keys
// come without quotes around them, {0:"10.0.0.1:10911"}. The name server does so for old
// versions, and for the cluster table always. It returns body itself when nothing is to be done.
func quoteNumericKeys(body []byte) []byte {
	var out []byte
	copied, inString, keyMayFollow := 0, false, false
	for i := 0; i < len(body); i++ {
		c := body[i]
		switch {
		case inString && c == '\\':
			i++
		case c == '"':
			inString, keyMayFollow = !inString, false
		case inString || c == ' ' || c == '\n' || c == '\r' || c == '\t':
		case c == '{' || c == ',':
			keyMayFollow = true
		case keyMayFollow:
			keyMayFollow = false
			if end := numericKeyEnd(body, i); end > i {
				out = append(append(out, body[copied:i]...), '"')
				out = append(append(out, body[i:end]...), '"')
				copied, i = end, end-1
			}
		}
	}
	if out == nil {
		return body
	}
	return append(out, body[copied:]...)
}

// numericKeyEnd is where a bare number ends that begins at from and is followed by a colon; from
// itself when there is none.
func numericKeyEnd(body []byte, from int) int {
	end := from
	if body[end] == '-' {
		end++
	}
	for end < len(body) && body[end]-'0' <= 9 {
		end++
	}
	if end < len(body) && body[end] == ':' && body[end-1] != '-' && end > from {
		return end
	}
	return from
}
