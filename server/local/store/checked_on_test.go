//go:build race || invariants

package store

const checked = true
