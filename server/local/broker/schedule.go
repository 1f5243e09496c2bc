package broker

// schedule is keys that begin with a time and that something happens for when it has come.
// They lie in the store; in memory is when the next one is due, and what the store does not
// know yet because the batch is not committed.
type schedule struct {
	next int64  // no key is due before
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

func (s *schedule) add(due int64) {
	s.added = min(s.added, due)
	s.next = min(s.next, due)
}

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
	more := b.cursor.Seek(s.from, s.to)
	for range fireMax {
		if !more || timeOfKey(b.cursor.Key()) > now {
			break
		}
		if !s.forgotten(sequenceOfKey(b.cursor.Key())) {
			do(b.cursor.Key(), b.cursor.Value())
		}
		s.from = append(append(s.from[:0], b.cursor.Key()...), 0)
		more = b.cursor.Next()
	}
	s.next = min(s.added, s.sealed)
	if more {
		s.next = min(s.next, timeOfKey(b.cursor.Key()))
	} else if err := b.cursor.Err(); err != nil {
		b.report("a schedule cannot be read: it is tried again", err)
		s.next = now + scheduleRetry
	}
}

// scheduleRetry is how long a schedule rests that could not be read, in ms.
const scheduleRetry = 10_000
