package broker

import (
	"bytes"
	"encoding/binary"
)

// schedule is keys that begin with a time and that something happens for when it has come.
// They lie in the store; in memory is when the next one is due, and what the store does not
// know yet because the batch is not committed.
//
// Keys are dealt with in their order, and what is before from is not looked at again. So a key
// that is committed waits for those before it that are not.
type schedule struct {
	next int64  // no committed key is due before
	from []byte // every key below has been dealt with
	to   []byte // behind the last key

	added, sealed    int64               // the earliest that were written to the open and to the sealed batch
	gone, sealedGone map[uint64]struct{} // by sequence: deleted there
}

func newSchedule(prefix byte) schedule {
	return schedule{
		from: []byte{prefix}, to: []byte{prefix + 1}, added: never, sealed: never,
		gone: map[uint64]struct{}{}, sealedGone: map[uint64]struct{}{},
	}
}

func (s *schedule) add(due int64) { s.added = min(s.added, due) }

// forget notes that the keys of a sequence are deleted.
func (s *schedule) forget(sequence uint64) { s.gone[sequence] = struct{}{} }

func (s *schedule) forgotten(sequence uint64) bool {
	if _, is := s.gone[sequence]; is {
		return true
	}
	_, is := s.sealedGone[sequence]
	return is
}

func (s *schedule) seal() {
	s.sealed, s.added = min(s.sealed, s.added), never
	s.gone, s.sealedGone = s.sealedGone, s.gone
}

func (s *schedule) committed() {
	s.next = min(s.next, s.sealed)
	s.sealed = never
	clear(s.sealedGone)
}

// fireMax is how many keys of a schedule are dealt with in one turn.
const fireMax = 1024

// fire calls do for every key that is due; the views are borrowed.
func (b *Broker) fire(s *schedule, now int64, do func(key, value []byte)) {
	if s.next > now {
		return
	}
	uncommitted := min(s.added, s.sealed) // what is due then, or later, waits
	more := b.cursor.Seek(s.from, s.to)
	for range fireMax {
		if !more || timeOfKey(b.cursor.Key()) > now || timeOfKey(b.cursor.Key()) >= uncommitted {
			break
		}
		if !s.forgotten(sequenceOfKey(b.cursor.Key())) {
			do(b.cursor.Key(), b.cursor.Value())
		}
		s.from = append(append(s.from[:0], b.cursor.Key()...), 0)
		more = b.cursor.Next()
	}
	s.next = never
	switch {
	case more && timeOfKey(b.cursor.Key()) < uncommitted:
		s.next = timeOfKey(b.cursor.Key())
	case !more:
		b.restSchedule(s, now, b.cursor.Err())
	}
}

// restSchedule: after a damaged stretch the schedule goes on at once, after any other fault
// later.
func (b *Broker) restSchedule(s *schedule, now int64, err error) {
	switch {
	case err == nil:
	case isDamage(err):
		b.report("a schedule is damaged: what comes after is dealt with", err)
		if s.next = now; !b.skipDamage(s, now) {
			s.next = now + scheduleRetry
		}
	default:
		b.report("a schedule cannot be read: it is tried again", err)
		s.next = now + scheduleRetry
	}
}

// skipDamage moves a schedule to the first time that can be read again. It is false when that
// is behind now.
func (b *Broker) skipDamage(s *schedule, now int64) bool {
	prefix := s.to[0] - 1
	low, high := int64(0), now+1
	if len(s.from) >= 1+8 {
		low = timeOfKey(s.from)
	}
	for low < high {
		middle := low + (high-low)/2
		b.key = binary.BigEndian.AppendUint64(append(b.key[:0], prefix), uint64(middle))
		if b.cursor.Seek(b.key, s.to); isDamage(b.cursor.Err()) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	b.key = binary.BigEndian.AppendUint64(append(b.key[:0], prefix), uint64(high))
	if bytes.Compare(s.from, b.key) < 0 {
		s.from = append(s.from[:0], b.key...)
	}
	return high <= now
}

// scheduleRetry is how long a schedule rests that could not be read, in ms.
const scheduleRetry = 10_000
