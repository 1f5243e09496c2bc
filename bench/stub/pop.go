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
	binary.BigEndian.PutUint32(b[bodyCRCAt:], bodyCRC(body))
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

func bodyCRC(body []byte) uint32 { return crc32.ChecksumIEEE(body) & 0x7fffffff }

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

// pop is a pop request, as far as the answer depends on it.
type pop struct {
	opaque    int32
	queue     int64 // -1 is any
	messages  int64 // at most
	invisible int64 // ms
}

// appendPop answers with as many messages as were asked for, at once.
func (c *conn) appendPop(out []byte, r *request) []byte {
	topic := r.ext(fieldTopic)
	p := pop{opaque: r.opaque, queue: digits(r.ext(fieldQueueID), -1), invisible: digits(r.ext(fieldInvisible), 60000)}
	p.messages = max(1, min(digits(r.ext(fieldMsgMax), 1), popMessagesMax))
	if isPollTopic(topic) {
		return c.appendPoll(out, topic, p, digits(r.ext(fieldPollTime), 0))
	}
	return c.appendFound(out, topic, &p, uint64(p.messages), nil)
}

// appendFound answers a pop with n messages. Arrived says when each did, where it matters.
func (c *conn) appendFound(out, topic []byte, p *pop, n uint64, arrived []int64) []byte {
	if !bytes.Equal(topic, c.record.topic) || c.record.bytes == nil {
		c.record.build(topic, c.server.body)
	}
	last := c.server.popped.Add(n)
	first := last - n
	queue := uint32(last/n) % Queues
	if p.queue >= 0 {
		queue = uint32(p.queue)
	}
	out, start := beginFrame(out)
	out = append(out, headStart...)
	out = append(out, `0,"extFields":{"invisibleTime":"`...)
	out = strconv.AppendInt(out, p.invisible, 10)
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
	out = endHead(out, start, p.opaque, remarkFound)
	for i := first; i < last; i++ {
		at := len(out)
		out = c.record.append(out, i, queue, c.nowMillis)
		if arrived != nil {
			arrivedAt(out[at:], len(c.server.body), arrived[i-first])
		}
	}
	return endFrame(out, start)
}
