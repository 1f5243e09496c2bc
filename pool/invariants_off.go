//go:build !invariants

package pool

// Invariants tells whether this build overwrites released memory and counts blocks.
const Invariants = false

// Live is the number of blocks that were handed out and not yet released. It is always 0 in
// builds without the tag.
func Live() int64 { return 0 }

func countOut()     {}
func countIn()      {}
func poison([]byte) {}
