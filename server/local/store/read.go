package store

import (
	"bytes"
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// Get appends the value of key to dst.
func (s *Store) Get(dst, key []byte) (value []byte, found bool, err error) {
	v, closer, err := s.db.Get(key)
	if err != nil {
		if errors.Is(err, pebble.ErrNotFound) {
			return dst, false, nil
		}
		return dst, false, s.unreadable(err, key, append(bytes.Clone(key), 0))
	}
	dst = append(dst, v...)
	return dst, true, closer.Close()
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

// Last appends the greatest key in [from, to) to dst.
func (s *Store) Last(dst, from, to []byte) (key []byte, found bool, err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return dst, false, err
	}
	if it.Last() {
		dst, found = append(dst, it.Key()...), true
	}
	err = it.Error()
	return dst, found && err == nil, errors.Join(err, it.Close())
}
