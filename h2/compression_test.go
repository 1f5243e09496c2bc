package h2

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/codec/hpack"
	"rocketmq-proxy/pool"
)

// answer is what a client reads of one unary call.
type answer struct {
	encoding string // grpc-encoding
	flag     byte
	message  string // inflated
	status   string
}

// readAnswer reads the frames of stream 1.
func readAnswer(t *testing.T, b []byte) (a answer) {
	t.Helper()
	var content []byte
	var d hpack.Decoder
	d.Init(hpack.NewNames(), hpack.Limits{ListBytesMax: 1 << 20, ListFieldsMax: 100, StringBytesMax: 1 << 20})
	for len(b) > 0 {
		h := frame.ParseHead(b)
		payload := b[frame.HeadBytes : frame.HeadBytes+h.Length]
		b = b[frame.HeadBytes+h.Length:]
		switch h.Kind {
		case frame.KindData:
			content = append(content, payload...)
		case frame.KindHeaders:
			d.Begin(payload)
			for d.Next() {
				switch f := d.Field(); string(f.Name) {
				case "grpc-encoding":
					a.encoding = string(f.Value)
				case "grpc-status":
					a.status = string(f.Value)
				}
			}
		}
	}
	p := grpc.ParsePrefix(content)
	content = content[grpc.PrefixBytes:]
	if int(p.Length) != len(content) {
		t.Fatalf("a prefix of %d, and %d bytes", p.Length, len(content))
	}
	if a.flag = p.Flag; p.Flag == grpc.Compressed {
		r, err := gzip.NewReader(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		if content, err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	a.message = string(content)
	return a
}

// chatty answers every call with a message.
type chatty struct {
	mute
	text string
	how  string
}

func (y *chatty) Open(*Stream) (Handler, grpc.Status) { return y, grpc.Status{} }

func (y *chatty) ClientStreams() bool { return false }

func (y *chatty) HalfClosed(s *Stream) {
	switch y.how {
	case "reply":
		s.Reply([]byte(y.text))
	case "write":
		s.SetHeader("x", "y")
		s.Write([]byte(y.text))
		s.Finish(grpc.Status{})
	case "send":
		var msg pool.Chain
		msg.Write([]byte(y.text[:len(y.text)/2]))
		msg.Append(pool.Copied([]byte(y.text[len(y.text)/2:])))
		s.Send(&msg)
		s.Finish(grpc.Status{})
	}
}

// Answers to a client that compresses are compressed, when that pays and is quick.
func TestCompressedAnswers(t *testing.T) {
	gzipped := [][2]string{{"grpc-encoding", "gzip"}}
	text := func(n int) string { return strings.Repeat("a", n) }
	noise := make([]byte, 5000)
	for i, rng := 0, rand.New(rand.NewPCG(1, 2)); i < len(noise); i++ {
		noise[i] = byte(rng.Uint32())
	}
	for _, test := range []struct {
		name     string
		headers  [][2]string
		text     string
		flag     byte
		encoding string
	}{
		{"a client that does not compress", nil, text(5000), grpc.Plain, ""},
		{"one that could", [][2]string{{"grpc-accept-encoding", "identity,deflate,gzip"}}, text(5000), grpc.Plain, ""},
		{"one that does", gzipped, text(5000), grpc.Compressed, "gzip"},
		{"and says so", append(gzipped, [2]string{"grpc-accept-encoding", "gzip"}), text(5000), grpc.Compressed, "gzip"},
		{"one that takes no compressed answers", append(gzipped, [2]string{"grpc-accept-encoding", "identity"}), text(5000), grpc.Plain, ""},
		{"nothing", gzipped, "", grpc.Plain, "gzip"},
		{"too small", gzipped, text(deflateBytesMin - 1), grpc.Plain, "gzip"},
		{"the smallest", gzipped, text(deflateBytesMin), grpc.Compressed, "gzip"},
		{"the largest", gzipped, text(deflateBytesMax), grpc.Compressed, "gzip"},
		{"too large", gzipped, text(deflateBytesMax + 1), grpc.Plain, "gzip"},
		{"what does not compress", gzipped, string(noise), grpc.Plain, "gzip"},
	} {
		for _, how := range []string{"reply", "write", "send"} {
			t.Run(test.name+"/"+how, func(t *testing.T) {
				live := pool.Live()
				t.Cleanup(func() { // behind that of the connection
					if got := pool.Live(); got != live {
						t.Errorf("%d buffers leaked", got-live)
					}
				})
				c, feed := greeted(t, &Config{}, &chatty{text: test.text, how: how})
				c.widenPeer(1 << 20)
				b := frame.AppendData(openWith(0, test.headers...), 1, grpc.AppendPrefix(nil, 0), frame.FlagEndStream)
				if err := feed(start, b); err != nil {
					t.Fatal(err)
				}
				got := readAnswer(t, drain(c))
				if want := (answer{encoding: test.encoding, flag: test.flag, message: test.text, status: "0"}); got != want {
					t.Errorf("encoding %q, flag %d, %d bytes, status %s; want %q, %d, %d, 0", got.encoding, got.flag, len(got.message), got.status, want.encoding, want.flag, len(want.message))
				}
			})
		}
	}
}

// widenPeer lets n bytes out on every stream and on the connection.
func (c *Conn) widenPeer(n int) { c.peerWindow, c.sendWindow = n, n }
