package load

import (
	"sync"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies are kept in nanoseconds with three significant digits.
const (
	latencyMin    = 100
	latencyMax    = int64(120e9)
	latencyDigits = 3
	shardsMax     = 16
)

// histograms holds one histogram for each kind of request.
type histograms struct {
	mu    sync.Mutex
	kinds []*hdrhistogram.Histogram
}

func newHistograms(kinds int) *histograms {
	h := &histograms{}
	for range kinds {
		h.kinds = append(h.kinds, newHistogram())
	}
	return h
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(latencyMin, latencyMax, latencyDigits)
}

func (h *histograms) record(kind int, nanos int64) {
	h.mu.Lock()
	_ = h.kinds[kind].RecordValue(min(max(nanos, latencyMin), latencyMax)) // cannot fail within the bounds
	h.mu.Unlock()
}

// fifo is a queue of numbers that reuses its memory.
type fifo struct {
	items []int64
	first int
}

func (f *fifo) len() int { return len(f.items) - f.first }

func (f *fifo) push(v int64) {
	if f.first > 0 && len(f.items) == cap(f.items) {
		f.items = f.items[:copy(f.items, f.items[f.first:])]
		f.first = 0
	}
	f.items = append(f.items, v)
}

func (f *fifo) pop() int64 {
	v := f.items[f.first]
	if f.first++; f.first == len(f.items) {
		f.items, f.first = f.items[:0], 0
	}
	return v
}
