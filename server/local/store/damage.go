package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path"
	"regexp"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
)

// UnreadableError says that the keys from From to To, both included, cannot be read: the block
// that holds them, or the whole table, is damaged. All other keys can.
type UnreadableError struct {
	From, To []byte
	File     string
	Err      error
}

func (e *UnreadableError) Error() string {
	return fmt.Sprintf("store: %s is damaged, keys %q to %q cannot be read: %v", e.File, e.From, e.To, e.Err)
}

func (e *UnreadableError) Unwrap() error { return e.Err }

// Lost tells readers, who need not know this type, that trying again is of no use: these keys,
// both included, are lost, and those behind them can be read.
func (e *UnreadableError) Lost() (from, to []byte) { return e.From, e.To }

// spanName is the property that every block of a table has: the first and the last of its keys.
// A table's index has only the last ones, and Pebble tells of a damaged block nothing but that
// it is damaged; with the property the keys that are lost have names, and a cursor can go on
// with the first one behind them.
const spanName = "store.span"

// spanCollector notes the keys of a block while it is written.
type spanCollector struct {
	runs        *runs
	first, last []byte
	any         bool
}

var _ pebble.BlockPropertyCollector = (*spanCollector)(nil)

func (*spanCollector) Name() string { return spanName }

func (c *spanCollector) AddPointKey(key sstable.InternalKey, _ []byte) error {
	if !c.any {
		c.any = true
		c.first = append(c.first[:0], key.UserKey...)
	}
	c.last = append(c.last[:0], key.UserKey...)
	return nil
}

func (c *spanCollector) FinishDataBlock(buf []byte) ([]byte, error) {
	buf = binary.AppendUvarint(buf, uint64(len(c.first)))
	buf = append(buf, c.first...)
	buf = append(buf, c.last...)
	c.runs.wrote(c.first, c.last)
	c.any = false
	return buf, nil
}

func (*spanCollector) AddRangeKeys(sstable.Span) error { return nil }
func (*spanCollector) AddCollectedWithSuffixReplacement([]byte, []byte, []byte) error {
	return errors.New("store: keys have no suffixes")
}
func (*spanCollector) SupportsSuffixReplacement() bool             { return false }
func (*spanCollector) AddPrevDataBlockToIndexBlock()               {}
func (*spanCollector) FinishIndexBlock(buf []byte) ([]byte, error) { return buf, nil }
func (*spanCollector) FinishTable(buf []byte) ([]byte, error)      { return buf, nil }

// spanFilter lets every block pass and remembers the last one: the one that is read next.
type spanFilter struct{ seen []byte }

var _ pebble.BlockPropertyFilter = (*spanFilter)(nil)

func (*spanFilter) Name() string { return spanName }

func (f *spanFilter) Intersects(prop []byte) (bool, error) {
	if len(prop) > 0 {
		f.seen = append(f.seen[:0], prop...)
	}
	return true, nil
}

func (f *spanFilter) SyntheticSuffixIntersects(prop, _ []byte) (bool, error) {
	return f.Intersects(prop)
}

func (f *spanFilter) span() (first, last []byte, ok bool) {
	n, size := binary.Uvarint(f.seen)
	if size <= 0 || uint64(len(f.seen)-size) < n {
		return nil, nil, false
	}
	return f.seen[size : size+int(n)], f.seen[size+int(n):], true
}

// unreadable turns the error of a read that stood at from, or before it, into one that names the
// lost keys. It reads the place once more to learn them: seek is what was tried, First or Last. An
// error that is not damage, or whose keys cannot be learnt, is returned as it is.
func (s *Store) unreadable(err error, from, to []byte, seek func(*pebble.Iterator) bool) error {
	info := pebble.ExtractDataCorruptionInfo(err)
	if info == nil && !pebble.IsCorruptionError(err) {
		return err
	}
	e := &UnreadableError{Err: err}
	var filter spanFilter
	it, openErr := s.db.NewIter(&pebble.IterOptions{
		LowerBound: from, UpperBound: to,
		// One more than it needs, as Pebble asks.
		PointKeyFilters: append(make([]pebble.BlockPropertyFilter, 0, 2), &filter),
	})
	if openErr == nil {
		var again error
		if seek(it) {
			if _, again = it.ValueAndErr(); again == nil {
				_ = it.Close()
				return err // it can be read now; who called may try again
			}
			e.From, e.To = bytes.Clone(it.Key()), bytes.Clone(it.Key()) // only its value is lost
		} else {
			again = it.Error()
			if first, last, ok := filter.span(); ok && bytes.Compare(last, from) >= 0 {
				e.From, e.To = bytes.Clone(first), bytes.Clone(last)
			}
		}
		_ = it.Close()
		if found := pebble.ExtractDataCorruptionInfo(again); found != nil {
			info = found
		}
	}
	if info != nil {
		e.File = path.Base(info.Path)
		if e.To == nil && len(info.Bounds.End.Key) > 0 && bytes.Compare(info.Bounds.End.Key, from) >= 0 {
			e.From, e.To = bytes.Clone(info.Bounds.Start), bytes.Clone(info.Bounds.End.Key)
		}
	}
	if e.To == nil {
		return err
	}
	if bytes.Compare(e.From, from) < 0 {
		e.From = bytes.Clone(from)
	}
	return e
}

var tableName = regexp.MustCompile(`\b([0-9]{6,})(\.sst|\.blob|\.log)?\b`)

// damageOf makes a DamagedError of what Pebble says when it cannot open.
func damageOf(err error) error {
	if known, ok := errors.AsType[*DamagedError](err); ok {
		return known
	}
	if errors.Is(err, pebble.ErrDBNotPristine) {
		return &DamagedError{File: "marker.format-version", Offset: -1, Err: err} // what Pebble answers when it is missing
	}
	// A table that is too short or missing has an error without a kind.
	if !pebble.IsCorruptionError(err) && !errors.Is(err, os.ErrNotExist) && !strings.Contains(err.Error(), "object size mismatch") {
		return err
	}
	e := &DamagedError{Offset: -1, Err: err}
	if info := pebble.ExtractDataCorruptionInfo(err); info != nil {
		e.File = path.Base(info.Path)
	} else if m := tableName.FindStringSubmatch(err.Error()); m != nil {
		e.File = m[1] + m[2]
		if m[2] == "" {
			e.File += ".sst"
		}
	}
	return e
}
