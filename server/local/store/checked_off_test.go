//go:build !race && !invariants

package store

// checked says whether this build has checks that cost time and memory, Pebble's among them.
const checked = false
