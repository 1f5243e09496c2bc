package backend

// UpdateOffset notes how far a group has consumed a queue: what comes before Offset is done. It
// is where the group's pops read on, too.
type UpdateOffset struct {
	Exchange
	Queue
	Group  []byte // borrowed until it comes home
	Offset int64
}

// GetOffset asks how far a group has consumed a queue. A group that has never told, nor popped,
// is answered with the fault OffsetNotFound.
type GetOffset struct {
	Exchange
	Queue
	Group []byte // borrowed until it comes home

	// reply
	Offset int64
}

// QueryOffset asks for an offset of a queue.
type QueryOffset struct {
	Exchange
	Queue
	At        OffsetAt
	Timestamp int64 // of AtTime, ms since 1970

	// reply
	Offset int64
}

// OffsetAt says which offset of a queue is wanted.
type OffsetAt uint8

// The offsets that may be asked for.
const (
	AtBeginning OffsetAt = iota // of the oldest message that is kept
	AtEnd                       // behind the newest
	AtTime                      // of the first message stored at Timestamp or later, else as AtEnd
)
