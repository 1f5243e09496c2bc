package store

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// Cursor reads forward through a range of committed data. It is reused: Seek begins anew and
// sees all that was committed before it. A cursor belongs to one goroutine at a time.
//
// Between Seek and the end of its range a cursor holds the tables and the memory it reads from,
// even if they are obsolete. Next lets go of them at the end; who stops earlier and will not
// soon Seek again calls Rest.
type Cursor struct {
	s     *Store
	it    *pebble.Iterator
	seen  uint64 // s.commits when it was opened
	opts  pebble.IterOptions
	from  []byte // what is not read yet begins here or later
	to    []byte
	value []byte
	err   error
}

// Cursor makes a cursor that is nowhere yet.
func (s *Store) Cursor() *Cursor { return &Cursor{s: s} }

// Seek goes to the first key in [from, to) and says whether there is one. The slices are
// borrowed during the call.
func (c *Cursor) Seek(from, to []byte) bool {
	c.from = append(c.from[:0], from...)
	c.to = append(c.to[:0], to...)
	return c.seek()
}

func (c *Cursor) seek() bool {
	c.err = nil
	commits := c.s.commits.Load()
	if c.it != nil && c.seen == commits {
		c.it.SetBounds(c.from, c.to)
	} else {
		c.Rest()
		c.opts.LowerBound, c.opts.UpperBound = c.from, c.to
		it, err := c.s.db.NewIter(&c.opts)
		if err != nil {
			c.err = err
			return false
		}
		c.it, c.seen = it, commits
	}
	return c.settle(c.it.First())
}

// Next goes to the next key of the range and says whether there is one.
func (c *Cursor) Next() bool {
	if c.it == nil {
		return false
	}
	c.from = append(append(c.from[:0], c.it.Key()...), 0)
	return c.settle(c.it.Next())
}

func (c *Cursor) settle(valid bool) bool {
	var err error
	if valid {
		// A value may be in another block than its key; that it can be read is to be known before it is used.
		if c.value, err = c.it.ValueAndErr(); err == nil {
			return true
		}
	} else {
		err = c.it.Error()
	}
	c.Rest()
	if err != nil {
		c.err = c.s.unreadable(err, c.from, c.to, (*pebble.Iterator).First)
	}
	return false
}

// SkipDamage goes on behind the keys that cannot be read, after Seek or Next said no and Err is
// an *UnreadableError, and says whether there is a key. Keys that are newer, and so in an
// undamaged place, are skipped too when they lie among the lost ones.
func (c *Cursor) SkipDamage() bool {
	var lost *UnreadableError
	if !errors.As(c.err, &lost) {
		return false
	}
	c.from = append(append(c.from[:0], lost.To...), 0)
	return c.seek()
}

// Key is the current key, borrowed until the next call.
func (c *Cursor) Key() []byte { return c.it.Key() }

// Value is the current value, borrowed until the next call.
func (c *Cursor) Value() []byte { return c.value }

// Err is why the last Seek or Next said no, nil at the end of the range.
func (c *Cursor) Err() error { return c.err }

// Rest lets go of what the cursor holds, until its next Seek.
func (c *Cursor) Rest() {
	if c.it != nil {
		_ = c.it.Close() // repeats the error that Err has
		c.it, c.value = nil, nil
	}
}

// Close ends the cursor.
func (c *Cursor) Close() { c.Rest() }
