package message

import (
	"testing"

	"rocketmq-proxy/pool"
	"rocketmq-proxy/pool/steady"
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
	body, stored := make([]byte, 256), Record{Topic: []byte("orders"), Properties: properties}
	id := AppendOffsetID(nil, rec.StoreHost, 4711)
	batch, batched := chainOf(t, AppendBatchTail(append(AppendBatchHead(nil, 0, len(body), len(properties)), body...), properties), 1<<10), new(BatchMessage)
	return map[string]func(){
		"Reader/whole":   func() { walk(whole, rec) },
		"Reader/pieces":  func() { walk(pieces, rec) },
		"Property":       func() { Property(properties, NameUniqKey) },
		"TypeOf":         func() { TypeOf(properties) },
		"Reserved":       func() { Reserved(group) },
		"GroupBucket":    func() { GroupBucket(group, 16) },
		"AppendOffsetID": func() { AppendOffsetID(dst, rec.StoreHost, 4711) },
		"ParseOffsetID": func() {
			if _, _, ok := ParseOffsetID(id); !ok {
				panic("offset id")
			}
		},
		"TagHash":              func() { TagHash(group) },
		"CRC":                  func() { CRC(body) },
		"AppendRecord":         func() { AppendRecord(dst, &stored, body) },
		"AppendBatchHead+Tail": func() { AppendBatchTail(AppendBatchHead(dst, 0, len(body), len(properties)), properties) },
		"BatchReader": func() {
			rd := NewBatchReader(batch)
			if !rd.Next(batched) || rd.Next(batched) || rd.Err() != nil {
				panic("batch")
			}
		},
		"PropertyReader": func() {
			r := ReadProperties(properties)
			for {
				if _, _, ok := r.Next(); !ok {
					return
				}
			}
		},
		"PropertyWriter": func() {
			w := NewPropertyWriter(dst)
			w.PutBytes(NameUniqKey, group)
			w.PutString(NameTags, "tag")
			w.PutInt(NameBornTimestamp, 1_795_400_000_000)
			w.Put(group, group)
		},
		"AppendProperty": func() { _, _ = AppendProperty(dst, NameTraceContext, longText) },
		"PropertyWriter/send": func() {
			w := NewPropertyWriter(dst)
			putOrdinary(&w)
			if w.Err() != nil {
				panic(w.Err())
			}
		},
	}
}

var (
	userKey, userValue = []byte("region"), []byte("eu-west-1")
	uniqKey            = []byte("01A2B3C4D5E6F70123456789ABCDEF0123")
	traceContext       = []byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
)

var longText = string(traceContext)

// putOrdinary is what the proxy writes for an ordinary message of a gRPC client. It takes the
// writer by its address and is not inlined, as the proxy's own does and is.
//
//go:noinline
func putOrdinary(w *PropertyWriter) {
	w.Put(userKey, userValue)
	w.Put(userValue, userKey)
	w.PutBytes(NameTags, userKey)
	w.PutBytes(NameKeys, userValue)
	w.PutBytes(NameUniqKey, uniqKey)
	w.PutInt(NameReconsumeTime, 1)
	w.PutString(NameProducerGroup, "orders")
	w.PutBytes(NameShardingKey, userKey)
	w.PutBytes(NameTraceContext, traceContext)
	w.PutString(NameBornHost, "192.168.100.100:50123")
	w.PutInt(NameBornTimestamp, 1_795_400_000_000)
}

func TestHotWalksDoNotAllocate(t *testing.T) {
	steady.AllocateNothing(t, hot(t))
}

func BenchmarkMessage(b *testing.B) {
	steady.Benchmark(b, hot(b))
}
