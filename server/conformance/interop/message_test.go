package interop

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	ours "rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/server/turn"
)

// messages are texts of a status: what is written, and what is read where that is something else.
var messages = []struct{ name, text, read string }{
	{name: "plain", text: "topic orders does not exist"},
	{name: "empty"},
	{name: "spaces at both ends", text: "  two in front, one behind "},
	{name: "one space", text: " "},
	{name: "percent signs", text: "100% of 50%% is %"},
	{name: "what looks like an escape", text: "%41%0a%E2%82%AC"},
	{name: "what is no escape", text: "%zz %4 %4g %+1 %"},
	{name: "line breaks", text: "first\r\nsecond\nthird\r"},
	{name: "a header of an attacker's", text: "no\r\ngrpc-status: 0"},
	{name: "control characters", text: "\x00\x01\t\x1f\x7f"},
	{name: "two, three and four bytes", text: "größer als 4 MiB: 消息太大 🚀"},
	{name: "combined and right to left", text: "e\u0301 \u05e9\u05dc\u05d5\u05dd \u200d\ufeff"},
	{name: "as long as there may be", text: strings.Repeat("x", 1024)},
	{name: "longer", text: strings.Repeat("x", 1025), read: strings.Repeat("x", 1024)},
	{name: "longer, all escaped", text: strings.Repeat("%", 5000), read: strings.Repeat("%", 1024)},
	{name: "cut before a character of two bytes", text: strings.Repeat("é", 600), read: strings.Repeat("é", 512)},
	{name: "cut within a character of three bytes", text: strings.Repeat("消", 600), read: strings.Repeat("消", 341)},
	{name: "cut within a character of four bytes", text: "x" + strings.Repeat("🚀", 600), read: "x" + strings.Repeat("🚀", 255)},
	{name: "bytes that are no UTF-8", text: "id \xff\xfe of a client", read: "id \ufffd of a client"},
	{name: "half a character", text: "\xe6\xb6", read: "\ufffd"},
	{name: "cut within what is no UTF-8", text: strings.Repeat("\x80", 2000), read: "\ufffd"},
}

// teller answers a call /says/N/SHAPE with the N-th text, in either of the shapes that an error has.
type teller []string

const (
	trailersOnly = "trailers-only" // nothing was sent before
	trailers     = "trailers"      // the headers were
	raw          = "raw"           // the text is the header as it is
)

var shapes = []string{trailersOnly, trailers}

// Offload implements h2.Service.
func (teller) Offload(h2.Work) { panic("nothing here is compressed") }

// Open implements h2.Service.
func (all teller) Open(s *h2.Stream) (h2.Handler, ours.Status) {
	n, shape := asked(string(s.Path()))
	told := ours.Status{Code: ours.Aborted, Message: all[n]}
	switch shape {
	case trailersOnly:
		return nil, told
	case raw:
		s.SetTrailer("grpc-message", all[n])
		told.Message = ""
	}
	return &call{message: func(s *h2.Stream, _ []byte) { s.SendHeaders(); s.Finish(told) }}, ours.Status{}
}

func pathOf(n int, shape string) string { return fmt.Sprintf("/says/%d/%s", n, shape) }

func asked(path string) (n int, shape string) {
	parts := strings.Split(path, "/")
	n, err := strconv.Atoi(parts[2])
	if err != nil {
		panic(path)
	}
	return n, parts[3]
}

// hears makes a call and returns the status as grpc-go's client has read it.
func hears(t *testing.T, conn *grpc.ClientConn, path string) *status.Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), casePatience)
	defer cancel()
	return status.Convert(conn.Invoke(ctx, path, &emptypb.Empty{}, &emptypb.Empty{}))
}

// overBoth runs a test with grpc-go's client over cleartext and over TLS.
func overBoth(t *testing.T, service h2.Service, test func(t *testing.T, conn *grpc.ClientConn)) {
	for name, secret := range map[string]credentials.TransportCredentials{
		"cleartext": insecure.NewCredentials(), "TLS": credentials.NewTLS(&tls.Config{InsecureSkipVerify: true}),
	} {
		t.Run(name, func(t *testing.T) {
			test(t, connect(t, serve(t, func(*turn.Turn) h2.Service { return service }, name == "TLS"), secret))
		})
	}
}

// TestMessages: grpc-go's client reads the text of each status exactly, wherever it stands.
func TestMessages(t *testing.T) {
	var texts teller
	for _, m := range messages {
		texts = append(texts, m.text)
	}
	overBoth(t, texts, func(t *testing.T, conn *grpc.ClientConn) {
		for n, m := range messages {
			want := m.text
			if m.read != "" {
				want = m.read
			}
			for _, shape := range shapes {
				got := hears(t, conn, pathOf(n, shape))
				if got.Code() != codes.Aborted || got.Message() != want {
					t.Errorf("%s, %s: %v %.100q, want %.100q", m.name, shape, got.Code(), got.Message(), want)
				}
			}
		}
	})
}

// random texts of a kind: of bytes, of runes, and of what escapes are made of.
func random(rng *rand.Rand) string {
	var b strings.Builder
	for range rng.IntN(80) {
		switch rng.IntN(4) {
		case 0:
			b.WriteByte("%%%0aFgG +-_"[rng.IntN(12)])
		case 1:
			b.WriteRune(rune(rng.IntN(0x3000)))
		default:
			b.WriteByte(byte(' ' + rng.IntN('~'-' '+1)))
		}
	}
	return b.String()
}

// randomTexts is how many each test with them has.
const randomTexts = 300

func randoms(t *testing.T, keep func(string) bool) (texts []string) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for rng := rand.New(rand.NewPCG(seed, 0)); len(texts) < randomTexts; {
		if text := random(rng); keep(text) {
			texts = append(texts, text)
		}
	}
	return texts
}

// TestRandomMessages is TestMessages for texts that nobody thought of.
func TestRandomMessages(t *testing.T) {
	texts := teller(randoms(t, utf8.ValidString))
	overBoth(t, texts, func(t *testing.T, conn *grpc.ClientConn) {
		for n, want := range texts {
			if got := hears(t, conn, pathOf(n, shapes[n%len(shapes)])).Message(); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	})
}

// TestDecoderLikeGRPC: a header that no encoder writes is read by us as grpc-go reads it.
func TestDecoderLikeGRPC(t *testing.T) {
	texts := teller{"%", "%%", "%4", "a%4", "%zz", "%+1", "%-1", "% 1", "%0x", "%_1", "%e2%82%ac", "%E2%82", "%FF", "%25%", "%%41", "%4%31", "%00%0a"}
	texts = append(texts, randoms(t, func(text string) bool {
		return utf8.RuneCountInString(text) == len(text) && strings.Trim(text, " ") == text && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
	})...)
	overBoth(t, texts, func(t *testing.T, conn *grpc.ClientConn) {
		for n, header := range texts {
			if got, theirs := ours.DecodeMessage([]byte(header)), hears(t, conn, pathOf(n, raw)).Message(); got != theirs {
				t.Errorf("%q: %q, grpc-go reads %q", header, got, theirs)
			}
		}
	})
}

// TestEncoderLikeGRPC: what grpc-go's server writes is what we write, but for spaces at the ends, which
// HTTP/2 has no room for (RFC 9113 section 8.2.1), and we read it as what was meant.
func TestEncoderLikeGRPC(t *testing.T) {
	var texts []string
	for _, m := range messages {
		if m.read == "" && m.text != "" {
			texts = append(texts, m.text)
		}
	}
	texts = append(texts, randoms(t, func(text string) bool { return text != "" && utf8.ValidString(text) })...)
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		path, _ := grpc.MethodFromServerStream(stream)
		n, _ := asked(path)
		return status.Error(codes.Aborted, texts[n])
	}))
	done := make(chan error)
	go func() { done <- server.Serve(port) }()
	defer func() {
		server.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: casePatience}
	for n, text := range texts {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+port.Addr().String()+pathOf(n, trailersOnly), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/grpc")
		answer, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		theirs := answer.Header.Get("Grpc-Message")
		if got := ours.DecodeMessage([]byte(theirs)); got != text {
			t.Errorf("grpc-go writes %q as %q, which we read as %q", text, theirs, got)
		}
		if got := string(ours.AppendMessage(nil, text)); got != theirs && strings.Trim(text, " ") == text {
			t.Errorf("%q: we write %q, grpc-go %q", text, got, theirs)
		}
	}
}
