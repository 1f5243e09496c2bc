package message

import (
	"encoding/binary"
	"errors"

	"rocketmq-proxy/pool"
)

// A batch is the body of a SEND_BATCH_MESSAGE: messages end to end, each as
//
//	size 4 | magic 4 = 0 | body CRC 4 = 0 | flag 4 | body length 4 | body | properties length 2 | properties
//
// All of them go to one queue of one topic. Specification 3.6.
const (
	batchHeadBytes = 4 + 4 + 4 + 4 + 4
	batchTailBytes = 2 // and the properties

	// BatchOverheadBytes is what a message of a batch takes beside body and properties.
	BatchOverheadBytes = batchHeadBytes + batchTailBytes
)

// AppendBatchHead appends what stands before the body of a message in a batch. Sizes are bytes.
func AppendBatchHead(dst []byte, flag int32, bodyLen, propertiesLen int) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(BatchOverheadBytes+bodyLen+propertiesLen))
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0) // magic and CRC: brokers compute them
	dst = binary.BigEndian.AppendUint32(dst, uint32(flag))
	return binary.BigEndian.AppendUint32(dst, uint32(bodyLen))
}

// AppendBatchTail appends what stands behind the body: the properties.
func AppendBatchTail(dst, properties []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(properties)))
	return append(dst, properties...)
}

// AppendBatch appends a message to the batch in out: head and tail are written, bytes
// [offset, offset+n) of body are shared. It refuses properties that are too long for their
// length field and appends nothing then.
func AppendBatch(out *pool.Chain, flag int32, body *pool.Chain, offset, n int, properties []byte) error {
	if len(properties) > PropertiesBytesMax {
		return ErrPropertiesLong
	}
	out.Commit(AppendBatchHead(out.Reserve(batchHeadBytes), flag, n, len(properties)))
	out.Share(body, offset, n)
	out.Commit(AppendBatchTail(out.Reserve(batchTailBytes+len(properties)), properties))
	return nil
}

// BatchMessage is a message of a batch. Properties borrow as those of a [Record] do.
type BatchMessage struct {
	Flag                int32
	BodyOffset, BodyLen int // bytes: where the body lies in the chain
	Properties          []byte

	scratch []byte
}

// ErrBatch says that a batch ends inside a message, or that a message does not fill its size.
var ErrBatch = errors.New("message: batch is broken")

// BatchReader walks the messages of a batch, which it borrows.
type BatchReader struct {
	cursor pool.Cursor
	err    error
}

// NewBatchReader returns a BatchReader at the front of c.
func NewBatchReader(c *pool.Chain) BatchReader { return BatchReader{cursor: pool.NewCursor(c)} }

// Err is nil after a walk that reached the end of the chain.
func (rd *BatchReader) Err() error { return rd.err }

// Next reads the next message into m; false at the end and at the first broken message.
func (rd *BatchReader) Next(m *BatchMessage) bool {
	r := &rd.cursor
	if rd.err != nil || r.Left() == 0 {
		return false
	}
	end := r.Offset() + int(int32(r.Uint32()))
	r.Skip(4 + 4) // magic and CRC
	m.Flag = int32(r.Uint32())
	m.BodyLen = int(int32(r.Uint32()))
	m.BodyOffset = r.Offset()
	r.Skip(m.BodyLen)
	n := int(r.Uint16())
	if m.Properties = r.Inside(n); m.Properties == nil {
		m.scratch = r.AppendTo(m.scratch[:0], n)
		m.Properties = m.scratch
	}
	if r.Err() != nil || r.Offset() != end {
		rd.err = ErrBatch
	}
	return rd.err == nil
}
