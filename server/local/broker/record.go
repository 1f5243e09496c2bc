package broker

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
)

// record is a stored message. Its views borrow the value that it was read from.
//
//	version:1 sysFlag:4 reconsumeTimes:4 born:8 stored:8 sequence:8 properties:2+n body
type record struct {
	SysFlag        int32
	ReconsumeTimes int32
	Born, Stored   int64  // ms since 1970
	Sequence       uint64 // of the append, unique: what clients know as the commit-log offset
	Properties     []byte
	Body           []byte
}

const (
	recordVersion   = 1
	recordHeadBytes = 1 + 4 + 4 + 8 + 8 + 8 + 2
)

var errRecord = errors.New("broker: not a stored message")

func recordBytes(properties, body int) int { return recordHeadBytes + properties + body }

// appendRecordHead appends everything before the body.
func appendRecordHead(dst []byte, r *record) []byte {
	dst = binary.BigEndian.AppendUint32(append(dst, recordVersion), uint32(r.SysFlag))
	dst = binary.BigEndian.AppendUint32(dst, uint32(r.ReconsumeTimes))
	dst = binary.BigEndian.AppendUint64(dst, uint64(r.Born))
	dst = binary.BigEndian.AppendUint64(dst, uint64(r.Stored))
	dst = binary.BigEndian.AppendUint64(dst, r.Sequence)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(r.Properties)))
	return append(dst, r.Properties...)
}

// parse reads a record from the whole of b.
func (r *record) parse(b []byte) error {
	if len(b) < recordHeadBytes || b[0] != recordVersion {
		return errRecord
	}
	r.SysFlag = int32(binary.BigEndian.Uint32(b[1:]))
	r.ReconsumeTimes = int32(binary.BigEndian.Uint32(b[5:]))
	r.Born = int64(binary.BigEndian.Uint64(b[9:]))
	r.Stored = int64(binary.BigEndian.Uint64(b[17:]))
	r.Sequence = binary.BigEndian.Uint64(b[25:])
	properties := int(binary.BigEndian.Uint16(b[33:]))
	if len(b) < recordHeadBytes+properties {
		return errRecord
	}
	r.Properties = b[recordHeadBytes : recordHeadBytes+properties : recordHeadBytes+properties]
	r.Body = b[recordHeadBytes+properties:]
	return nil
}

// copyTo appends what leaves of a message to a chain: its properties, of which a view is
// returned, and from the offset body on its body.
func (r *record) copyTo(out *pool.Chain) (properties []byte, body int) {
	properties = append(out.Reserve(len(r.Properties)+len(r.Body)), r.Properties...)
	body = out.Len() + len(properties)
	out.Commit(append(properties, r.Body...))
	return slices.Clip(properties), body
}

// Message is one message to be stored.
type Message struct {
	BodyOffset, BodyLen int    // where the body lies in Send.Payload, in bytes
	Properties          []byte // encoded as they are stored
	SysFlag             int32
	Born                int64 // ms since 1970
	ReconsumeTimes      int32
}

// PropertiesBytesMax is the longest encoded property list that is stored.
const PropertiesBytesMax = math.MaxUint16

// put writes a record whose body is still in a chain.
func (b *Broker) putMessage(keyBytes int, prefix []byte, r *record, payload *pool.Chain, m *Message) (key []byte) {
	key, value := b.batch.Put(keyBytes, len(prefix)+recordBytes(len(r.Properties), m.BodyLen))
	value = append(value[:0], prefix...)
	payload.AppendRange(appendRecordHead(value, r), m.BodyOffset, m.BodyLen)
	return key[:0]
}

// putRecord writes a record whose body is at hand.
func (b *Broker) putRecord(keyBytes int, prefix []byte, r *record) (key []byte) {
	key, value := b.batch.Put(keyBytes, len(prefix)+recordBytes(len(r.Properties), len(r.Body)))
	value = append(value[:0], prefix...)
	_ = append(appendRecordHead(value, r), r.Body...)
	return key[:0]
}

// put writes a small value.
func (b *Broker) put(key, value []byte) {
	k, v := b.batch.Put(len(key), len(value))
	copy(k, key)
	copy(v, value)
}

// uniqueID is the id that a message's sender gave it.
func (r *record) uniqueID() []byte { return message.Property(r.Properties, message.NameUniqKey) }
