package store

import (
	"bytes"
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// Get appends the value of key to dst.
func (s *Store) Get(dst, key []byte) (value []byte, found bool, err error) {
	v, closer, err := s.db.Get(key)
	switch {
	case err == nil:
		dst = append(dst, v...)
		return dst, true, closer.Close()
	case errors.Is(err, pebble.ErrNotFound):
		return dst, false, nil
	case pebble.IsCorruptionError(err):
		return s.getWhole(dst, key)
	}
	return dst, false, err
}

// getWhole is Get without the filters that save reading a table: one of them may be what is damaged.
func (s *Store) getWhole(dst, key []byte) (value []byte, found bool, err error) {
	c := s.Cursor()
	defer c.Close()
	if found = c.Seek(key, append(bytes.Clone(key), 0)); found {
		dst = append(dst, c.Value()...)
	}
	return dst, found, c.Err()
}

// Scan visits the keys in [from, to) in order until visit says no. Both slices are borrowed
// until visit returns.
func (s *Store) Scan(from, to []byte, visit func(key, value []byte) bool) error {
	c := s.Cursor()
	defer c.Close()
	for ok := c.Seek(from, to); ok; ok = c.Next() {
		if !visit(c.Key(), c.Value()) {
			break
		}
	}
	return c.Err()
}

// Last appends the greatest key in [from, to) to dst. An *UnreadableError names keys that may be
// greater, and that are lost.
func (s *Store) Last(dst, from, to []byte) (key []byte, found bool, err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return dst, false, err
	}
	if it.Last() {
		dst, found = append(dst, it.Key()...), true
	}
	err = errors.Join(it.Error(), it.Close())
	if err != nil {
		return dst, false, s.unreadable(err, from, to, (*pebble.Iterator).Last)
	}
	return dst, found, nil
}
