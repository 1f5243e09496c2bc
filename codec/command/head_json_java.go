package command

import "math"

// parseJavaHead reads a head that is spelled exactly as brokers in Java spell their answers,
// letter by letter, which is nearly every head there is:
//
//	{"code":0,"extFields":{"k":"v"},"flag":1,"language":"JAVA","opaque":8,"remark":"FOUND",
//	"serializeTypeCurrentRPC":"JSON","version":513}
//
// (one line; extFields and remark may be absent). It is false at the first surprise, of which
// an escape in a string is one, and what h holds then means nothing: the general reader begins
// anew and is the one that tells what is wrong. It accepts nothing that the general one would
// read otherwise.
func parseJavaHead(h *Head, b []byte) bool {
	b, ok := javaNumber(b, `{"code":`, &h.Code)
	if !ok {
		return false
	}
	if rest, has := cutFront(b, `,"extFields":{`); has {
		if b, ok = javaExt(h, rest); !ok {
			return false
		}
	}
	if b, ok = javaNumber(b, `,"flag":`, &h.Flag); !ok {
		return false
	}
	if b, ok = javaNumber(b, `,"language":"JAVA","opaque":`, &h.Opaque); !ok {
		return false
	}
	h.Language = LanguageJava
	if rest, has := cutFront(b, `,"remark":"`); has {
		if h.Remark, b, ok = plainString(rest); !ok {
			return false
		}
	}
	b, ok = javaNumber(b, `,"serializeTypeCurrentRPC":"JSON","version":`, &h.Version)
	return ok && string(b) == "}"
}

// javaExt reads ext fields up to and with the closing brace. It is one loop with everything in
// registers: half of the time that a head takes goes by here.
func javaExt(h *Head, b []byte) (rest []byte, ok bool) {
	if len(b) > 0 && b[0] == '}' {
		return b[1:], true
	}
	ext := h.Ext
	for len(b) > 0 && b[0] == '"' && len(ext) < FieldsMax {
		key := b[1:]
		mid := stringEnd(key)
		if len(key)-mid < len(`":"`) || string(key[mid:mid+len(`":"`)]) != `":"` {
			break
		}
		value := key[mid+len(`":"`):]
		end := stringEnd(value)
		if len(value)-end < len(`"}`) || value[end] != '"' {
			break
		}
		ext = append(ext, Field{Key: key[:mid:mid], Value: value[:end:end]})
		next := value[end+1]
		if b = value[end+len(`"}`):]; next == '}' {
			h.Ext = ext
			return b, true
		}
		if next != ',' {
			break
		}
	}
	return nil, false
}

// plainString borrows a string without escapes; its first quote has been read.
func plainString(b []byte) (s, rest []byte, ok bool) {
	end := stringEnd(b)
	if end == len(b) || b[end] != '"' {
		return nil, nil, false
	}
	return b[:end:end], b[end+1:], true
}

func cutFront(b []byte, front string) (rest []byte, ok bool) {
	if len(b) < len(front) || string(b[:len(front)]) != front {
		return b, false
	}
	return b[len(front):], true
}

// javaNumber reads front and a 32-bit number, spelled the one way in which Java prints it.
func javaNumber(b []byte, front string, n *int32) (rest []byte, ok bool) {
	b, ok = cutFront(b, front)
	if !ok || len(b) == 0 {
		return b, false
	}
	negative := b[0] == '-'
	if negative {
		b = b[1:]
	}
	value, digits := int64(0), 0
	for digits < len(b) && digits < 11 && b[digits]-'0' <= 9 {
		value = value*10 + int64(b[digits]-'0')
		digits++
	}
	if digits == 0 || digits > 1 && b[0] == '0' {
		return b, false
	}
	if negative {
		value = -value
	}
	*n = int32(value)
	return b[digits:], value >= math.MinInt32 && value <= math.MaxInt32
}
