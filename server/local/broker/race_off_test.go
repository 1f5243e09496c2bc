//go:build !race

package broker_test

// raceEnabled: the race detector allocates on its own.
const raceEnabled = false
