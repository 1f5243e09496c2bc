package message

import (
	"testing"

	"rocketmq-proxy/pool"
)

func walk(c *pool.Chain, rec *Record) (n int) {
	rd := NewReader(c)
	for rd.Next(rec) {
		n++
	}
	if rd.Err() != nil {
		panic(rd.Err())
	}
	return n
}

// hot are the walks that must not allocate.
func hot(t testing.TB) map[string]func() {
	b := readGolden(t, "pop_body")
	whole, pieces := chainOf(t, b, len(b)), chainOf(t, b, 64)
	rec := new(Record)
	walk(pieces, rec) // lets the scratch grow
	walk(whole, rec)
	properties := append([]byte(nil), rec.Properties...)
	group, dst := []byte("order-1"), make([]byte, 0, 1024)
	return map[string]func(){
		"Reader/whole":   func() { walk(whole, rec) },
		"Reader/pieces":  func() { walk(pieces, rec) },
		"Property":       func() { Property(properties, NameUniqKey) },
		"TypeOf":         func() { TypeOf(properties) },
		"Reserved":       func() { Reserved(group) },
		"GroupBucket":    func() { GroupBucket(group, 16) },
		"AppendOffsetID": func() { AppendOffsetID(dst, rec.StoreHost, 4711) },
		"PropertyWriter": func() {
			w := NewPropertyWriter(dst)
			w.PutBytes(NameUniqKey, group)
			w.PutString(NameTags, "tag")
			w.PutInt(NameBornTimestamp, 1_795_400_000_000)
			w.Put(group, group)
		},
	}
}

func TestHotWalksDoNotAllocate(t *testing.T) {
	for name, f := range hot(t) {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkMessage(b *testing.B) {
	for name, f := range hot(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}
