package stub

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// Request and response codes of Remoting that the stub knows.
const (
	codeSend             = 10
	codeUpdateTopic      = 17
	codeRuntimeInfo      = 28
	codeGetMaxOffset     = 30
	codeHeartbeat        = 34
	codeUnregister       = 35
	codeSendBack         = 36
	codeRoute            = 105
	codeClusterInfo      = 106
	codeSendV2           = 310
	codeSendBatch        = 320
	codeTopicConfig      = 351
	codeGroupConfig      = 352
	codePop              = 200050
	codeAck              = 200051
	codeChangeInvisible  = 200053
	codeBatchAck         = 200151
	codeNotSupported     = 3
	flagOneway           = 2
	frameBytesMax        = 16 << 20
	serializeJSON        = 0
	serializeRocketMQ    = 1
	binaryHeadBytes      = 17 // code 2, language 1, version 2, opaque 4, flag 4, remark length 4
	binaryExtLengthBytes = 4
)

var errFrame = errors.New("stub: not a Remoting frame")

// request is one Remoting request, borrowed from the read buffer.
type request struct {
	code   int32
	opaque int32
	flag   int32
	binary bool
	head   []byte // the JSON text, or the ext block of a ROCKETMQ header
	body   []byte
}

// parseFrame reads one frame at the start of b. It returns the bytes it
// spans, or 0 when b does not hold the whole frame yet.
func parseFrame(b []byte, r *request) (int, error) {
	if len(b) < 8 {
		return 0, nil
	}
	total := int(binary.BigEndian.Uint32(b))
	word := binary.BigEndian.Uint32(b[4:])
	headLen := int(word & 0xffffff)
	if total < 4 || total > frameBytesMax || headLen > total-4 {
		return 0, errFrame
	}
	if len(b) < 4+total {
		return 0, nil
	}
	head := b[8 : 8+headLen]
	r.body = b[8+headLen : 4+total]
	switch word >> 24 {
	case serializeJSON:
		return 4 + total, r.parseJSON(head)
	case serializeRocketMQ:
		return 4 + total, r.parseBinary(head)
	}
	return 0, errFrame
}

var (
	keyCode   = []byte(`"code":`)
	keyOpaque = []byte(`"opaque":`)
	keyFlag   = []byte(`"flag":`)
	quote     = []byte(`"`)
)

// parseJSON finds the three numbers the stub needs. A quote inside a JSON
// string is escaped, so the patterns cannot match inside a value.
func (r *request) parseJSON(head []byte) error {
	var okCode, okOpaque bool
	r.code, okCode = number(head, keyCode)
	r.opaque, okOpaque = number(head, keyOpaque)
	r.flag, _ = number(head, keyFlag)
	r.binary = false
	r.head = head
	if !okCode || !okOpaque {
		return errFrame
	}
	return nil
}

func (r *request) parseBinary(head []byte) error {
	if len(head) < binaryHeadBytes+binaryExtLengthBytes {
		return errFrame
	}
	r.code = int32(int16(binary.BigEndian.Uint16(head)))
	r.opaque = int32(binary.BigEndian.Uint32(head[5:]))
	r.flag = int32(binary.BigEndian.Uint32(head[9:]))
	remark := int(binary.BigEndian.Uint32(head[13:]))
	if remark < 0 || remark > len(head)-binaryHeadBytes-binaryExtLengthBytes {
		return errFrame
	}
	r.binary = true
	r.head = head[binaryHeadBytes+remark+binaryExtLengthBytes:]
	return nil
}

// number returns the integer that follows key.
func number(b, key []byte) (int32, bool) {
	i := bytes.Index(b, key)
	if i < 0 {
		return 0, false
	}
	i += len(key)
	for i < len(b) && b[i] == ' ' {
		i++
	}
	negative := i < len(b) && b[i] == '-'
	if negative {
		i++
	}
	n, start := int32(0), i
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		n = n*10 + int32(b[i]-'0')
		i++
	}
	if negative {
		n = -n
	}
	return n, i > start
}

// field names one ext field in both header encodings.
type field struct {
	json []byte // `"name":"`
	name []byte
}

func newField(name string) field {
	return field{json: []byte(`"` + name + `":"`), name: []byte(name)}
}

// ext returns the raw text of one ext field, borrowed, or nil.
func (r *request) ext(f field) []byte {
	if r.binary {
		return extBinary(r.head, f.name)
	}
	i := bytes.Index(r.head, f.json)
	if i < 0 {
		return nil
	}
	v, _, closed := bytes.Cut(r.head[i+len(f.json):], quote)
	if !closed {
		return nil
	}
	return v
}

func extBinary(b, name []byte) []byte {
	for len(b) >= 6 {
		keyLen := int(binary.BigEndian.Uint16(b))
		if len(b) < 6+keyLen {
			return nil
		}
		key := b[2 : 2+keyLen]
		valueLen := int(binary.BigEndian.Uint32(b[2+keyLen:]))
		b = b[6+keyLen:]
		if valueLen < 0 || valueLen > len(b) {
			return nil
		}
		if bytes.Equal(key, name) {
			return b[:valueLen]
		}
		b = b[valueLen:]
	}
	return nil
}

// digits reads an unsigned decimal, or gives def when there is none.
func digits(b []byte, def int64) int64 {
	if len(b) == 0 {
		return def
	}
	n := int64(0)
	for _, c := range b {
		if c < '0' || c > '9' {
			return def
		}
		n = n*10 + int64(c-'0')
	}
	return n
}
