package store

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/cockroachdb/pebble/v2"
)

// A commit that does not sync must still survive the fall of the process: it is in the system's
// hands when it is answered for, and only a fall of the machine can lose it. Pebble has no such
// commit. One without sync stays in a buffer of the process until 32 KiB are full or somebody
// syncs, and all that is lost with a kill.
//
// Therefore such a commit is one with sync to Pebble, which so writes its buffer out, and the
// guard puts the sync of the log off until a commit that means it, or until the log is closed.
// Pebble then believes the log to be on disk, and says so in the head of each chunk; a log that
// is torn by a fall of the machine would contradict that and be taken for damaged. So once a
// sync has been put off, the guard takes these claims out of what is written. Our own marks
// (log.go) are of what was synced in truth.

// applyLazily applies b and returns when the system has it.
func (s *Store) applyLazily(b *pebble.Batch) error {
	s.guard.disclaims.Store(true)
	s.guard.lazy.Store(true)
	defer s.guard.lazy.Store(false)
	return s.db.Apply(b, pebble.Sync)
}

// disclaim takes out of whole chunks of a log how much of it is on disk.
func disclaim(p []byte) {
	for at := 0; at+syncHead <= len(p); {
		encoding := p[at+6]
		if encoding < 9 || encoding > 12 {
			return // the end of the log, or of a block
		}
		end := at + syncHead + int(binary.LittleEndian.Uint16(p[at+4:]))
		if end > len(p) {
			return
		}
		if binary.LittleEndian.Uint64(p[at+11:]) != 0 {
			clear(p[at+11 : at+syncHead])
			sum := crc32.Checksum(p[at+6:end], castagnoli)
			binary.LittleEndian.PutUint32(p[at:], (sum>>15|sum<<17)+0xa282ead8)
		}
		at = end
	}
}
