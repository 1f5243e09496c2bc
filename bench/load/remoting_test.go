package load

import (
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/codec/command"
)

// remotingEcho has a broker send a body back.
type remotingEcho struct{ body string }

func (e *remotingEcho) Kinds() []string     { return []string{"echo"} }
func (e *remotingEcho) Setup(*Request) bool { return false }
func (e *remotingEcho) Begin(_ int, r *Request) {
	r.Append = func(out []byte, opaque int32) []byte {
		return append(command.AppendSendMessageV2(out, opaque, &command.SendMessage{Topic: []byte("T")}, len(e.body)), e.body...)
	}
}

func (e *remotingEcho) Message(_, _ int, m Message) error {
	if string(m.Body) != e.body || string(m.Head.Value("is")) != "echo" {
		return errors.New("another message came back")
	}
	return nil
}
func (e *remotingEcho) End(int, int, *Request) (int, bool, error) { return 1, false, nil }

// asked is a request as a broker sees it.
type asked struct {
	opaque int32
	body   []byte
}

// answer is a good one.
func (a *asked) answer() []byte {
	is := command.Field{Key: []byte("is"), Value: []byte("echo")}
	return append(command.AppendResponse(nil, a.opaque, 0, "", []command.Field{is}, len(a.body)), a.body...)
}

// serveRemoting answers all requests of a read at once, in two writes.
func serveRemoting(t *testing.T, answer func(all []asked) []byte) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-ended })
	go func() {
		defer close(ended)
		nc, err := l.Accept() // all loads of these tests have one connection
		if err != nil {
			return
		}
		defer nc.Close()
		var in []byte
		for piece := make([]byte, 64<<10); err == nil; {
			var n int
			if n, err = nc.Read(piece); err != nil {
				return
			}
			var all []asked
			all, in = cutAsked(append(in, piece[:n]...))
			if len(all) == 0 {
				continue
			}
			b := answer(all)
			for _, part := range [][]byte{b[:len(b)/3], b[len(b)/3:]} {
				if _, err = nc.Write(part); err != nil {
					return
				}
			}
		}
	}()
	return l.Addr().String()
}

// cutAsked takes the whole requests off the front of b.
func cutAsked(b []byte) (all []asked, rest []byte) {
	for len(b) >= command.PrefixBytes {
		headLen, bodyLen, kind, err := command.SplitFrame(b)
		n := command.PrefixBytes + headLen + bodyLen
		if err != nil || len(b) < n {
			break
		}
		var h command.Head
		if command.ParseHead(&h, kind, b[command.PrefixBytes:n-bodyLen]) != nil || h.Code != int32(command.RequestSendMessageV2) {
			break
		}
		all, b = append(all, asked{h.Opaque, b[n-bodyLen : n]}), b[n:]
	}
	return all, b
}

func TestRemotingAnswersInAnyOrder(t *testing.T) {
	for _, size := range []int{0, 256, 300_000} {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			addr := serveRemoting(t, func(all []asked) (b []byte) {
				b = command.AppendSendMessageV2(b, all[0].opaque, &command.SendMessage{}, 0) // a request of the broker's own
				for _, a := range slices.Backward(all) {
					b = append(b, a.answer()...)
				}
				return b
			})
			cfg := Config{Addr: addr, Remoting: true, Conns: 1, Streams: 4,
				New: func(int) Scenario { return &remotingEcho{strings.Repeat("x", size)} }}
			driveWell(t, cfg, 100*time.Millisecond)
		})
	}
}

func TestEveryFaultOfRemotingIsAnError(t *testing.T) {
	answers := map[string]func(a asked) []byte{
		"response code 2: too busy": func(a asked) []byte { return command.AppendResponse(nil, a.opaque, 2, "too busy", nil, 0) },
		"another message":           func(a asked) []byte { return command.AppendResponse(nil, a.opaque, 0, "", nil, 0) },
		"nothing that was asked":    func(a asked) []byte { a.opaque += 100; return a.answer() },
		"asked: opaque 1":           func(a asked) []byte { return append(a.answer(), a.answer()...) },
		"JSON head":                 func(asked) []byte { return []byte("\x00\x00\x00\x08\x00\x00\x00\x04{]{}") },
		"serialize type":            func(asked) []byte { return []byte("\x00\x00\x00\x08\x07\x00\x00\x04{}{}") },
		"longer than 16 MiB":        func(asked) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n\r\n") },
	}
	for want, answer := range answers {
		t.Run(want, func(t *testing.T) {
			addr := serveRemoting(t, func(all []asked) []byte { return answer(all[0]) })
			cfg := Config{Addr: addr, Remoting: true, Conns: 1, Streams: 1, New: func(int) Scenario { return &remotingEcho{"hello"} }}
			if r, err := drive(t, cfg, 50*time.Millisecond); err == nil || !strings.Contains(err.Error(), want) || r.Totals().Errors == 0 {
				t.Errorf("error %v", err)
			}
		})
	}
}
