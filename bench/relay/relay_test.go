package relay

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"rocketmq-proxy/bench/load"
	"rocketmq-proxy/bench/scenario"
	"rocketmq-proxy/bench/stub"
)

func TestLoadThroughTheRelay(t *testing.T) {
	s, err := stub.Start(stub.Config{GRPC: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r, err := Start(s.GRPC)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	p := scenario.Default()
	p.Verify = false
	for _, name := range scenario.Names() {
		run, err := load.Start(context.Background(), load.Config{Addr: r.Addr, Conns: 2, Streams: 4,
			New: func(conn int) load.Scenario { return scenario.Named(name, p, conn, 4) }})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
		if err := run.Stop(); err != nil || run.Totals().Messages == 0 {
			t.Errorf("%s: %+v, %v", name, run.Totals(), err)
		}
	}
}

// Whole and in order, whatever the sizes; and an end on one side is an end on
// the other.
func TestBytesComeBack(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		io.CopyN(nc, nc, 5<<20)
	}()
	r, err := Start(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	nc, err := net.Dial("tcp", r.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	sent := bytes.Repeat([]byte("0123456789abcdef"), 5<<20/16)
	go nc.Write(sent)
	nc.SetReadDeadline(time.Now().Add(20 * time.Second))
	got, err := io.ReadAll(nc)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes, %v", len(got), len(sent), err)
	}
}
