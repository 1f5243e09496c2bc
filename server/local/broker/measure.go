package broker

// measure is how much a pop or a pull may take, and has taken.
type measure struct {
	limits *Limits
	most   int // messages that it asks for
	taken  int // messages that leave with it
	bytes  int // of those
	looked int // messages looked at since others had their turn

	full bool // another message does not fit, or the store has a fault that may pass
}

// turn begins another look, after others have had theirs.
func (m *measure) turn() { m.looked, m.full = 0, false }

// room tells whether another message may leave.
func (m *measure) room() bool { return m.taken < m.most && m.looked < m.limits.ScanMax && !m.full }

// fits tells whether this message may leave with those before it. The first always does.
func (m *measure) fits(r *record) bool {
	m.full = m.taken > 0 && m.bytes+len(r.Properties)+len(r.Body) > m.limits.PopBytesMax
	return !m.full
}

// took counts a message that leaves.
func (m *measure) took(r *record) {
	m.taken++
	m.bytes += len(r.Properties) + len(r.Body)
}
