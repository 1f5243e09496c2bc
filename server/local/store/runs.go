package store

import (
	"bytes"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	// runTail is how many bytes at the end of a key count upwards in a run.
	runTail = 8
	// runBlocksMin is by how many blocks, of tableBlockBytes or one large value, a run must have grown
	// between two flushes to get tables of its own.
	runBlocksMin = 64
	// runsMax bounds how many runs are counted between two flushes.
	runsMax = 1 << 12
)

// runs finds the keys that only ever grow at their end, such as a queue's messages: those that
// differ in nothing but a number of runTail bytes. A flush holds the newest part of each of them,
// and a table from the end of one to the beginning of the next overlaps everything that lies
// between; so compactions would write all of it again, flush after flush. With tables that end
// where a run ends the parts lie side by side, and nothing is left to be merged. Only runs that
// fill a table are worth one.
type runs struct {
	mu     sync.Mutex
	blocks map[string]int // written since the last flush
	bounds atomic.Pointer[[][]byte]
}

// wrote counts a block that was written to a table, from its first key to its last.
func (r *runs) wrote(first, last []byte) {
	cut := len(first) - runTail
	if cut <= 0 || len(first) != len(last) || !bytes.Equal(first[:cut], last[:cut]) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.blocks == nil {
		r.blocks = make(map[string]int)
	}
	if n := r.blocks[string(first[:cut])]; n > 0 || len(r.blocks) < runsMax {
		r.blocks[string(first[:cut])] = n + 1
	}
}

// flushed settles where tables end until the next flush.
func (r *runs) flushed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	var bounds [][]byte
	for prefix, n := range r.blocks {
		if n >= runBlocksMin {
			bounds = append(bounds, []byte(prefix), after([]byte(prefix)))
		}
	}
	clear(r.blocks)
	slices.SortFunc(bounds, bytes.Compare)
	r.bounds.Store(&bounds)
}

// end is where a table that begins with start has to end at the latest; nil is nowhere.
//
// Tables also end where the first byte of the keys changes: messages, deliveries and timers live
// and die at different speeds, and a table of one kind is not rewritten because of another.
func (r *runs) end(start []byte) []byte {
	if len(start) == 0 {
		return nil
	}
	kind := after(start[:1])
	if bounds := r.bounds.Load(); bounds != nil {
		i, _ := slices.BinarySearchFunc(*bounds, start, bytes.Compare)
		for i < len(*bounds) && bytes.Equal((*bounds)[i], start) {
			i++ // one run's end is another's beginning
		}
		if i < len(*bounds) && (kind == nil || bytes.Compare((*bounds)[i], kind) < 0) {
			return (*bounds)[i]
		}
	}
	return kind
}

// after is the smallest key that is greater than all that begin with prefix; nil when there is
// none.
func after(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
