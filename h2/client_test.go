package h2_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/h2"
	"rocketmq-proxy/pool"
)

// The tests here put a Conn behind a socket and talk to it with the HTTP/2 client of the
// standard library, which shares no code with it.

// echoService sends every message of a call back. A unary answer is posted, not sent inline.
type echoService struct {
	link *testLink
}

func (e *echoService) Open(s *h2.Stream) (h2.Handler, grpc.Status) {
	switch path := string(s.Path()); path {
	case "/test.Echo/Unary":
		return &echoUnary{link: e.link, key: s.Key()}, grpc.Status{}
	case "/test.Echo/Stream":
		return &echoStream{}, grpc.Status{}
	default:
		return nil, grpc.Status{Code: grpc.Unimplemented, Message: "Method not found: " + path[1:]}
	}
}

// Offload implements h2.Service.
func (e *echoService) Offload(w h2.Work) {
	go func() {
		w.Run()
		e.link.post(func() { w.OnTurn(time.Now()) })
	}()
}

type echoUnary struct {
	link *testLink
	key  h2.Key
	body pool.Chain
}

func (u *echoUnary) ClientStreams() bool { return false }

func (u *echoUnary) Message(_ *h2.Stream, msg *pool.Chain) { u.body.AppendChain(msg) }

func (u *echoUnary) HalfClosed(*h2.Stream) {
	go u.link.post(func() {
		if s := u.link.conn.Stream(u.key); s != nil {
			s.Send(&u.body)
			s.Finish(grpc.Status{})
		}
		u.body.Release()
	})
}

func (u *echoUnary) Canceled(*h2.Stream, error) {}

type echoStream struct{}

func (echoStream) ClientStreams() bool                   { return true }
func (echoStream) Message(s *h2.Stream, msg *pool.Chain) { s.Send(msg) }
func (echoStream) HalfClosed(s *h2.Stream) {
	s.Finish(grpc.Status{Code: grpc.Aborted, Message: "tschüß"})
}
func (echoStream) Canceled(*h2.Stream, error) {}

// testLink drives a Conn over a socket: a turn is a lock here.
type testLink struct {
	mu   sync.Mutex
	sock net.Conn
	conn *h2.Conn
}

func (l *testLink) post(event func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn.Tick(time.Now())
	event()
	l.flush()
}

func (l *testLink) flush() {
	var out pool.Chain
	l.conn.Drain(&out)
	for _, v := range out.Views() {
		if _, err := l.sock.Write(v.Bytes()); err != nil {
			break
		}
	}
	out.Release()
}

func (l *testLink) run() {
	defer l.sock.Close()
	l.post(func() {})
	for {
		block := pool.Get(32 << 10)
		n, err := l.sock.Read(block.Bytes())
		if err != nil {
			block.Release()
			l.post(func() { l.conn.Close(err) })
			return
		}
		l.post(func() {
			var in pool.Chain
			in.Append(pool.ViewOf(block, 0, n))
			err = l.conn.Feed(time.Now(), &in)
			in.Release()
		})
		if err != nil || l.conn.Done() {
			l.post(func() { l.conn.Close(err) })
			return
		}
	}
}

// dialEcho returns a client of a fresh server.
func dialEcho(t *testing.T, limits h2.Limits) (*http.Client, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := &h2.Config{Limits: limits}
	var links sync.WaitGroup
	links.Go(func() {
		for {
			sock, err := listener.Accept()
			if err != nil {
				return
			}
			service := &echoService{link: &testLink{sock: sock}}
			service.link.conn = h2.New(cfg, service, time.Now())
			links.Go(func() {
				service.link.run()
			})
		}
	})
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		listener.Close()
		links.Wait()
	})
	return &http.Client{Transport: transport}, "http://" + listener.Addr().String()
}

func framed(msg []byte) []byte { return append(grpc.AppendPrefix(nil, len(msg)), msg...) }

func post(client *http.Client, url string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/grpc+proto")
	req.Header.Set("TE", "trailers")
	req.Header.Set("Grpc-Timeout", "20S")
	return client.Do(req)
}

func callUnary(client *http.Client, base string, msg []byte) error {
	resp, err := post(client, base+"/test.Echo/Unary", bytes.NewReader(framed(msg)))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.Trailer.Get("Grpc-Status") != "0" || !bytes.Equal(got, framed(msg)) {
		return fmt.Errorf("status %q, header %v, %d bytes", resp.Trailer.Get("Grpc-Status"), resp.Header, len(got))
	}
	return nil
}

func TestClientUnary(t *testing.T) {
	client, base := dialEcho(t, h2.Limits{})
	for _, size := range []int{0, 1, 511, 513, 16379, 16380, 100_000, 20 << 20} {
		if err := callUnary(client, base, bytes.Repeat([]byte{'m'}, size)); err != nil {
			t.Fatal(size, err)
		}
	}
	resp, err := post(client, base+"/test.Echo/None", strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := resp.Header.Get("Grpc-Message"); got != "Method not found: test.Echo/None" {
		t.Fatal(got)
	}
}

func TestClientConcurrent(t *testing.T) {
	client, base := dialEcho(t, h2.Limits{StreamsMax: 50})
	var calls sync.WaitGroup
	failed := make(chan error, 20)
	for i := range 20 {
		calls.Go(func() {
			for n := range 20 {
				if err := callUnary(client, base, bytes.Repeat([]byte{byte(i)}, n*7000)); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	calls.Wait()
	close(failed)
	for err := range failed {
		t.Fatal(err)
	}
}

// TestClientStream sends messages one by one, each after the echo of the one before.
func TestClientStream(t *testing.T) {
	client, base := dialEcho(t, h2.Limits{})
	reader, writer := io.Pipe()
	sent := func(n int) []byte { return framed(bytes.Repeat([]byte{'s'}, n*n*100)) }
	go writer.Write(sent(0))
	resp, err := post(client, base+"/test.Echo/Stream", reader)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for n := range 60 {
		head := make([]byte, grpc.PrefixBytes)
		if _, err = io.ReadFull(resp.Body, head); err != nil {
			t.Fatal(n, err)
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:]))
		if _, err = io.ReadFull(resp.Body, body); err != nil || len(body) != n*n*100 {
			t.Fatal(n, len(body), err)
		}
		go writer.Write(sent(n + 1))
	}
	// The last echo comes, then the status.
	io.CopyN(io.Discard, resp.Body, 5+60*60*100)
	writer.Close()
	if _, err = io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	if resp.Trailer.Get("Grpc-Status") != "10" || grpc.DecodeMessage([]byte(resp.Trailer.Get("Grpc-Message"))) != "tschüß" {
		t.Fatal(resp.Trailer)
	}
}

func TestClientHeadersTooLarge(t *testing.T) {
	client, base := dialEcho(t, h2.Limits{HeaderListBytesMax: 2000})
	req, _ := http.NewRequest(http.MethodPost, base+"/test.Echo/Unary", strings.NewReader(""))
	for i := range 30 {
		req.Header.Set(fmt.Sprintf("x-%d", i), strings.Repeat("v", 50))
	}
	// The client may know our limit already, and then does not even ask.
	if resp, err := client.Do(req); err == nil {
		resp.Body.Close()
		if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Fatal(resp.Status)
		}
	}
	// The connection is still good.
	if err := callUnary(client, base, []byte("hi")); err != nil {
		t.Fatal(err)
	}
}
