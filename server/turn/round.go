package turn

import "sync"

// Round is where turns wait that were woken while a goroutine reads from one socket after the
// other. When it has read from all that had something to say, it runs the round: one batch of each
// turn. So what arrived together travels on together, whichever socket it came from, and no
// goroutine is woken on the way.
//
//	idle ──forwarded to by a reader──► waiting ──Run──► running one batch ──► idle, or on a goroutine of its own
type Round struct {
	ring func()

	mu      sync.Mutex
	waiting []*Turn
	spare   []*Turn
}

// NewRound returns an empty round. ring is called when the first turn waits, and must have Run
// called soon, by a goroutine that may be kept for some batches. It must not block.
func NewRound(ring func()) *Round { return &Round{ring: ring} }

// add takes a turn that was claimed.
func (r *Round) add(t *Turn) {
	r.mu.Lock()
	r.waiting = append(r.waiting, t)
	first := len(r.waiting) == 1
	r.mu.Unlock()
	if first {
		r.ring()
	}
}

// Run runs all that waits. It must not be called inside a turn.
func (r *Round) Run() {
	r.mu.Lock()
	waiting := r.waiting
	r.waiting, r.spare = r.spare, nil
	r.mu.Unlock()
	for _, t := range waiting {
		t.weigh()
		t.Hasten()
	}
	clear(waiting)
	r.mu.Lock()
	r.spare = waiting[:0]
	r.mu.Unlock()
}

// Hasten runs a batch of a turn that waits in a round, and does nothing for any other. Whoever
// waits for a turn, and may be the one that is to run its round, calls it before.
func (t *Turn) Hasten() {
	t.mu.Lock()
	waits := t.waits
	t.waits = false
	t.mu.Unlock()
	if waits {
		t.runHere()
	}
}

// passingMax is how often at most a turn does not wait, after it has waited in vain, before it tries
// again.
const passingMax = 32

// weigh looks whether it was worth it to wait: whether more than one turn has said something. The
// more often it was not, the more seldom it is tried.
func (t *Turn) weigh() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.voices == 1 {
		t.patience = min(2*t.patience+1, passingMax)
	} else {
		t.patience = 0
	}
	t.passing = t.patience
}
