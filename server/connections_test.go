package server

import (
	"context"
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"rocketmq-proxy/codec/frame"
	"rocketmq-proxy/server/admin"
	"rocketmq-proxy/server/config"
)

// held is an event that keeps a turn busy until it is closed.
type held chan struct{}

// OnTurn waits, which a turn never does.
func (h held) OnTurn(time.Time) { <-h }

// TestBusyConnection: one whose turn is busy is listed with what its socket knows, and the others
// answer.
func TestBusyConnection(t *testing.T) {
	c := config.Default(config.Environment{NameServers: "127.0.0.1:1", Host: "test", Addr: "127.0.0.1"})
	c.GRPC.ServerPort, c.Fleet.Topic = 0, ""
	s, err := New(c, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		over, cancel := context.WithCancel(context.Background())
		cancel()
		s.Shutdown(over)
	}()
	table := &connections{s, &Counters{}}
	for n := range 2 {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port())))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write(frame.AppendSettings([]byte(frame.Preface))); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, frame.HeadBytes)); err != nil { // so that it is the n-th
			t.Fatal(n, err)
		}
	}

	busy := make(held)
	s.mu.Lock()
	s.clients[1].link.Turn().Post(busy)
	s.mu.Unlock()
	look := func(patience time.Duration) (first, second admin.Connection) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		all := table.Look(ctx, []uint64{1, 2, 3}) // there is no third
		if len(all) != 2 || all[0].ID != 1 || all[1].ID != 2 {
			t.Fatalf("%+v", all)
		}
		return all[0], all[1]
	}
	for patience := 10 * time.Millisecond; ; patience *= 2 {
		first, second := look(patience)
		if first.State != admin.Busy || first.Activity != nil || first.Socket == nil || first.Socket.ReceivedBytes == 0 {
			t.Fatalf("the busy one: %+v", first)
		}
		if second.State == admin.Open {
			break
		}
	}
	close(busy)
	if first, _ := look(time.Minute); first.State != admin.Open || first.Activity == nil {
		t.Errorf("it is busy no more: %+v", first)
	}
}
