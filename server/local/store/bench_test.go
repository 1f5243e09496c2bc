package store

import (
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

func messageKey(dst []byte, topic, queue int, offset uint64) {
	copy(dst, "m/")
	binary.BigEndian.PutUint16(dst[2:], uint16(topic))
	binary.BigEndian.PutUint16(dst[4:], uint16(queue))
	binary.BigEndian.PutUint64(dst[6:], offset)
}

const messageKeyBytes = 14

// noise is what values are filled from: half of it compresses.
var noise = func() []byte {
	rng := rand.New(rand.NewPCG(1, 1))
	b := make([]byte, 1<<20)
	for i := range b {
		if i%512 < 256 {
			b[i] = byte(rng.Uint32())
		} else {
			b[i] = "abcdefgh"[i%8]
		}
	}
	return b
}()

// load puts messages over eight queues.
type load struct {
	offsets [8]uint64
	n       int
}

func (l *load) put(b *Batch, valueBytes int) {
	q := l.n % len(l.offsets)
	key, value := b.Put(messageKeyBytes, valueBytes)
	messageKey(key, 1, q, l.offsets[q])
	copy(value, noise[l.n*64%(len(noise)-valueBytes):])
	l.offsets[q]++
	l.n++
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func onDisk(b *testing.B) *Store {
	s, err := Open(Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

// BenchmarkCommit is one batch of 64 messages an operation.
func BenchmarkCommit(b *testing.B) {
	for _, sync := range []bool{true, false} {
		for _, size := range []int{256, 4096, 65536} {
			b.Run(fmt.Sprintf("sync=%v/bytes=%d", sync, size), func(b *testing.B) {
				s := onDisk(b)
				batch := s.NewBatch()
				var l load
				const group = 64
				b.ReportAllocs()
				b.SetBytes(int64(group * size))
				b.ResetTimer()
				start := cpu()
				for range b.N {
					for range group {
						l.put(batch, size)
					}
					if err := s.Commit(batch, sync); err != nil {
						b.Fatal(err)
					}
					batch.Reset()
				}
				b.StopTimer()
				b.ReportMetric(float64(group*b.N)/b.Elapsed().Seconds(), "messages/s")
				b.ReportMetric(float64((cpu()-start).Nanoseconds())/float64(group*b.N), "cpu-ns/message")
			})
		}
	}
}

// BenchmarkCursor is a Seek and 32 values an operation, over 200,000 messages; before every
// stale one there was a commit.
func BenchmarkCursor(b *testing.B) {
	s := onDisk(b)
	batch := s.NewBatch()
	var l load
	for range 200_000 / 64 {
		for range 64 {
			l.put(batch, 256)
		}
		if err := s.Commit(batch, false); err != nil {
			b.Fatal(err)
		}
		batch.Reset()
	}
	for _, stale := range []bool{false, true} {
		b.Run(fmt.Sprintf("stale=%v", stale), func(b *testing.B) {
			c := s.Cursor()
			defer c.Close()
			from, to := make([]byte, messageKeyBytes), make([]byte, messageKeyBytes)
			rng := rand.New(rand.NewPCG(1, 1))
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				q := rng.IntN(8)
				messageKey(from, 1, q, rng.Uint64N(l.offsets[q]-32))
				messageKey(to, 1, q+1, 0)
				if stale {
					s.commits.Add(1)
				}
				n := 0
				for ok := c.Seek(from, to); ok && n < 32; ok = c.Next() {
					n++
				}
				if n != 32 {
					b.Fatal(n, c.Err())
				}
			}
		})
	}
}

// BenchmarkDelivery is a message that is put, delivered and acknowledged in three commits: with a
// small key per delivery that is put in the second and deleted in the third.
func BenchmarkDelivery(b *testing.B) {
	for _, once := range []bool{false, true} {
		b.Run(fmt.Sprintf("once=%v", once), func(b *testing.B) {
			s := onDisk(b)
			batch := s.NewBatch()
			const group = 64
			var key [16]byte
			n := uint64(0)
			b.ReportAllocs()
			b.ResetTimer()
			start := cpu()
			for range b.N {
				for i := range uint64(group) {
					k, v := batch.Put(16, 40)
					copy(k, "d/")
					binary.BigEndian.PutUint64(k[8:], n+i)
					copy(v, noise)
				}
				if err := s.Commit(batch, false); err != nil {
					b.Fatal(err)
				}
				batch.Reset()
				for i := range uint64(group) {
					copy(key[:], "d/\x00\x00\x00\x00\x00\x00")
					binary.BigEndian.PutUint64(key[8:], n+i)
					if once {
						batch.DeleteOnce(key[:])
					} else {
						batch.Delete(key[:])
					}
				}
				if err := s.Commit(batch, true); err != nil {
					b.Fatal(err)
				}
				batch.Reset()
				n += group
			}
			b.StopTimer()
			b.ReportMetric(float64(group*b.N)/b.Elapsed().Seconds(), "deliveries/s")
			b.ReportMetric(float64((cpu()-start).Nanoseconds())/float64(group*b.N), "cpu-ns/delivery")
		})
	}
}

var million = flag.Int("million", 0, "millions of messages for TestMillions")

// TestMillions stores millions of messages, reads them all, deletes nine tenths of them, and
// prints what an operator would see. It is run by hand, with -run Millions -million 5 -v.
func TestMillions(t *testing.T) {
	if *million == 0 {
		t.Skip("by hand: -million 5")
	}
	d := t.TempDir()
	s := mustOpen(t, Config{Dir: d, Report: func(e string, err error) { t.Log(e, err) }})
	b := s.NewBatch()
	var l load
	begin, used := time.Now(), cpu()
	lap := func(what string, n int) {
		wall, c := time.Since(begin), cpu()-used
		t.Logf("%-22s %9.0f/s %6.0f cpu-ns each, RSS %d MB, %+v", what, float64(n)/wall.Seconds(), float64(c.Nanoseconds())/float64(n), rss(), s.Usage())
		begin, used = time.Now(), cpu()
	}
	n := *million * 1_000_000
	for i := 0; i < n; i += 64 {
		for range 64 {
			l.put(b, 256)
		}
		mustCommit(t, s, b, true)
		if i/64%2000 == 0 {
			s.CheckSpace()
		}
		if i%(n/5) < 64 && i > 0 {
			lap("sent", n/5)
		}
	}
	c := s.Cursor()
	from, to := make([]byte, messageKeyBytes), make([]byte, messageKeyBytes)
	for q := range l.offsets {
		messageKey(from, 1, q, 0)
		messageKey(to, 1, q+1, 0)
		for ok := c.Seek(from, to); ok; ok = c.Next() {
		}
	}
	lap("read", n)
	for q := range l.offsets {
		messageKey(from, 1, q, 0)
		messageKey(to, 1, q, l.offsets[q]*9/10)
		b.DeleteRange(from, to)
	}
	mustCommit(t, s, b, true)
	for range 15 {
		time.Sleep(time.Second)
		s.CheckSpace()
	}
	lap("deleted", n)
	c.Close()
	mustClose(t, s)
	runtime.GC()
	begin = time.Now()
	s = mustOpen(t, Config{Dir: d})
	t.Log("opened in", time.Since(begin))
	mustClose(t, s)
}

// rss is the resident memory of this process in MB.
func rss() int {
	text, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kb := 0
	_, _ = fmt.Sscan(rest, &kb)
	return kb / 1024
}
