package store

import (
	"github.com/cockroachdb/pebble/v2"
)

// batchRetainBytesMax is what a batch keeps of its memory over a Reset; a larger block, after a
// batch of big messages, goes to the garbage collector.
const batchRetainBytesMax = 1 << 20

// Batch is what is written together or not at all, in the order it was told. It is reused:
// Reset empties it and keeps its memory. A batch belongs to one goroutine at a time.
type Batch struct {
	b *pebble.Batch
	// empty is the length of b with nothing in it.
	empty int
	// count is the number of entries of the last commit.
	count uint64
}

// NewBatch makes an empty batch for this store.
func (s *Store) NewBatch() *Batch {
	b := &Batch{b: s.db.NewBatch(pebble.WithMaxRetainedSizeBytes(batchRetainBytesMax))}
	b.begin()
	return b
}

// begin adds the mark that Commit fills in. It is the log's alone and counts for nothing.
func (b *Batch) begin() {
	var m [markBytes]byte
	m[0] = markTag
	_ = b.b.LogData(m[:], nil) // has no error
	b.empty = b.b.Len()
}

func (b *Batch) mark(m mark) {
	m.put(b.b.Repr()[markOffset:recordHead])
	b.count = uint64(b.b.Count())
}

// end is the sequence number behind a batch that was committed.
func (b *Batch) end() uint64 { return uint64(b.b.SeqNum()) + b.count }

// Put adds a key with its value. Both slices are to be filled in before the next call on b:
// they are b's own memory, nothing is copied.
func (b *Batch) Put(keyBytes, valueBytes int) (key, value []byte) {
	op := b.b.SetDeferred(keyBytes, valueBytes)
	return op.Key, op.Value
}

// Delete removes a key, whether or not it is there. The key is copied.
func (b *Batch) Delete(key []byte) {
	op := b.b.DeleteDeferred(len(key))
	copy(op.Key, key)
}

// DeleteOnce removes a key that was put at most once since it was last removed. Such a pair
// vanishes as soon as put and removal meet, where a Delete stays behind as a tombstone until it
// has sunk to the bottom. A key that is put twice must not be removed with it: the first value
// could come back.
func (b *Batch) DeleteOnce(key []byte) {
	op := b.b.SingleDeleteDeferred(len(key))
	copy(op.Key, key)
}

// DeleteRange removes the keys in [from, to). The keys are copied.
func (b *Batch) DeleteRange(from, to []byte) {
	op := b.b.DeleteRangeDeferred(len(from), len(to))
	copy(op.Key, from)
	copy(op.Value, to)
}

// Bytes is how much the batch adds to the log.
func (b *Batch) Bytes() int { return b.b.Len() - b.empty }

// Empty says whether nothing was added since the last Reset.
func (b *Batch) Empty() bool { return b.b.Count() == 0 }

// Reset empties b for its next use. It keeps the memory, to a bound.
func (b *Batch) Reset() {
	b.b.Reset()
	b.begin()
}
