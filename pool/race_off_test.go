//go:build !race

package pool

// raced tells that sync.Pool drops things at random, as it does under the race detector.
const raced = false
