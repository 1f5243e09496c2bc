package store

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// walk is what a cursor finds in [from, to), at most limit keys.
func walk(c *Cursor, from, to string, limit int) string {
	var found []string
	for ok := c.Seek([]byte(from), []byte(to)); ok && len(found) < limit; ok = c.Next() {
		found = append(found, string(c.Key())+"="+string(c.Value()))
	}
	if c.Err() != nil {
		return c.Err().Error()
	}
	return strings.Join(found, " ")
}

func TestCursor(t *testing.T) {
	s := mustOpen(t, small(vfs.NewMem()))
	b := s.NewBatch()
	for _, k := range "abcdef" {
		put(b, string(k), strings.ToUpper(string(k)))
	}
	mustCommit(t, s, b, false)
	c := s.Cursor()
	if c.Next() || c.Err() != nil {
		t.Fatal("a cursor that is nowhere went on")
	}
	want := func(got, want string) {
		t.Helper()
		if got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	want(walk(c, "b", "e", 9), "b=B c=C d=D")
	want(walk(c, "b", "e", 2), "b=B c=C")
	want(walk(c, "a", "b", 9), "a=A") // back, in the same view
	want(walk(c, "x", "z", 9), "")
	want(walk(c, "c", "c", 9), "")

	// What is committed is seen by the next Seek, and not by the current one.
	if !c.Seek([]byte("a"), []byte("z")) {
		t.Fatal(c.Err())
	}
	b.Delete([]byte("b"))
	put(b, "c", "new")
	put(b, "g", "G")
	mustCommit(t, s, b, false)
	want(string(c.Value()), "A")
	if !c.Next() || string(c.Key()) != "b" {
		t.Fatalf("the view changed: %q", c.Key())
	}
	want(walk(c, "a", "z", 99), "a=A c=new d=D e=E f=F g=G")
	b.DeleteRange([]byte("a"), []byte("e"))
	mustCommit(t, s, b, true)
	want(walk(c, "a", "z", 99), "e=E f=F g=G")
	if c.Next() || c.SkipDamage() {
		t.Fatal("went on behind the end")
	}
	c.Rest()
	want(walk(c, "a", "f", 99), "e=E")
	c.Close()
	mustClose(t, s)
}

// TestCursorHoldsNothing shows what pins obsolete tables, and that the end, Rest and Close let go.
func TestCursorHoldsNothing(t *testing.T) {
	s := mustOpen(t, small(vfs.NewMem()))
	b := s.NewBatch()
	fill := func(n int) {
		for i := range n {
			put(b, fmt.Sprintf("%04d", i), strings.Repeat("x", 900))
			mustCommit(t, s, b, false)
		}
		if err := s.db.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	rewriteAll := func() {
		t.Helper()
		fill(300)
		if err := s.db.Compact(t.Context(), []byte{0}, []byte{0xff}, false); err != nil {
			t.Fatal(err)
		}
	}
	fill(300)
	c := s.Cursor()
	for what, letGo := range map[string]func(){
		"the end": func() {
			for c.Next() {
			}
		},
		"rest":  c.Rest,
		"close": c.Close,
	} {
		if !c.Seek([]byte{0}, []byte{0xff}) {
			t.Fatal(c.Err())
		}
		rewriteAll()
		if s.Usage().TablesPinned == 0 {
			t.Fatalf("before %s nothing was pinned", what)
		}
		letGo()
		if n := s.Usage().TablesPinned; n != 0 {
			t.Errorf("after %s %d tables are pinned", what, n)
		}
	}
	mustClose(t, s)
}

func TestCursorAllocations(t *testing.T) {
	s := mustOpen(t, small(vfs.NewMem()))
	b := s.NewBatch()
	for i := range 1000 {
		put(b, fmt.Sprintf("%04d", i), strings.Repeat("x", 300))
		mustCommit(t, s, b, false)
	}
	c := s.Cursor()
	from, to := []byte("0500"), []byte("0600")
	got := testing.AllocsPerRun(200, func() {
		s.commits.Add(1) // as if something had been committed
		n := 0
		for ok := c.Seek(from, to); ok && n < 32; ok = c.Next() {
			n++
		}
		if n != 32 {
			t.Fatal(n, c.Err())
		}
	})
	if got > 1 && !checked {
		t.Errorf("a Seek and 32 values allocate %v times", got)
	}
	c.Close()
	mustClose(t, s)
}
