package message

import (
	"errors"

	"rocketmq-proxy/pool"
)

// Record is one stored message, as brokers return it. Specification 3.1. Topic and Properties
// borrow the chain it was read from, or the Record's own scratch where they straddle blocks;
// they are valid until the next read into the same Record. The body stays in the chain.
type Record struct {
	Magic                     uint32
	BodyCRC                   uint32 // of the body as stored, compressed or not, top bit clear
	QueueID                   int32
	Flag                      int32 // the sender's own
	SysFlag                   int32
	ReconsumeTimes            int32
	QueueOffset               int64
	PhysicalOffset            int64 // commit-log offset
	BornTimestamp             int64 // ms since 1970
	StoreTimestamp            int64 // ms since 1970
	PreparedTransactionOffset int64 // commit-log offset of the half message, else 0
	BornHost                  Host
	StoreHost                 Host
	Offset, Size              int // bytes: where the whole record lies in the chain
	BodyOffset, BodyLen       int // bytes: where the body lies in the chain
	Topic                     []byte
	Properties                []byte

	scratch []byte
}

// What a record may begin with.
const (
	MagicV1 uint32 = 0xDAA320A7 // topic length in one byte
	MagicV2 uint32 = 0xDAA320AB // topic length in two bytes, for topics above 127 bytes
)

// Bytes of a record, by piece.
const (
	recordHeadBytes    = 6*4 + 2*8                                 // size up to and with the sysFlag
	recordTailBytes    = 3*8 + 2*(ip4Bytes+4) + 2*4                // up to and with the length of the body
	recordTailBytesMax = recordTailBytes + 2*(ip6Bytes-ip4Bytes)   // with IPv6 hosts
	recordBytesMin     = recordHeadBytes + recordTailBytes + 1 + 2 // neither body, topic nor properties
)

// What [Reader.Err] tells. The records before the broken one are good.
var (
	ErrRecordSize  = errors.New("message: record size does not hold the record")
	ErrRecordMagic = errors.New("message: record has no known magic")
)

// Reader walks the records of a chain, which it borrows. It allocates nothing.
type Reader struct {
	cursor pool.Cursor
	err    error
}

// NewReader returns a Reader at the front of c. Offsets in its records count from there.
func NewReader(c *pool.Chain) Reader { return Reader{cursor: pool.NewCursor(c)} }

// Err is nil after a walk that reached the end of the chain.
func (rd *Reader) Err() error { return rd.err }

// Next reads the next record into rec. It is false at the end of the chain and at the first
// record that is broken; see Err.
func (rd *Reader) Next(rec *Record) bool {
	r := &rd.cursor
	if rd.err != nil || r.Left() == 0 {
		return false
	}
	rec.Offset = r.Offset()
	if rd.err = rec.readFixed(r); rd.err != nil {
		return false
	}
	end := rec.Offset + rec.Size
	rec.readVariable(r, end)
	if r.Err() != nil || r.Offset() > end {
		rd.err = ErrRecordSize
		return false
	}
	r.Skip(end - r.Offset())
	return true
}

// readFixed reads everything before the body. It does so in two pieces, because the flags at
// the end of the first say how long the second is.
func (rec *Record) readFixed(r *pool.Cursor) error {
	var scratch [recordTailBytesMax]byte
	left := r.Left()
	head := fixed{r.Bytes(recordHeadBytes, scratch[:])}
	if head.b == nil {
		return ErrRecordSize
	}
	rec.Size = int(int32(head.uint32()))
	rec.Magic = head.uint32()
	switch {
	case rec.Size < recordBytesMin || rec.Size > left:
		return ErrRecordSize
	case rec.Magic != MagicV1 && rec.Magic != MagicV2:
		return ErrRecordMagic
	}
	rec.BodyCRC = head.uint32()
	rec.QueueID = int32(head.uint32())
	rec.Flag = int32(head.uint32())
	rec.QueueOffset = int64(head.uint64())
	rec.PhysicalOffset = int64(head.uint64())
	rec.SysFlag = int32(head.uint32())
	return rec.readTail(r, scratch[:])
}

func (rec *Record) readTail(r *pool.Cursor, scratch []byte) error {
	born6, store6 := rec.SysFlag&FlagBornHostV6 != 0, rec.SysFlag&FlagStoreHostV6 != 0
	n := recordTailBytes
	if born6 {
		n += ip6Bytes - ip4Bytes
	}
	if store6 {
		n += ip6Bytes - ip4Bytes
	}
	tail := fixed{r.Bytes(n, scratch)}
	if tail.b == nil {
		return ErrRecordSize
	}
	rec.BornTimestamp = int64(tail.uint64())
	rec.BornHost = tail.host(born6)
	rec.StoreTimestamp = int64(tail.uint64())
	rec.StoreHost = tail.host(store6)
	rec.ReconsumeTimes = int32(tail.uint32())
	rec.PreparedTransactionOffset = int64(tail.uint64())
	rec.BodyLen = int(int32(tail.uint32()))
	return nil
}

func (rec *Record) readVariable(r *pool.Cursor, end int) {
	rec.BodyOffset = r.Offset()
	r.Skip(rec.BodyLen)
	rec.scratch = rec.scratch[:0]
	topicLen := int(r.Uint8())
	if rec.Magic == MagicV2 {
		topicLen = topicLen<<8 | int(r.Uint8())
	}
	rec.Topic = rec.view(r, topicLen, end)
	rec.Properties = rec.view(r, int(r.Uint16()), end)
}

// view borrows n bytes, or gathers them where they straddle blocks.
func (rec *Record) view(r *pool.Cursor, n, end int) []byte {
	if b := r.Inside(n); b != nil {
		return b
	}
	if r.Offset()+n > end {
		r.Skip(-1) // latches: never gather bytes of the next record
		return nil
	}
	from := len(rec.scratch)
	rec.scratch = r.AppendTo(rec.scratch, n)
	return rec.scratch[from:len(rec.scratch):len(rec.scratch)]
}
