package stub

import (
	"bytes"
	"encoding/binary"
	"strconv"
)

// A response head is printed as a 5.5.0 broker prints it: JSON whatever the
// request was encoded in, keys in alphabetical order, nulls left out.
const (
	headStart  = `{"code":`
	headExt    = `,"extFields":{`
	headFlag   = `,"flag":1,"language":"JAVA","opaque":`
	headRemark = `,"remark":"`
	headEnd    = `,"serializeTypeCurrentRPC":"JSON","version":513}`
)

// beginFrame leaves room for the two length words.
func beginFrame(out []byte) ([]byte, int) {
	return append(out, 0, 0, 0, 0, 0, 0, 0, 0), len(out)
}

// endHead closes the head that began at start and fills in its length.
func endHead(out []byte, start int, opaque int32, remark string) []byte {
	out = append(out, headFlag...)
	out = strconv.AppendInt(out, int64(opaque), 10)
	if remark != "" {
		out = append(out, headRemark...)
		out = append(out, remark...)
		out = append(out, '"')
	}
	out = append(out, headEnd...)
	binary.BigEndian.PutUint32(out[start+4:], uint32(len(out)-start-8))
	return out
}

// endFrame fills in the total length of the frame that began at start.
func endFrame(out []byte, start int) []byte {
	binary.BigEndian.PutUint32(out[start:], uint32(len(out)-start-4))
	return out
}

func appendPlain(out []byte, opaque int32, code int, remark string) []byte {
	out, start := beginFrame(out)
	out = append(out, headStart...)
	out = strconv.AppendInt(out, int64(code), 10)
	out = endHead(out, start, opaque, remark)
	return endFrame(out, start)
}

// appendWithBody answers 0 with a body and no ext fields.
func appendWithBody(out []byte, opaque int32, body []byte) []byte {
	out, start := beginFrame(out)
	out = append(out, headStart...)
	out = append(out, '0')
	out = endHead(out, start, opaque, "")
	out = append(out, body...)
	return endFrame(out, start)
}

func appendUnsupported(out []byte, r *request) []byte {
	remark := " request type " + strconv.Itoa(int(r.code)) + " not supported"
	return appendPlain(out, r.opaque, codeNotSupported, remark)
}

var (
	fieldQueueID    = newField("queueId")
	fieldTopic      = newField("topic")
	fieldGroup      = newField("group")
	fieldMsgMax     = newField("maxMsgNums")
	fieldInvisible  = newField("invisibleTime")
	fieldPollTime   = newField("pollTime")
	fieldSendTopic  = newField("b")
	fieldSendQueue  = newField("e")
	fieldSendProps  = newField("i")
	uniqKeyJSON     = []byte(`UNIQ_KEY\u0001`)
	uniqKeyBinary   = []byte("UNIQ_KEY\x01")
	hexUpper        = "0123456789ABCDEF"
	offsetIDHost    = "7F000001000055A3" // 127.0.0.1, port 21923: only its shape matters
	propertyEndJSON = byte('\\')         // values of the generators have no escapes of their own
)

// uniqKey returns the message id the client chose, borrowed from a send.
func (r *request) uniqKey() []byte {
	props, mark, end := r.head, uniqKeyJSON, propertyEndJSON
	if r.binary {
		props, mark, end = r.ext(fieldSendProps), uniqKeyBinary, byte(2)
	}
	i := bytes.Index(props, mark)
	if i < 0 {
		return nil
	}
	v := props[i+len(mark):]
	if n := bytes.IndexByte(v, end); n >= 0 {
		return v[:n]
	}
	return nil
}

// appendSend answers a send as in the captured frame: the message id names a
// commit-log offset, the transaction id is the client's own message id. queue is what the field of the queue is called.
func appendSend(out []byte, r *request, queue field, offset uint64) []byte {
	out, start := beginFrame(out)
	out = append(out, headStart...)
	out = append(out, '0')
	out = append(out, headExt...)
	out = append(out, `"queueId":"`...)
	if q := r.ext(queue); q != nil {
		out = append(out, q...)
	} else {
		out = append(out, '0')
	}
	out = append(out, `","transactionId":"`...)
	out = append(out, r.uniqKey()...)
	out = append(out, `","msgId":"`...)
	out = append(out, offsetIDHost...)
	out = appendHex64(out, offset)
	out = append(out, `","TRACE_ON":"true","MSG_REGION":"DefaultRegion","queueOffset":"`...)
	out = strconv.AppendUint(out, offset, 10)
	out = append(out, '"', '}')
	out = endHead(out, start, r.opaque, "")
	return endFrame(out, start)
}

// appendChangeInvisible grants the new invisible time at once.
func appendChangeInvisible(out []byte, r *request, nowMillis int64) []byte {
	out, start := beginFrame(out)
	out = append(out, headStart...)
	out = append(out, '0')
	out = append(out, headExt...)
	out = append(out, `"invisibleTime":"`...)
	out = strconv.AppendInt(out, digits(r.ext(fieldInvisible), 10000), 10)
	out = append(out, `","popTime":"`...)
	out = strconv.AppendInt(out, nowMillis, 10)
	out = append(out, `","reviveQid":"0"}`...)
	out = endHead(out, start, r.opaque, "not set any response code")
	return endFrame(out, start)
}

// appendMaxOffset answers GET_MAX_OFFSET, which proxies use as a probe.
func appendMaxOffset(out []byte, r *request) []byte {
	out, start := beginFrame(out)
	out = append(out, headStart...)
	out = append(out, `0,"extFields":{"offset":"5"}`...)
	out = endHead(out, start, r.opaque, "")
	return endFrame(out, start)
}

func appendHex64(out []byte, v uint64) []byte {
	for shift := 60; shift >= 0; shift -= 4 {
		out = append(out, hexUpper[v>>uint(shift)&15])
	}
	return out
}
