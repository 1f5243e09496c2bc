//go:build invariants

package pool

import "sync/atomic"

// Invariants tells whether this build overwrites released memory and counts blocks.
const Invariants = true

// poisonByte is what released memory is overwritten with: it is neither text nor a
// plausible length in any of our protocols.
const poisonByte = 0xDB

var live atomic.Int64

// Live is the number of blocks that were handed out and not yet released. It is always 0 in
// builds without the tag.
func Live() int64 { return live.Load() }

func countOut() { live.Add(1) }
func countIn()  { live.Add(-1) }

func poison(block []byte) {
	block = block[:cap(block)]
	for i := range block {
		block[i] = poisonByte
	}
}
