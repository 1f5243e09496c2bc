package hpack

// TableBytesMax is the size of the dynamic table, in bytes as RFC 7541 section 4.1 counts
// them: the initial value of SETTINGS_HEADER_TABLE_SIZE, which a server that decodes into
// this table must not raise.
const TableBytesMax = 4096

// entryOverhead is what every entry costs besides its bytes.
const entryOverhead = 32

const (
	arenaBytesMin = 512
	entriesMin    = 16 // both must be powers of two
)

// entry is one field of the dynamic table; its bytes lie in the arena.
type entry struct {
	at          uint16
	name, value uint16 // lengths
	tag         Tag
	valid       bool
}

// table is the dynamic table: a ring of entries over an arena of bytes. Inserts go to the
// end of the arena; at its end the live bytes, which are contiguous, move back to its front.
// Both start small, so that a connection that was never used costs little.
type table struct {
	arena []byte  // live bytes are arena[low:len]
	low   int     // where the oldest entry's bytes begin
	ring  []entry // a power of two long
	head  int     // ring position of the oldest entry
	count int
	size  int // bytes as the RFC counts them
	max   int // bytes; what the last size update allowed
}

func (t *table) init() { t.max = TableBytesMax }

// entryAt is the entry with dynamic index i, 0 being the newest, or nil.
func (t *table) entryAt(i int) *entry {
	if i >= t.count {
		return nil
	}
	return &t.ring[(t.head+t.count-1-i)&(len(t.ring)-1)]
}

// name is the name of an entry, borrowed until the next insert.
func (t *table) name(e *entry) []byte { return t.arena[e.at : e.at+e.name] }

// resize evicts down to max bytes.
func (t *table) resize(max int) {
	t.max = max
	t.evict(max)
}

func (t *table) evict(max int) {
	for t.size > max {
		e := &t.ring[t.head]
		t.size -= int(e.name) + int(e.value) + entryOverhead
		t.low += int(e.name) + int(e.value)
		t.head = (t.head + 1) & (len(t.ring) - 1)
		t.count--
	}
	if t.count == 0 {
		t.low, t.arena = 0, t.arena[:0]
	}
}

// insert adds a field whose bytes do not lie in the arena. One that does not fit leaves the
// table empty (RFC 7541 section 4.4).
func (t *table) insert(name, value []byte, tag Tag, valid bool) {
	need := len(name) + len(value) + entryOverhead
	if need > t.max {
		t.evict(0)
		return
	}
	if t.size > t.max-need {
		t.evict(t.max - need)
	}
	t.reserve(need - entryOverhead)
	if t.count == len(t.ring) {
		t.growRing()
	}
	at := len(t.arena)
	t.arena = t.arena[:at+len(name)+len(value)]
	copy(t.arena[at:], name)
	copy(t.arena[at+len(name):], value)
	t.ring[(t.head+t.count)&(len(t.ring)-1)] = entry{
		at: uint16(at), name: uint16(len(name)), value: uint16(len(value)), tag: tag, valid: valid,
	}
	t.count++
	t.size += need
}

// reserve makes room for n bytes behind the live ones. Live bytes and n together never
// exceed TableBytesMax.
func (t *table) reserve(n int) {
	if cap(t.arena)-len(t.arena) >= n {
		return
	}
	live := t.arena[t.low:]
	if room := cap(t.arena); len(live)+n > room || (room < TableBytesMax && len(live) > room/2) {
		room = max(room, arenaBytesMin/2)
		for room *= 2; room < len(live)+n; {
			room *= 2
		}
		t.arena = append(make([]byte, 0, room), live...)
	} else {
		t.arena = t.arena[:copy(t.arena[:cap(t.arena)], live)]
	}
	t.rebase()
}

// rebase moves every entry down by low, after its bytes have moved.
func (t *table) rebase() {
	for i := range t.count {
		t.ring[(t.head+i)&(len(t.ring)-1)].at -= uint16(t.low)
	}
	t.low = 0
}

func (t *table) growRing() {
	ring := make([]entry, max(entriesMin, 2*len(t.ring)))
	for i := range t.count {
		ring[i] = t.ring[(t.head+i)&(len(t.ring)-1)]
	}
	t.ring, t.head = ring, 0
}
