package grpc

import (
	"strings"
	"testing"

	"rocketmq-proxy/pool"
	"rocketmq-proxy/pool/steady"
)

// hot are the walks that must not allocate: what is done for every message and every call.
func hot() map[string]func() {
	dst, prefix := make([]byte, 0, 256), AppendPrefix(nil, 300)
	timeout, text := []byte("2997m"), "topic orders does not exist: für immer"
	return map[string]func(){
		"ParsePrefix": func() {
			if ParsePrefix(prefix).Length != 300 {
				panic("prefix")
			}
		},
		"AppendPrefix": func() { dst = AppendPrefix(dst[:0], 300) },
		"ParseTimeout": func() {
			if _, err := ParseTimeout(timeout); err != nil {
				panic(err)
			}
		},
		"AppendMessage": func() { dst = AppendMessage(dst[:0], text) },
		"EncodedLen": func() {
			if EncodedLen(text) < len(text) {
				panic("length")
			}
		},
	}
}

func TestHotWalksDoNotAllocate(t *testing.T) {
	steady.AllocateNothing(t, hot())
}

func BenchmarkGRPC(b *testing.B) {
	steady.Benchmark(b, hot())
}

// A compressed message costs no more allocations when it is larger: coders and blocks are pooled.
func TestCompressionDoesNotAllocateByTheByte(t *testing.T) {
	steady.KeepPools(t)
	for _, repeats := range []int{10, 2000} {
		text := strings.Repeat("a body of text that repeats itself. ", repeats)
		plain, packed := chain([]byte(text), 1<<20), chain(zipped(text), 1<<20)
		var dst pool.Chain
		deflate := func() {
			Deflate(&dst, &plain)
			dst.Release()
		}
		inflate := func() {
			in := Inflation{BytesMax: 1 << 20, Hold: func(int) bool { return true }, Pause: func() {}}
			if err := in.Inflate(&dst, &packed); err != nil {
				panic(err)
			}
			dst.Release()
		}
		for name, walk := range map[string]func(){"Deflate": deflate, "Inflate": inflate} {
			for range 20 {
				walk()
			}
			if n := testing.AllocsPerRun(50, walk); n > 0 {
				t.Errorf("%s of %d bytes: %v allocations", name, len(text), n)
			}
		}
		plain.Release()
		packed.Release()
	}
}
