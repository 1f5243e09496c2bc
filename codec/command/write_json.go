package command

import "strconv"

// text is what ext values are made of: views in hot requests, strings in cold ones.
type text interface{ ~string | ~[]byte }

// jsonHead writes a head as JSON. Keys and the order of the first members are ours, as is the
// text of the constants; readers depend on neither. Begin, then the fields, then seal:
//
//	w := beginJSON(dst, codeAck, opaque, 0)
//	w.int("queueId", 3)
//	return w.seal(bodyLen)
type jsonHead struct {
	b     []byte
	start int // where the prefix begins
}

const jsonTail = `,"language":"JAVA","version":513,"serializeTypeCurrentRPC":"JSON","extFields":{`

func beginJSON(dst []byte, code, opaque, flag int32) jsonHead {
	w := jsonHead{b: appendPrefix(dst), start: len(dst)}
	w.b = append(w.b, `{"code":`...)
	w.b = strconv.AppendInt(w.b, int64(code), 10)
	w.b = append(w.b, `,"opaque":`...)
	w.b = strconv.AppendInt(w.b, int64(opaque), 10)
	w.b = append(w.b, `,"flag":`...)
	w.b = strconv.AppendInt(w.b, int64(flag), 10)
	return w
}

// remark comes before fields, when at all.
func (w *jsonHead) remark(remark string) {
	if remark != "" {
		w.b = append(w.b, `,"remark":"`...)
		w.b = appendEscaped(w.b, remark)
		w.b = append(w.b, '"')
	}
}

// fields opens the ext fields.
func (w *jsonHead) fields() { w.b = append(w.b, jsonTail...) }

// key writes the name of a field that needs no escape.
func (w *jsonHead) key(key string) {
	w.b = append(w.b, '"')
	w.b = append(w.b, key...)
	w.b = append(w.b, `":"`...)
}

func (w *jsonHead) endField() { w.b = append(w.b, `",`...) }

func (w *jsonHead) int(key string, n int64) {
	w.key(key)
	w.b = strconv.AppendInt(w.b, n, 10)
	w.endField()
}

func (w *jsonHead) bool(key string, v bool) {
	w.key(key)
	w.b = strconv.AppendBool(w.b, v)
	w.endField()
}

func (w *jsonHead) bytes(key string, v []byte) {
	w.key(key)
	w.b = appendEscaped(w.b, v)
	w.endField()
}

func (w *jsonHead) string(key, v string) {
	w.key(key)
	w.b = appendEscaped(w.b, v)
	w.endField()
}

// optBytes leaves an absent field out, as Java leaves out nulls.
func (w *jsonHead) optBytes(key string, v []byte) {
	if len(v) > 0 {
		w.bytes(key, v)
	}
}

func (w *jsonHead) optString(key, v string) {
	if v != "" {
		w.string(key, v)
	}
}

func (w *jsonHead) field(f Field) {
	if f.Value == nil {
		return
	}
	w.b = append(w.b, '"')
	w.b = appendEscaped(w.b, f.Key)
	w.b = append(w.b, `":"`...)
	w.b = appendEscaped(w.b, f.Value)
	w.endField()
}

// seal ends the head and fills the prefix, which counts bodyLen bytes to follow.
func (w *jsonHead) seal(bodyLen int) []byte {
	if last := len(w.b) - 1; w.b[last] == ',' {
		w.b = w.b[:last]
	}
	w.b = append(w.b, `}}`...)
	return sealPrefix(w.b, w.start, bodyLen, JSON)
}

const hexDigits = "0123456789abcdef"

// appendEscaped writes v as the inside of a JSON string: quote, backslash and control
// characters escaped (message properties are separated by 0x01 and 0x02), all else as it is.
func appendEscaped[T text](dst []byte, v T) []byte {
	from := 0
	for i := range len(v) {
		c := v[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, v[from:i]...)
		if c < 0x20 {
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		} else {
			dst = append(dst, '\\', c)
		}
		from = i + 1
	}
	return append(dst, v[from:]...)
}
