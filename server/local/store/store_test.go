package store

import (
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func put(b *Batch, k, v string) {
	kb, vb := b.Put(len(k), len(v))
	copy(kb, k)
	copy(vb, v)
}

func TestFirst(t *testing.T) {
	s, err := Open(Config{Dir: "d", FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	b := s.NewBatch()
	for i := range 100 {
		put(b, fmt.Sprintf("k%03d", i), fmt.Sprint(i))
	}
	if err := s.Commit(b, true); err != nil {
		t.Fatal(err)
	}
	c := s.Cursor()
	n := 0
	for ok := c.Seek([]byte("k010"), []byte("k020")); ok; ok = c.Next() {
		n++
	}
	if n != 10 || c.Err() != nil {
		t.Fatal(n, c.Err())
	}
	k, ok, err := s.Last(nil, []byte("k010"), []byte("k020"))
	if string(k) != "k019" || !ok || err != nil {
		t.Fatal(string(k), ok, err)
	}
	c.Close()
	t.Log(s.Usage())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
