package hpack

import (
	"testing"

	oracle "golang.org/x/net/http2/hpack"

	"rocketmq-proxy/pool/steady"
)

// hot are the walks beside the decoder's that must not allocate: strings as clients send them, and
// the fields of an answer.
func hot() map[string]func() {
	path := oracle.AppendHuffmanString(nil, "/apache.rocketmq.v2.MessagingService/SendMessage")
	names, tagged := NewNames(":path", "x-mq-client-id", "grpc-timeout"), []byte("x-mq-client-id")
	dst := make([]byte, 0, 256)
	// write keeps what is written, so that nothing is left out because nobody looks at it.
	write := func(f func(dst []byte) []byte) func() { return func() { dst = f(dst[:0]) } }
	return map[string]func(){
		"Huffman": func() {
			var err error
			if dst, err = appendDecoded(dst[:0], path, 100); err != nil {
				panic(err)
			}
		},
		"AppendIndexed":      write(func(dst []byte) []byte { return AppendIndexed(dst, 8) }),
		"AppendLiteral":      write(func(dst []byte) []byte { return AppendLiteral(dst, "grpc-status", "0") }),
		"AppendLiteralNamed": write(func(dst []byte) []byte { return AppendLiteralNamed(dst, 31, "application/grpc") }),
		"AppendLiteralHead":  write(func(dst []byte) []byte { return append(AppendLiteralHead(dst, "grpc-message", 4), "gone"...) }),
		"Tag": func() {
			if names.Tag(tagged) == 0 {
				panic("no tag")
			}
		},
	}
}

func TestHotWalksDoNotAllocate(t *testing.T) {
	steady.AllocateNothing(t, hot())
}

func BenchmarkHPACK(b *testing.B) {
	steady.Benchmark(b, hot())
}
