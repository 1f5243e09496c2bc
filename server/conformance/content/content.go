// Package content makes messages out of a seed and an index, so that a receiver
// knows every byte a sender sent without having seen it. The Java client's
// program has the same arithmetic in Content.java; the fingerprints in
// content_test.go hold the two together.
package content

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// BodyBytesMax is the largest body the proxy accepts: exactly 4 MiB.
const BodyBytesMax = 4 << 20

// Series is a row of messages, numbered from 0.
type Series struct {
	Seed      uint64
	BytesMost int // no body is longer
}

// Message is what a series holds at one index.
type Message struct {
	Body       []byte
	Tag        string
	Keys       []string
	Properties map[string]string
}

// Size is the length of the body at an index. Of each thousand messages
//
//	1 has 1 byte                   (the first of a series)
//	1 has exactly 4 MiB            (the second of a series)
//	9 have 64 KiB to 1 MiB
//	90 have 4 KiB to 64 KiB
//	899 have 1 byte to 4 KiB
//
// which makes 13 to 15 MB. 389 is prime to 1000, so the large ones are spread out.
func (s Series) Size(index int) int {
	between := func(low, high uint64) int {
		return int(low + s.random(index).next()%(high-low+1))
	}
	var size int
	switch r := index * 389 % 1000; {
	case r == 0:
		size = 1
	case r == 389:
		size = BodyBytesMax
	case r < 10:
		size = between(64<<10, 1<<20)
	case r < 100:
		size = between(4<<10, 64<<10)
	default:
		size = between(1, 4<<10)
	}
	return min(size, s.BytesMost)
}

// At is the message at an index. The caller takes it.
func (s Series) At(index int) Message {
	random := s.random(index)
	random.next() // Size had this one
	body := make([]byte, s.Size(index))
	for at := 0; at < len(body); at += 8 {
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], random.next())
		copy(body[at:], word[:])
	}
	number := strconv.Itoa(index)
	return Message{
		Body: body,
		Tag:  "tag-" + strconv.Itoa(index%7),
		Keys: []string{"key-" + number, "row-" + strconv.Itoa(index%13)},
		Properties: map[string]string{
			"seed":  strconv.FormatUint(s.Seed, 10),
			"index": number,
			"note":  "ø 世界 =&; " + number, // not ASCII, and what separators look like
		},
	}
}

// Diff says how got differs from m, or nothing when it does not.
func (m Message) Diff(got Message) string {
	var faults []string
	if !bytes.Equal(m.Body, got.Body) {
		faults = append(faults, fmt.Sprintf("body of %d bytes, want %d; first difference at %d",
			len(got.Body), len(m.Body), firstDifference(m.Body, got.Body)))
	}
	if m.Tag != got.Tag {
		faults = append(faults, fmt.Sprintf("tag %q, want %q", got.Tag, m.Tag))
	}
	if !slices.Equal(m.Keys, got.Keys) {
		faults = append(faults, fmt.Sprintf("keys %q, want %q", got.Keys, m.Keys))
	}
	if !maps.Equal(m.Properties, got.Properties) {
		faults = append(faults, fmt.Sprintf("properties %q, want %q", got.Properties, m.Properties))
	}
	return strings.Join(faults, "; ")
}

// Fingerprint is a hash of everything in the message.
func (m Message) Fingerprint() string {
	h := sha256.New()
	h.Write(m.Body)
	h.Write([]byte("\x00" + m.Tag + "\x00" + strings.Join(m.Keys, " ")))
	for _, key := range slices.Sorted(maps.Keys(m.Properties)) {
		h.Write([]byte("\x00" + key + "=" + m.Properties[key]))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// splitMix is the generator SplitMix64: one addition and two multiplications,
// the same in every language that has 64 bits.
type splitMix uint64

func (s Series) random(index int) *splitMix {
	r := splitMix(s.Seed)
	r = splitMix(r.next() ^ uint64(index))
	return &r
}

func (r *splitMix) next() uint64 {
	*r += 0x9E3779B97F4A7C15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}
