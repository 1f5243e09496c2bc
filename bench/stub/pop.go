package stub

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strconv"
)

// Offsets inside a stored message with IPv4 hosts.
const (
	recordMagic        = 0xDAA320A7
	recordQueueID      = 12
	recordQueueOffset  = 20
	recordPhysical     = 28
	recordBorn         = 40
	recordStored       = 56
	recordBodyLen      = 84
	recordKeyChars     = 34 // "01" and 32 hex digits, the shape of a 5.x client's message id
	popMessagesMax     = 32
	remarkFound        = "FOUND"
	recordPort         = 21923
	recordKeyHexDigits = 16
)

// record is a stored message of one topic, ready but for its offsets, times
// and unique key. One connection owns it.
type record struct {
	topic []byte
	bytes []byte
	keyAt int // where the last 16 hex digits of UNIQ_KEY begin
}

// build lays out the message as a broker stores and returns it.
func (t *record) build(topic, body []byte) {
	t.topic = append(t.topic[:0], topic...)
	b := make([]byte, recordBodyLen, recordBodyLen+len(body)+len(topic)+256)
	binary.BigEndian.PutUint32(b[4:], recordMagic)
	binary.BigEndian.PutUint32(b[8:], crc32.ChecksumIEEE(body)&0x7fffffff)
	copy(b[48:], []byte{127, 0, 0, 1})
	binary.BigEndian.PutUint32(b[52:], recordPort)
	copy(b[64:], []byte{127, 0, 0, 1})
	binary.BigEndian.PutUint32(b[68:], recordPort)
	b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
	b = append(b, body...)
	b = append(b, byte(len(topic)))
	b = append(b, topic...)
	propsAt := len(b)
	b = append(b, 0, 0)
	b = append(b, "MSG_REGION\x01DefaultRegion\x02UNIQ_KEY\x0101"...)
	for range recordKeyChars - 2 {
		b = append(b, '0')
	}
	t.keyAt = len(b) - recordKeyHexDigits
	b = append(b, "\x02CLUSTER\x01DefaultCluster\x02TAGS\x01tagA\x02KEYS\x01key-1\x02TRACE_ON\x01true\x02"...)
	binary.BigEndian.PutUint16(b[propsAt:], uint16(len(b)-propsAt-2))
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	t.bytes = b
}

// append copies the message with its own offset, queue and time.
func (t *record) append(out []byte, offset uint64, queue uint32, nowMillis int64) []byte {
	at := len(out)
	out = append(out, t.bytes...)
	m := out[at:]
	binary.BigEndian.PutUint32(m[recordQueueID:], queue)
	binary.BigEndian.PutUint64(m[recordQueueOffset:], offset)
	binary.BigEndian.PutUint64(m[recordPhysical:], offset*uint64(len(t.bytes)))
	binary.BigEndian.PutUint64(m[recordBorn:], uint64(nowMillis))
	binary.BigEndian.PutUint64(m[recordStored:], uint64(nowMillis))
	key := m[t.keyAt : t.keyAt+recordKeyHexDigits]
	for i := range key {
		key[i] = hexUpper[offset>>uint(4*(recordKeyHexDigits-1-i))&15]
	}
	return out
}

// appendPop answers with as many messages as were asked for, at once.
func (c *conn) appendPop(out []byte, r *request) []byte {
	if topic := r.ext(fieldTopic); !bytes.Equal(topic, c.record.topic) || c.record.bytes == nil {
		c.record.build(topic, c.server.body)
	}
	n := digits(r.ext(fieldMsgMax), 1)
	n = max(1, min(n, popMessagesMax))
	last := c.server.popped.Add(uint64(n))
	first := last - uint64(n)
	queue := uint32(last/uint64(n)) % Queues
	if q := r.ext(fieldQueueID); len(q) > 0 && q[0] != '-' {
		queue = uint32(digits(q, 0))
	}
	out, start := beginFrame(out)
	out = append(out, headStart...)
	out = append(out, `0,"extFields":{"invisibleTime":"`...)
	out = strconv.AppendInt(out, digits(r.ext(fieldInvisible), 60000), 10)
	out = append(out, `","startOffsetInfo":"0 `...)
	out = strconv.AppendUint(out, uint64(queue), 10)
	out = append(out, ' ')
	out = strconv.AppendUint(out, first, 10)
	out = append(out, `","restNum":"1000000","popTime":"`...)
	out = strconv.AppendInt(out, c.nowMillis, 10)
	out = append(out, `","reviveQid":"0","msgOffsetInfo":"0 `...)
	out = strconv.AppendUint(out, uint64(queue), 10)
	for i := first; i < last; i++ {
		if i == first {
			out = append(out, ' ')
		} else {
			out = append(out, ',')
		}
		out = strconv.AppendUint(out, i, 10)
	}
	out = append(out, '"', '}')
	out = endHead(out, start, r.opaque, remarkFound)
	for i := first; i < last; i++ {
		out = c.record.append(out, i, queue, c.nowMillis)
	}
	return endFrame(out, start)
}
