package broker

import "encoding/binary"

// The keys of the store. Numbers are big endian, so that keys sort as they count.
//
//	M name                                → a counter
//	T topic name                          → topic, as JSON
//	G group name                          → group, as JSON
//	q topic:4 queue:2                     → first:8 end:8 of a queue that lost messages to retention
//	m topic:4 queue:2 offset:8            → record
//	o group:4 topic:4 queue:2             → next:8, where the group reads on
//	c group:4 topic:4 queue:2 offset:8    → entry: a message below next that is not consumed
//	t due:8 hash:8 sequence:8             → topic:4 record, a delayed message
//	h sequence:8                          → half message
//	k check:8 sequence:8                  → nothing: when a half message is asked about
//	x topic:4 transaction id              → sequence:8 of the half message
const (
	prefixCounter  = 'M'
	prefixTopic    = 'T'
	prefixGroup    = 'G'
	prefixQueue    = 'q'
	prefixMessage  = 'm'
	prefixPosition = 'o'
	prefixEntry    = 'c'
	prefixTimer    = 't'
	prefixHalf     = 'h'
	prefixCheck    = 'k'
	prefixIndex    = 'x'
)

// Bytes of the keys whose length is fixed.
const (
	queueKeyBytes    = 1 + 4 + 2
	messageKeyBytes  = queueKeyBytes + 8
	positionKeyBytes = 1 + 4 + 4 + 2
	entryKeyBytes    = positionKeyBytes + 8
	timerKeyBytes    = 1 + 8 + 8 + 8
	halfKeyBytes     = 1 + 8
	checkKeyBytes    = 1 + 8 + 8
)

func appendNameKey(dst []byte, prefix byte, name string) []byte {
	return append(append(dst, prefix), name...)
}

func appendQueueKey(dst []byte, prefix byte, topic uint32, queue int32) []byte {
	dst = binary.BigEndian.AppendUint32(append(dst, prefix), topic)
	return binary.BigEndian.AppendUint16(dst, uint16(queue))
}

func appendMessageKey(dst []byte, topic uint32, queue int32, offset int64) []byte {
	return binary.BigEndian.AppendUint64(appendQueueKey(dst, prefixMessage, topic, queue), uint64(offset))
}

func offsetOfMessageKey(key []byte) int64 {
	return int64(binary.BigEndian.Uint64(key[queueKeyBytes:]))
}

func appendPositionKey(dst []byte, prefix byte, group, topic uint32, queue int32) []byte {
	dst = binary.BigEndian.AppendUint32(append(dst, prefix), group)
	dst = binary.BigEndian.AppendUint32(dst, topic)
	return binary.BigEndian.AppendUint16(dst, uint16(queue))
}

func appendEntryKey(dst []byte, group, topic uint32, queue int32, offset int64) []byte {
	return binary.BigEndian.AppendUint64(appendPositionKey(dst, prefixEntry, group, topic, queue), uint64(offset))
}

// positionKey is what an o key, or the front of a c key, says.
type positionKey struct {
	group, topic uint32
	queue        int32
}

func parsePositionKey(key []byte) positionKey {
	return positionKey{
		group: binary.BigEndian.Uint32(key[1:]), topic: binary.BigEndian.Uint32(key[5:]), queue: int32(binary.BigEndian.Uint16(key[9:])),
	}
}

func appendTimerKey(dst []byte, due int64, hash, sequence uint64) []byte {
	dst = binary.BigEndian.AppendUint64(append(dst, prefixTimer), uint64(due))
	dst = binary.BigEndian.AppendUint64(dst, hash)
	return binary.BigEndian.AppendUint64(dst, sequence)
}

func appendHalfKey(dst []byte, sequence uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, prefixHalf), sequence)
}

func appendCheckKey(dst []byte, due int64, sequence uint64) []byte {
	dst = binary.BigEndian.AppendUint64(append(dst, prefixCheck), uint64(due))
	return binary.BigEndian.AppendUint64(dst, sequence)
}

func appendIndexKey(dst []byte, topic uint32, transactionID []byte) []byte {
	return append(binary.BigEndian.AppendUint32(append(dst, prefixIndex), topic), transactionID...)
}

// timeOfKey is the time that a t or k key begins with.
func timeOfKey(key []byte) int64 { return int64(binary.BigEndian.Uint64(key[1:])) }

// sequenceOfKey is the sequence that a t or k key ends with.
func sequenceOfKey(key []byte) uint64 { return binary.BigEndian.Uint64(key[len(key)-8:]) }

// after is the smallest key that is greater than all that begin with prefix; nil when there is
// none.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
