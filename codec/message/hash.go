package message

import "unicode/utf8"

// HashCode is Java's String.hashCode of UTF-8 text: 31*h + c over its UTF-16 units.
func HashCode[T text](s T) (h int32) {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return hashWide(h, string(s[i:]))
		}
		h = 31*h + int32(s[i])
	}
	return h
}

// hashWide goes on where the text is no longer ASCII.
func hashWide(h int32, s string) int32 {
	const (
		planeBegin = 0x10000 // from here on a character is two units
		highBegin  = 0xD800
		lowBegin   = 0xDC00
	)
	for _, c := range s {
		if c >= planeBegin {
			c -= planeBegin
			h = 31*h + (highBegin + c>>10)
			c = lowBegin + c&0x3FF
		}
		h = 31*h + c
	}
	return h
}

// TagHash is what a broker filters tags by: the hash of the tag in 64 bits, 0 without a tag.
// Different tags may share it. Specification 3.5.
func TagHash(tag []byte) int64 { return int64(HashCode(tag)) }

// ConsistentHash is the bucket in [0, buckets) of a hash, as Guava's Hashing.consistentHash
// chooses it: when buckets are added, inputs move to new buckets only. gRPC specification 2.3.
// buckets must be positive.
func ConsistentHash(hash int64, buckets int) int {
	state, candidate := uint64(hash), 0
	for {
		state = 2862933555777941757*state + 1
		unit := float64(int32(state>>33)+1) / (1 << 31)
		next := int64(float64(candidate+1) / unit)
		if next < 0 || next >= int64(buckets) {
			return candidate
		}
		candidate = int(next)
	}
}

// GroupBucket is the queue index for a message group among buckets queues, which are ordered by
// topic, broker name and queue id.
func GroupBucket(group []byte, buckets int) int {
	return ConsistentHash(int64(HashCode(group)), buckets)
}
