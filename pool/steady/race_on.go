//go:build race

package steady

// Race tells that the race detector is on. It allocates, and sync.Pool drops things at random under it.
const Race = true
