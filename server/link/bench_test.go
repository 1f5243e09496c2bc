package link

import (
	"fmt"
	"io"
	"testing"

	"rocketmq-proxy/pool"
	"rocketmq-proxy/pool/steady"
)

// echoWalk is a round trip over a socket: a read of the poller, a turn, a write.
func echoWalk(tb testing.TB, over transport, size int) func() {
	conn, _ := serve(tb, Limits{}, nil).meet(over)
	said, heard := noise(size), make([]byte, size)
	return func() {
		if _, err := conn.Write(said); err != nil {
			tb.Fatal(err)
		}
		if _, err := io.ReadFull(conn, heard); err != nil {
			tb.Fatal(err)
		}
	}
}

func BenchmarkEcho(b *testing.B) {
	for _, over := range transports {
		for _, size := range []int{300, 16 << 10} {
			b.Run(fmt.Sprintf("%s/%d", over.name, size), func(b *testing.B) {
				walk := echoWalk(b, over, size)
				b.ReportAllocs()
				for b.Loop() {
					walk()
				}
			})
		}
	}
}

// What is left is not ours: netpoll allocates once for each read, and crypto/tls for each look at its connection: twice
// here, for what has come and for the nothing behind it, and once in the client of this test.
func TestRoundTripsHardlyAllocate(t *testing.T) {
	if pool.Invariants {
		t.Skip("the invariants build is not about speed")
	}
	steady.KeepPools(t)
	for _, over := range transports {
		most := 1.0
		if over.tls != nil {
			most += 3
		}
		walk := echoWalk(t, over, 300)
		for range 200 {
			walk()
		}
		if n := testing.AllocsPerRun(500, walk); n > most {
			t.Errorf("%s: %v allocations, want %v", over.name, n, most)
		}
	}
}
