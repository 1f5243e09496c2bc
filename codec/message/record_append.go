package message

import (
	"encoding/binary"
	"hash/crc32"
	"math"
)

// topicBytesV1Max is the longest topic whose record is written in version 1.
const topicBytesV1Max = math.MaxInt8

// CRC is the checksum that a record has of its body: CRC-32 (IEEE) without the top bit.
func CRC(body []byte) uint32 { return crc32.ChecksumIEEE(body) & math.MaxInt32 }

// AppendRecord appends a stored record with the given body. Sizes, checksum, version and the
// host bits of the sysFlag follow from the rest of rec, whose own are not read.
func AppendRecord(dst []byte, rec *Record, body []byte) []byte {
	start := len(dst)
	dst = appendRecordFixed(dst, rec, CRC(body))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(body)))
	dst = append(dst, body...)
	if len(rec.Topic) > topicBytesV1Max {
		dst = append(dst, byte(len(rec.Topic)>>8))
	}
	dst = append(dst, byte(len(rec.Topic)))
	dst = append(dst, rec.Topic...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(rec.Properties)))
	dst = append(dst, rec.Properties...)
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start))
	return dst
}

func appendRecordFixed(dst []byte, rec *Record, crc uint32) []byte {
	magic := MagicV1
	if len(rec.Topic) > topicBytesV1Max {
		magic = MagicV2
	}
	sysFlag := rec.SysFlag &^ (FlagBornHostV6 | FlagStoreHostV6)
	if rec.BornHost.is6() {
		sysFlag |= FlagBornHostV6
	}
	if rec.StoreHost.is6() {
		sysFlag |= FlagStoreHostV6
	}
	dst = binary.BigEndian.AppendUint32(dst, 0) // size, filled at the end
	dst = binary.BigEndian.AppendUint32(dst, magic)
	dst = binary.BigEndian.AppendUint32(dst, crc)
	dst = binary.BigEndian.AppendUint32(dst, uint32(rec.QueueID))
	dst = binary.BigEndian.AppendUint32(dst, uint32(rec.Flag))
	dst = binary.BigEndian.AppendUint64(dst, uint64(rec.QueueOffset))
	dst = binary.BigEndian.AppendUint64(dst, uint64(rec.PhysicalOffset))
	dst = binary.BigEndian.AppendUint32(dst, uint32(sysFlag))
	dst = binary.BigEndian.AppendUint64(dst, uint64(rec.BornTimestamp))
	dst = rec.BornHost.appendWire(dst)
	dst = binary.BigEndian.AppendUint64(dst, uint64(rec.StoreTimestamp))
	dst = rec.StoreHost.appendWire(dst)
	dst = binary.BigEndian.AppendUint32(dst, uint32(rec.ReconsumeTimes))
	return binary.BigEndian.AppendUint64(dst, uint64(rec.PreparedTransactionOffset))
}
