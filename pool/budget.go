package pool

import "sync/atomic"

// Budget bounds how many bytes many owners may hold together. It counts what they say they
// hold, and knows no block. A nil Budget bounds nothing. Safe for concurrent use.
type Budget struct {
	max     int64
	used    atomic.Int64
	refused atomic.Uint64
}

// NewBudget returns a budget of max bytes.
func NewBudget(max int) *Budget { return &Budget{max: int64(max)} }

// Take asks for n bytes more and tells whether they may be held; if so, Give them back.
func (b *Budget) Take(n int) bool {
	if b == nil {
		return true
	}
	if b.used.Add(int64(n)) > b.max {
		b.used.Add(int64(-n))
		b.refused.Add(1)
		return false
	}
	return true
}

// Give returns n bytes that were taken.
func (b *Budget) Give(n int) {
	if b != nil && b.used.Add(int64(-n)) < 0 {
		panic("pool: more was given back to a budget than was taken")
	}
}

// Used is how many bytes are held.
func (b *Budget) Used() int {
	if b == nil {
		return 0
	}
	return int(b.used.Load())
}

// Refused is how often Take said no.
func (b *Budget) Refused() uint64 {
	if b == nil {
		return 0
	}
	return b.refused.Load()
}
