// Package brokertest is what tests of the embedded broker share: a store in memory that crashes
// and fails on demand, and a random workload with a model of what must come of it.
package brokertest

import (
	"bytes"
	"slices"
	"sort"

	"rocketmq-proxy/server/local/broker"
)

// Store is a broker.Store in memory: what was applied is committed.
type Store struct {
	// Fault, when it is not nil, may refuse to read a key.
	Fault func(key []byte) error

	chunks [][]pair // sorted; none is empty, except that the only one may be
}

type pair struct{ key, value []byte }

// chunkMax is how many pairs a chunk has before it is split.
const chunkMax = 256

// NewStore makes an empty store.
func NewStore() *Store { return &Store{chunks: make([][]pair, 1)} }

// Len is the number of keys.
func (s *Store) Len() (n int) {
	for _, c := range s.chunks {
		n += len(c)
	}
	return n
}

// find tells where key is, or where it would be.
func (s *Store) find(key []byte) (chunk, at int, found bool) {
	chunk = max(0, sort.Search(len(s.chunks), func(i int) bool {
		return len(s.chunks[i]) > 0 && bytes.Compare(s.chunks[i][0].key, key) > 0
	})-1)
	at, found = slices.BinarySearchFunc(s.chunks[chunk], key, func(p pair, key []byte) int { return bytes.Compare(p.key, key) })
	return chunk, at, found
}

func (s *Store) fault(key []byte) error {
	if s.Fault == nil {
		return nil
	}
	return s.Fault(key)
}

// Get implements broker.Store.
func (s *Store) Get(dst, key []byte) (value []byte, found bool, err error) {
	if err := s.fault(key); err != nil {
		return dst, false, err
	}
	chunk, at, found := s.find(key)
	if !found {
		return dst, false, nil
	}
	return append(dst, s.chunks[chunk][at].value...), true, nil
}

// Scan implements broker.Store.
func (s *Store) Scan(from, to []byte, visit func(key, value []byte) bool) error {
	c := s.Cursor()
	for more := c.Seek(from, to); more; more = c.Next() {
		if !visit(c.Key(), c.Value()) {
			break
		}
	}
	return c.Err()
}

// Last implements broker.Store.
func (s *Store) Last(dst, from, to []byte) (key []byte, found bool, err error) {
	chunk, at, _ := s.find(to)
	if at--; at < 0 {
		if chunk--; chunk < 0 {
			return dst, false, nil
		}
		at = len(s.chunks[chunk]) - 1
	}
	last := s.chunks[chunk][at].key
	if bytes.Compare(last, from) < 0 {
		return dst, false, nil
	}
	return append(dst, last...), true, s.fault(last)
}

// Cursor implements broker.Store.
func (s *Store) Cursor() broker.Cursor { return &cursor{store: s} }

type cursor struct {
	store     *Store
	to        []byte
	chunk, at int
	err       error
}

func (c *cursor) Seek(from, to []byte) bool {
	c.to = append(c.to[:0], to...)
	c.chunk, c.at, _ = c.store.find(from)
	return c.settle()
}

func (c *cursor) Next() bool {
	c.at++
	return c.settle()
}

func (c *cursor) settle() bool {
	for c.chunk < len(c.store.chunks) && c.at >= len(c.store.chunks[c.chunk]) {
		c.chunk, c.at = c.chunk+1, 0
	}
	c.err = nil
	if c.chunk >= len(c.store.chunks) || bytes.Compare(c.Key(), c.to) >= 0 {
		return false
	}
	c.err = c.store.fault(c.Key())
	return c.err == nil
}

func (c *cursor) Key() []byte   { return c.store.chunks[c.chunk][c.at].key }
func (c *cursor) Value() []byte { return c.store.chunks[c.chunk][c.at].value }
func (c *cursor) Err() error    { return c.err }

// Apply commits a batch.
func (s *Store) Apply(b *Batch) {
	for _, op := range b.ops {
		switch key := b.bytes(op.key); op.kind {
		case opPut:
			s.put(bytes.Clone(key), bytes.Clone(b.bytes(op.value)))
		case opDelete:
			if chunk, at, found := s.find(key); found {
				s.remove(chunk, at, at+1)
			}
		case opDeleteRange:
			s.deleteRange(key, b.bytes(op.value))
		}
	}
}

func (s *Store) put(key, value []byte) {
	chunk, at, found := s.find(key)
	if found {
		s.chunks[chunk][at].value = value
		return
	}
	c := slices.Insert(s.chunks[chunk], at, pair{key, value})
	s.chunks[chunk] = c
	if len(c) > chunkMax {
		s.chunks[chunk] = c[: chunkMax/2 : chunkMax/2]
		s.chunks = slices.Insert(s.chunks, chunk+1, slices.Clone(c[chunkMax/2:]))
	}
}

func (s *Store) remove(chunk, from, to int) {
	s.chunks[chunk] = slices.Delete(s.chunks[chunk], from, to)
	if len(s.chunks[chunk]) == 0 && len(s.chunks) > 1 {
		s.chunks = slices.Delete(s.chunks, chunk, chunk+1)
	}
}

func (s *Store) deleteRange(from, to []byte) {
	for {
		c := cursor{store: s, to: to}
		c.chunk, c.at, _ = s.find(from)
		if !c.settle() && c.err == nil {
			return
		}
		end := c.at
		for end < len(s.chunks[c.chunk]) && bytes.Compare(s.chunks[c.chunk][end].key, to) < 0 {
			end++
		}
		s.remove(c.chunk, c.at, end)
	}
}

// Batch is a broker.Batch in memory, to be used again after Reset.
type Batch struct {
	ops   []op
	arena []byte
}

type op struct {
	kind       opKind
	key, value span
}

type span struct{ from, to int }

type opKind uint8

const (
	opPut opKind = iota
	opDelete
	opDeleteRange
)

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() { b.ops, b.arena = b.ops[:0], b.arena[:0] }

// Len is the number of operations.
func (b *Batch) Len() int { return len(b.ops) }

func (b *Batch) bytes(s span) []byte { return b.arena[s.from:s.to:s.to] }

func (b *Batch) room(n int) span {
	from := len(b.arena)
	b.arena = slices.Grow(b.arena, n)[:from+n]
	for i := from; i < from+n; i++ {
		b.arena[i] = 0xEE // the caller fills in all of it
	}
	return span{from, from + n}
}

func (b *Batch) keep(p []byte) span {
	s := b.room(len(p))
	copy(b.bytes(s), p)
	return s
}

// Put implements broker.Batch.
func (b *Batch) Put(keyBytes, valueBytes int) (key, value []byte) {
	o := op{opPut, b.room(keyBytes), b.room(valueBytes)}
	b.ops = append(b.ops, o)
	return b.bytes(o.key), b.bytes(o.value)
}

// Delete implements broker.Batch.
func (b *Batch) Delete(key []byte) { b.ops = append(b.ops, op{kind: opDelete, key: b.keep(key)}) }

// DeleteRange implements broker.Batch.
func (b *Batch) DeleteRange(from, to []byte) {
	b.ops = append(b.ops, op{opDeleteRange, b.keep(from), b.keep(to)})
}
