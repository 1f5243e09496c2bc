package broker_test

import (
	"encoding/binary"
	"runtime"
	"strconv"
	"testing"

	"rocketmq-proxy/codec/message"
	"rocketmq-proxy/pool"
	"rocketmq-proxy/pool/steady"
	"rocketmq-proxy/server/local/broker"
	"rocketmq-proxy/server/local/broker/brokertest"
)

// endless is a store that has every message that is asked for, and nothing else: what is
// measured is the broker.
type endless struct {
	record []byte
	key    []byte
	end    uint64
}

func (e *endless) Get(dst, key []byte) (value []byte, found bool, err error) {
	if key[0] != 'm' {
		return dst, false, nil
	}
	return append(dst, e.record...), true, nil
}

func (e *endless) Scan(_, _ []byte, _ func(key, value []byte) bool) error { return nil }

func (e *endless) Last(dst, _, _ []byte) (key []byte, found bool, err error) { return dst, false, nil }

func (e *endless) Cursor() broker.Cursor { return e }

func (e *endless) Seek(from, to []byte) bool {
	if from[0] != 'm' {
		return false
	}
	e.key = append(e.key[:0], from...)
	e.end = offsetOf(to)
	return offsetOf(e.key) < e.end
}

func (e *endless) Next() bool {
	next := offsetOf(e.key) + 1
	binary.BigEndian.PutUint64(e.key[len(e.key)-8:], next)
	return next < e.end
}

func offsetOf(key []byte) uint64 { return binary.BigEndian.Uint64(key[len(key)-8:]) }

func (e *endless) Key() []byte   { return e.key }
func (e *endless) Value() []byte { return e.record }
func (e *endless) Err() error    { return nil }

// bench is a broker on an endless store, with one topic and one group.
type bench struct {
	b       *broker.Broker
	batch   *brokertest.Batch
	topic   *broker.Topic
	group   *broker.Group
	send    broker.Send
	pop     broker.Pop
	pull    broker.Pull
	receipt broker.Receipt
	now     int64
}

// properties are what a message of a client has.
func properties(extra ...string) []byte {
	w := message.NewPropertyWriter(nil)
	w.PutString(message.NameUniqKey, "01A5D0C6F3A1B20004055E3C0000000001")
	w.PutString(message.NameTags, "TagA")
	w.PutString("__BORNHOST", "192.168.100.100")
	for i := 0; i < len(extra); i += 2 {
		w.PutString(extra[i], extra[i+1])
	}
	return w.Bytes()
}

func newBench(tb testing.TB, bodyBytes int, extra ...string) *bench {
	tb.Helper()
	// What is stored is what a broker wrote on a store in memory.
	body, store := make([]byte, bodyBytes), brokertest.NewStore()
	writer, err := broker.Open(store, broker.DefaultConfig())
	if err != nil {
		tb.Fatal(err)
	}
	batch := &brokertest.Batch{}
	writer.Begin(batch)
	payload := &pool.Chain{}
	payload.Write(body)
	send := broker.Send{Messages: []broker.Message{{BodyLen: bodyBytes, Properties: properties(extra...), Born: noon}}, Payload: payload}
	send.Topic = writer.UseTopic("orders")
	if err := writer.Send(&send, noon); err != nil {
		tb.Fatal(err)
	}
	store.Apply(batch)
	disk := &endless{}
	_ = store.Scan([]byte{'m'}, []byte{'m' + 1}, func(_, value []byte) bool {
		disk.record = append([]byte(nil), value...)
		return false
	})

	config := broker.DefaultConfig()
	config.InflightMax, config.RetainFor = 2_000_000, 0
	x := &bench{batch: &brokertest.Batch{}, send: send, now: noon}
	if x.b, err = broker.Open(disk, config); err != nil {
		tb.Fatal(err)
	}
	x.b.Begin(x.batch)
	x.topic, x.group = x.b.UseTopic("orders"), x.b.UseGroup("g")
	x.send.Topic = x.topic
	x.pop = broker.Pop{Topic: x.topic, Group: x.group, Max: 32, Invisible: 60_000, Out: &pool.Chain{}}
	x.pull = broker.Pull{Topic: x.topic, Max: 32, Out: &pool.Chain{}}
	x.receipt = broker.Receipt{Group: "g", Topic: "orders"}
	return x
}

// turn ends a batch and begins the next.
func (x *bench) turn() {
	x.b.Seal()
	x.batch.Reset()
	x.b.Begin(x.batch)
	x.b.Committed(x.now)
}

func (x *bench) sendOne() {
	if err := x.b.Send(&x.send, x.now); err != nil {
		panic(err)
	}
}

// popSome pops up to n messages and tells how many it got.
func (x *bench) popSome(n int) int {
	x.pop.Max = n
	x.b.Pop(&x.pop, x.now)
	x.b.Recycle(x.b.Answers())
	x.pop.Out.Release()
	return len(x.pop.Deliveries)
}

// pullSome pulls up to n messages, from where the last pull ended or, at the end, from the front.
func (x *bench) pullSome(n int) int {
	x.pull.Max, x.pull.Offset = n, x.pull.Next
	if q, _ := x.topic.QueueAt(0); x.pull.Offset >= q.End {
		x.pull.Offset = 0
	}
	x.b.Pull(&x.pull, x.now)
	x.b.RecyclePulled(x.b.Pulled())
	x.pull.Out.Release()
	return len(x.pull.Deliveries)
}

func (x *bench) ackAll() {
	for i := range x.pop.Deliveries {
		d := &x.pop.Deliveries[i]
		x.receipt.Queue, x.receipt.Offset, x.receipt.PopTime = d.Queue, d.Offset, d.PopTime
		if !x.b.Ack(&x.receipt) {
			panic("no such delivery")
		}
	}
}

func BenchmarkSend(b *testing.B) {
	for _, kind := range []string{"plain", "delayed", "half", "group"} {
		b.Run(kind, func(b *testing.B) {
			x := newBench(b, 256)
			m := &x.send.Messages[0]
			switch kind {
			case "delayed":
				m.Properties = properties(message.NameTimerDeliverMs, strconv.Itoa(noon+3600_000))
			case "half":
				m.SysFlag = message.FlagTransactionPrepared
			case "group":
				m.Properties = properties(message.NameShardingKey, "customer-1")
				x.send.Shard = []byte("customer-1")
			}
			b.ReportAllocs()
			for i := range b.N {
				if x.sendOne(); i%64 == 63 {
					x.turn()
				}
			}
		})
	}
}

func BenchmarkPopAck(b *testing.B) {
	for _, n := range []int{1, 32} {
		for _, fifo := range []bool{false, true} {
			name, x := strconv.Itoa(n), newBench(b, 256)
			if fifo {
				name, x = name+" of a group", newBench(b, 256, message.NameShardingKey, "customer-1")
			}
			b.Run(name, func(b *testing.B) {
				x.pop.FIFO = fifo
				b.ReportAllocs()
				for done := 0; done < b.N; {
					if fifo {
						x.pop.Attempt = strconv.AppendInt(x.pop.Attempt[:0], int64(done), 10)
					}
					b.StopTimer()
					for range 1024 {
						x.sendOne()
					}
					x.turn()
					b.StartTimer()
					for range 1024 / n {
						got := x.popSome(n)
						if got == 0 {
							break
						}
						x.ackAll()
						done += got
						x.turn()
					}
				}
			})
		}
	}
}

// BenchmarkTick is what an idle broker costs every second: many are out, nothing is due.
// BenchmarkPull pulls 32 messages at a time.
func BenchmarkPull(b *testing.B) {
	x := newBench(b, 256)
	for range 4 * 1024 {
		x.sendOne()
	}
	x.turn()
	b.ReportAllocs()
	for n := 0; n < b.N; {
		n += x.pullSome(32)
	}
}

func BenchmarkTick(b *testing.B) {
	x := newBench(b, 16)
	x.fly(b, 100_000)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		x.b.Tick(x.now)
	}
}

// BenchmarkExpire is a redelivery: an invisible time lapses, the message leaves again.
func BenchmarkExpire(b *testing.B) {
	x := newBench(b, 256)
	x.fly(b, 10_000)
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; {
		x.now += 60_000
		x.b.Tick(x.now)
		for got := 32; got == 32; done += got {
			got = x.popSome(32)
		}
		x.turn()
	}
}

// fly brings n messages out.
func (x *bench) fly(tb testing.TB, n int) {
	tb.Helper()
	for x.b.Inflight() < n {
		for range 32 {
			x.sendOne()
		}
		x.turn()
		if x.popSome(32) == 0 {
			tb.Fatal("nothing to pop")
		}
	}
}

// TestAllocations: in the steady state neither sending nor popping nor acknowledging makes
// garbage, and pulling does not either.
func TestAllocations(t *testing.T) {
	if steady.Race {
		t.Skip("the race detector allocates on its own")
	}
	x := newBench(t, 256)
	for range 2000 { // every queue, list and table has grown to its size
		for range 64 {
			x.sendOne()
		}
		x.turn()
		x.popSome(32)
		x.ackAll()
		x.popSome(32)
		x.ackAll()
		x.turn()
	}
	for name, do := range map[string]func(){
		"send 64": func() {
			for range 64 {
				x.sendOne()
			}
			x.turn()
		},
		"pop and ack 32": func() {
			x.popSome(32)
			x.ackAll()
			x.turn()
		},
		"pop 1, change it, and ack": func() {
			x.popSome(1)
			d := &x.pop.Deliveries[0]
			x.receipt.Queue, x.receipt.Offset, x.receipt.PopTime = d.Queue, d.Offset, d.PopTime
			d.PopTime, _ = x.b.ChangeInvisible(&x.receipt, 1000, false, x.now)
			x.ackAll()
			x.turn()
		},
		"pull 32, and tell": func() {
			if x.pullSome(32) == 0 {
				t.Fatal("nothing was pulled")
			}
			if err := x.b.SetPosition(x.group, x.topic, 0, x.pull.Next); err != nil {
				t.Fatal(err)
			}
			x.turn()
		},
		"tick": func() { x.b.Tick(x.now) },
	} {
		for range 200 {
			for range 64 {
				x.sendOne()
			}
			x.turn()
		}
		if n := testing.AllocsPerRun(100, do); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// entryBytesMax bounds the memory of a message that is out.
const entryBytesMax = 256

// TestEntryBytes measures what a message that is out costs.
func TestEntryBytes(t *testing.T) {
	const n = 100_000
	x := newBench(t, 16)
	x.fly(t, 1000)
	before := heapBytes()
	x.fly(t, 1000+n)
	each := (heapBytes() - before) / n
	t.Logf("%d bytes for each message that is out", each)
	if each > entryBytesMax {
		t.Errorf("more than %d", entryBytesMax)
	}
	runtime.KeepAlive(x)
}

func heapBytes() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
