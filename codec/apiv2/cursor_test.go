package apiv2

import (
	"bytes"
	"errors"
	"testing"
)

// What a reader asks of a few bytes, and what it hears.
func TestCursorRefuses(t *testing.T) {
	varint := func(c *Cursor) { c.Varint() }
	field := func(c *Cursor) { c.SkipField(c.Tag()) }
	textOf := func(c *Cursor) { c.Text() }
	for _, tc := range []struct {
		name   string
		bytes  string
		read   func(*Cursor)
		want   error
		offset int
	}{
		{"varint of ten bytes", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", varint, nil, 0},
		{"varint of 65 bits", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", varint, ErrVarint, 9},
		{"varint without end", "\xff\xff", varint, ErrTruncated, 2},
		{"no varint at all", "", varint, ErrTruncated, 0},
		{"bytes beyond the end", "abc", func(c *Cursor) { c.Bytes(4) }, ErrTruncated, 0},
		{"bytes of negative length", "abc", func(c *Cursor) { c.Bytes(-1) }, ErrTruncated, 0},
		{"skip beyond the end", "abc", func(c *Cursor) { c.Skip(4) }, ErrTruncated, 0},
		{"skip backwards", "abc", func(c *Cursor) { c.Skip(-1) }, ErrTruncated, 0},
		{"length beyond the end", "\x04abc", textOf, ErrTruncated, 1},
		{"length of 64 bits", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01abc", textOf, ErrTruncated, 10},
		{"text of no UTF-8", "\x02\xc3\x28", textOf, ErrUTF8, 3},
		{"text of a surrogate", "\x03\xed\xa0\x80", textOf, ErrUTF8, 4},
		{"field number 0", "\x00\x00", field, ErrTag, 1},
		{"field number 2^29", "\x80\x80\x80\x80\x10\x00", field, ErrTag, 5},
		{"field number 2^29-1", "\xf8\xff\xff\xff\x0f\x00", field, nil, 0},
		{"wire type 6", "\x0e\x00", field, ErrTag, 1},
		{"wire type 7", "\x0f\x00", field, ErrTag, 1},
		{"group", "\x0b\x10\x01\x1a\x01x\x0c", field, nil, 0},
		{"group in a group", "\x0b\x13\x14\x0c", field, nil, 0},
		{"group ended by another", "\x0b\x14", field, ErrGroup, 2},
		{"group without end", "\x0b\x10\x01", field, ErrTruncated, 3},
		{"end without group", "\x0c", field, ErrGroup, 1},
		{"fixed64 cut short", "\x09abcdefg", field, ErrTruncated, 1},
		{"fixed32", "\x0dabcd", field, nil, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := NewCursor(chainOf([]byte(tc.bytes)), nil)
			tc.read(&c)
			if !errors.Is(c.Err(), tc.want) {
				t.Fatalf("got %v, want %v", c.Err(), tc.want)
			}
			var parse *ParseError
			if errors.As(c.Err(), &parse) && parse.Offset != tc.offset {
				t.Errorf("at byte %d, want %d", parse.Offset, tc.offset)
			}
			if tc.want == nil && c.More() {
				t.Errorf("stopped at byte %d", c.Offset())
			}
		})
	}
}

func TestCursorFailureLatches(t *testing.T) {
	c := NewCursor(chainOf([]byte{0x05, 'a'}, []byte("bcdefgh")), nil)
	outer := c.Enter()
	c.Bytes(6)
	first := c.Err()
	if !errors.Is(first, ErrTruncated) {
		t.Fatalf("got %v", first)
	}
	c.Leave(outer)
	if c.More() || c.Varint() != 0 || c.Tag() != 0 || c.Bytes(1) != nil || c.Span().Len != 0 {
		t.Error("something was read after the failure")
	}
	c.SkipField(tagMessageBody)
	c.Leave(c.Enter())
	if c.Err() != first {
		t.Errorf("the first failure was replaced by %v", c.Err())
	}
}

func TestCursorStaysInsideTheInnermostMessage(t *testing.T) {
	c := NewCursor(chainOf([]byte{0x03, 0x01, 'a'}, []byte{'b', 0x07}), nil)
	outer := c.Enter()
	if got := c.Text(); string(got) != "a" {
		t.Errorf("text %q", got)
	}
	if got := c.Bytes(1); string(got) != "b" || c.More() {
		t.Errorf("bytes %q, more %v", got, c.More())
	}
	c.Leave(outer)
	if got := c.Varint(); got != 7 || c.More() || c.Err() != nil {
		t.Errorf("varint %d, more %v, err %v", got, c.More(), c.Err())
	}
}

func TestCursorCopiesOnlyWhatStraddles(t *testing.T) {
	first, second := []byte("abcd"), []byte("efgh")
	c := NewCursor(chainOf(first, second), make([]byte, 0, 3))
	whole, across, rest := c.Bytes(2), c.Bytes(4), c.Bytes(2)
	if &whole[0] != &first[0] || &rest[0] != &second[2] {
		t.Error("bytes inside one block were copied")
	}
	if string(across) != "cdef" || !bytes.Equal(c.Scratch(), across) {
		t.Errorf("gathered %q, scratch %q", across, c.Scratch())
	}
}

func TestGroupDepthLimit(t *testing.T) {
	for _, tc := range []struct {
		depth int
		want  error
	}{{groupDepthMax, nil}, {groupDepthMax + 1, ErrDepth}} {
		nested := append(bytes.Repeat([]byte{0x0b}, tc.depth), bytes.Repeat([]byte{0x0c}, tc.depth)...)
		c := NewCursor(chainOf(nested), nil)
		c.SkipField(c.Tag())
		if !errors.Is(c.Err(), tc.want) {
			t.Errorf("depth %d: got %v, want %v", tc.depth, c.Err(), tc.want)
		}
	}
}

// The deepest hostile nesting there can be in a large request must not cost a stack.
func TestGroupBomb(t *testing.T) {
	c := NewCursor(chainOf(bytes.Repeat([]byte{0x0b}, 1<<20)), nil)
	c.SkipField(c.Tag())
	if !errors.Is(c.Err(), ErrDepth) {
		t.Errorf("got %v", c.Err())
	}
}
