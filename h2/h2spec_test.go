package h2

import (
	"flag"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/codec/grpc"
	"rocketmq-proxy/pool"
)

var h2spec = flag.String("h2spec", "", "path of the h2spec program; empty: skip")

// twelve answers any request with twelve bytes of DATA, so that h2spec has something to see.
type twelve struct{}

func (twelve) Open(*Stream) (Handler, grpc.Status) { return twelve{}, grpc.Status{} }
func (twelve) ClientStreams() bool                 { return true }
func (twelve) Message(*Stream, *pool.Chain)        {}
func (twelve) HalfClosed(s *Stream)                { s.Reply([]byte("seven b")) }
func (twelve) Canceled(*Stream, error)             {}

func TestH2spec(t *testing.T) {
	if *h2spec == "" {
		t.Skip("-h2spec is not given")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var links sync.WaitGroup
	links.Go(func() {
		for {
			sock, err := listener.Accept()
			if err != nil {
				return
			}
			links.Go(func() { serveSpec(sock) })
		}
	})
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	spec := exec.Command(*h2spec, "-h", host, "-p", port, "-S", "-o", "2")
	spec.Stdout, spec.Stderr = os.Stdout, os.Stderr
	if err = spec.Run(); err != nil {
		t.Error(err)
	}
	listener.Close()
	links.Wait()
}

func serveSpec(sock net.Conn) {
	defer sock.Close()
	cfg := &Config{anyRequest: true, Limits: Limits{StreamsMax: 100}}
	c := New(cfg, twelve{}, time.Now())
	flush := func() { sock.Write(drain(c)) }
	flush()
	b := make([]byte, 32<<10)
	for !c.Done() {
		n, err := sock.Read(b)
		if err != nil {
			break
		}
		var in pool.Chain
		in.Write(b[:n])
		c.Feed(time.Now(), &in)
		in.Release()
		flush()
	}
	// Closing with unread input would reset the connection and lose the GOAWAY.
	sock.(*net.TCPConn).CloseWrite()
	sock.SetReadDeadline(time.Now().Add(time.Second))
	for {
		if _, err := sock.Read(b); err != nil {
			break
		}
	}
	c.Close(nil)
}
