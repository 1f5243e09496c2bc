package store

import (
	"github.com/cockroachdb/pebble/v2"
)

// Cursor reads forward through a range of committed data. It is reused: Seek begins anew and
// sees all that was committed before it. A cursor belongs to one goroutine at a time.
//
// Between Seek and the end of its range, a cursor holds the tables and memory it reads from,
// even if they are obsolete. Next lets go of them when it comes to the end; who stops
// earlier and will not soon Seek again calls Rest.
type Cursor struct {
	s    *Store
	it   *pebble.Iterator
	seen uint64 // s.commits when it was opened
	opts pebble.IterOptions
	err  error
}

// Cursor makes a cursor that is nowhere yet.
func (s *Store) Cursor() *Cursor { return &Cursor{s: s} }

// Seek goes to the first key in [from, to) and says whether there is one. The slices are
// borrowed during the call.
func (c *Cursor) Seek(from, to []byte) bool {
	c.err = nil
	commits := c.s.commits.Load()
	if c.it != nil && c.seen == commits && c.it.Error() == nil {
		c.it.SetBounds(from, to)
	} else {
		c.Rest()
		c.opts.LowerBound, c.opts.UpperBound = from, to
		it, err := c.s.db.NewIter(&c.opts)
		c.opts.LowerBound, c.opts.UpperBound = nil, nil
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
	return c.settle(c.it.Next())
}

func (c *Cursor) settle(valid bool) bool {
	if valid {
		return true
	}
	if c.err = c.it.Error(); c.err != nil {
		c.Rest()
	}
	return false
}

// Key is the current key, borrowed until the next call.
func (c *Cursor) Key() []byte { return c.it.Key() }

// Value is the current value, borrowed until the next call.
func (c *Cursor) Value() []byte { return c.it.Value() }

// Err is why the last Seek or Next said no, nil at the end of the range.
func (c *Cursor) Err() error { return c.err }

// Rest lets go of what the cursor holds until its next Seek.
func (c *Cursor) Rest() {
	if c.it != nil {
		_ = c.it.Close() // repeats the error that Err has
		c.it = nil
	}
}

// Close ends the cursor.
func (c *Cursor) Close() { c.Rest() }
