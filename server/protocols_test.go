package server

import (
	"strings"
	"testing"

	"rocketmq-proxy/codec/command"
	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/server/link"
)

func TestSpeaksHTTP2(t *testing.T) {
	for n := 1; n <= len(frame.Preface); n++ {
		want := link.Yes
		if n < 4 {
			want = link.More
		}
		if got := speaksHTTP2([]byte(frame.Preface[:n])); got != want {
			t.Errorf("%d bytes of a preface: %v, want %v", n, got, want)
		}
	}
	for _, first := range []string{"G", "PO", "PRO", "PRI\t", "\x00", "\x16"} {
		if got := speaksHTTP2([]byte(first)); got != link.Never {
			t.Errorf("%q: %v", first, got)
		}
	}
}

// What begins like no protocol at all is an invalid preface: SETTINGS and GOAWAY, with the words in
// it.
func TestRejectUnknown(t *testing.T) {
	got := reject([]byte("INVALID CONNECTION PREFACE\r\n\r\n"))
	settings, goAway := frame.ParseHead(got), frame.ParseHead(got[frame.HeadBytes:])
	if settings.Kind != frame.KindSettings || settings.Length != 0 || goAway.Kind != frame.KindGoAway || goAway.Length != len(got)-2*frame.HeadBytes ||
		!strings.HasSuffix(string(got), "\x00\x00\x00\x01"+rejectHTTP1) {
		t.Errorf("%q", got)
	}
}

// Every client of another protocol is told something, whatever it said.
func FuzzReject(f *testing.F) {
	request := command.AppendRequest(nil, command.JSON, 105, 1, 0, nil, 0)
	for _, first := range []string{"G", "GET / HTTP/1.1\r\n\r\n", "\x00\x00\x00", string(request), string(request[:9]), string(request[:20])} {
		f.Add([]byte(first))
	}
	f.Fuzz(func(t *testing.T, first []byte) {
		if len(first) == 0 {
			t.Skip("nobody said anything")
		}
		verdict := speaksHTTP2(first)
		if verdict != link.Never {
			if !strings.HasPrefix(frame.Preface, string(first[:min(len(first), 4)])) {
				t.Fatalf("%q passes for HTTP/2", first)
			}
			return
		}
		if len(reject(first)) == 0 {
			t.Fatalf("%q is told nothing", first)
		}
		for n := range first { // once known, always known
			if n > 0 && speaksHTTP2(first[:n]) == link.Yes {
				t.Fatalf("%q passes for HTTP/2, %q does not", first[:n], first)
			}
		}
	})
}
