//go:build !race

package h2

// raceEnabled: under the race detector sync.Pool drops some of what it is given.
const raceEnabled = false
