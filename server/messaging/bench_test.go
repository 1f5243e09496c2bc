package messaging

import "testing"

// The walks are whole calls on one connection in memory: HTTP/2 in, backend operation, answer,
// HTTP/2 out. What they leave out is sockets, turns and the broker.

func benchmark(b *testing.B, walk func()) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		walk()
	}
}

func BenchmarkSendMessage256(b *testing.B)       { benchmark(b, sendWalk(b, 256)) }
func BenchmarkSendMessage10K(b *testing.B)       { benchmark(b, sendWalk(b, 10<<10)) }
func BenchmarkAckMessage(b *testing.B)           { benchmark(b, ackWalk(b, 1)) }
func BenchmarkAckMessage32(b *testing.B)         { benchmark(b, ackWalk(b, 32)) }
func BenchmarkReceiveMessage1(b *testing.B)      { benchmark(b, receiveWalk(b, 1, 256)) }
func BenchmarkReceiveMessage32(b *testing.B)     { benchmark(b, receiveWalk(b, 32, 256)) }
func BenchmarkReceiveMessage32of2K(b *testing.B) { benchmark(b, receiveWalk(b, 32, 2<<10)) }
func BenchmarkSendMessageBatch32(b *testing.B)   { benchmark(b, batchWalk(b, 32)) }
func BenchmarkPullMessage32(b *testing.B)        { benchmark(b, pullWalk(b, 32, 256)) }
func BenchmarkChangeInvisible(b *testing.B)      { benchmark(b, changeWalk(b)) }

// BenchmarkRareCalls are those whose types are generated.
func BenchmarkRareCalls(b *testing.B) {
	for _, rare := range rareWalks(b) {
		b.Run(rare.name, func(b *testing.B) { benchmark(b, rare.walk) })
	}
}
