package main_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rocketmq-proxy/remoting/fakebroker"
)

// fewDescriptors is the limit of these tests, fewConnections how many connections that leaves to clients.
const (
	fewDescriptors = 160
	fewConnections = fewDescriptors / 2
)

// startWithFew starts a proxy that has few descriptors.
func startWithFew(t *testing.T, keys map[string]any, args ...string) *process {
	t.Helper()
	keys["grpcServerPort"], keys["localServeAddr"], keys["adminListenAddr"] = 0, "127.0.0.1", "127.0.0.1:0"
	limited := []string{"-c", fmt.Sprintf(`ulimit -n %d; exec "$0" "$@"`, fewDescriptors), proxyBinary, "-pc", writeConfig(t, keys)}
	return launch(t, exec.Command("/bin/sh", append(limited, args...)...))
}

// What is logged when descriptors run out, and when there are some again.
const (
	descriptorsOut  = "no descriptors for more connections"
	descriptorsBack = "there are descriptors for more connections again"
)

func (p *process) logged(t *testing.T, line string, n int) {
	t.Helper()
	if !within(patience, func() bool { return strings.Count(p.output(), line) >= n }) || strings.Count(p.output(), line) != n {
		t.Errorf("%q was logged %d times, want %d:\n%s", line, strings.Count(p.output(), line), n, p.output())
	}
}

// TestDescriptorsRunOut: more clients connect than there are descriptors for. Those that are in are served
// during the rush, brokers that were not called before and the store can still be reached, the others are closed at once
// and counted, and when some have gone others come in. Begin and end are logged once.
func TestDescriptorsRunOut(t *testing.T) {
	t.Run("cluster", func(t *testing.T) {
		fake := fakebroker.Start(t, fakebroker.WithBrokers(2))
		fake.SetTopic(fakebroker.Topic{Name: "flood", Brokers: []string{"fake-0"}})
		fake.SetTopic(fakebroker.Topic{Name: "later", Brokers: []string{"fake-1"}})
		descriptorsRunOut(t, startWithFew(t, map[string]any{"namesrvAddr": fake.NameServer.Addr}))
	})
	t.Run("local", func(t *testing.T) {
		descriptorsRunOut(t, startWithFew(t, map[string]any{"proxyMode": "local"}, "-store", filepath.Join(t.TempDir(), "store")))
	})
}

func descriptorsRunOut(t *testing.T, proxy *process) {
	const rush = 3 * fewConnections
	proxy.logged(t, fmt.Sprintf(`"connectionsMax":20000,"connectionsPossible":%d,"descriptors":%d`, fewConnections, fewDescriptors), 1)
	honest := dialHonest(proxy.addr, false)
	defer honest.close()
	honest.sendMessage(t)

	over := make(chan struct{})
	var served atomic.Int32
	var calls sync.WaitGroup
	calls.Go(func() {
		for {
			honest.sendMessage(t)
			served.Add(1)
			select {
			case <-over:
				return
			default:
			}
		}
	})
	begun := time.Now()
	conns := make([]net.Conn, rush)
	var in atomic.Int32
	abreast(conns, func(i int, _ net.Conn) {
		if conn := callOnce(t, proxy.addr, i%2 == 1); conn != nil {
			conns[i] = conn
			in.Add(1)
		}
	})
	close(over)
	calls.Wait()
	took := time.Since(begun)
	defer func() { settleAll(conns) }()
	t.Logf("%d of %d connections are in after %v, %d calls were answered meanwhile", in.Load(), rush, took, served.Load())
	if in.Load() != fewConnections-1 {
		t.Errorf("%d connections are in, want %d", in.Load(), fewConnections-1)
	}
	refused := fmt.Sprintf("\nrmqproxy_connections_refused_total{reason=\"no_descriptors\"} %d\n", rush-in.Load())
	if page := proxy.page("/metrics"); !strings.Contains(page, refused) {
		t.Errorf("%q is not on the page:\n%s", refused, page)
	}
	honest.sendTo(t, "later")
	proxy.logged(t, descriptorsOut, 1)
	proxy.logged(t, descriptorsBack, 0)

	for i, gone := 0, 0; gone < fewConnections/10; i++ {
		if conns[i] != nil {
			_ = conns[i].Close()
			conns[i] = nil
			gone++
		}
	}
	proxy.logged(t, descriptorsBack, 1)
	if conn := callOnce(t, proxy.addr, false); conn == nil {
		t.Error("a connection is refused though others have gone")
	} else {
		_ = conn.Close()
	}
	proxy.logged(t, descriptorsOut, 1)
	honest.sendMessage(t)
	if code := proxy.stop(); code != 0 {
		t.Errorf("exit code %d:\n%s", code, proxy.output())
	}
}

// callOnce opens a connection and makes a call; nil: it was closed.
func callOnce(t *testing.T, addr string, secure bool) net.Conn {
	conn, err := dial(addr, secure)
	if err != nil {
		return nil
	}
	if _, err = conn.Write(hello(nil)); err == nil {
		err = idleCall(conn, 1)
	}
	if err != nil {
		_ = conn.Close()
		return nil
	}
	return conn
}

func settleAll(conns []net.Conn) {
	for _, c := range conns {
		if c != nil {
			_ = c.Close()
		}
	}
}

// TestAcceptFails: not one descriptor is left, whatever was kept. The port waits and costs nothing, who is in is
// served, one line is logged, and a second after there are descriptors again those who dialled are served.
func TestAcceptFails(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "flood"})
	proxy := startWithFew(t, map[string]any{"namesrvAddr": fake.NameServer.Addr})
	honest := dialHonest(proxy.addr, false)
	defer honest.close()
	honest.sendMessage(t)
	proxy.descriptors(t, 4)

	const waiting = 5
	var conns []net.Conn
	for range waiting {
		conn, err := net.Dial("tcp", proxy.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write(hello(nil)); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	proxy.logged(t, descriptorsOut, 1)
	const look = 2 * time.Second
	before := proxy.processorTime()
	<-time.After(look)
	used := proxy.processorTime() - before
	if used > look/20 {
		t.Errorf("waiting for descriptors took %v of %v", used, look)
	}
	honest.sendMessage(t)
	proxy.logged(t, descriptorsOut, 1)

	proxy.descriptors(t, fewDescriptors)
	back := time.Now()
	for _, conn := range conns {
		if err := idleCall(conn, 1); err != nil {
			t.Errorf("a connection that waited: %v", err)
		}
	}
	took := time.Since(back)
	t.Logf("%v of the processor in %v; served %v after descriptors came back", used, look, took)
	if took > time.Second {
		t.Errorf("served %v after descriptors came back", took)
	}
}

// descriptors sets the soft limit of the running proxy (prlimit(2)).
func (p *process) descriptors(t *testing.T, n uint64) {
	t.Helper()
	limit := unix.Rlimit{Cur: n, Max: fewDescriptors}
	if err := unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		t.Fatal(err)
	}
}

// TestSoftLimitIsRaised: a low soft limit, as shells have it, is none.
func TestSoftLimitIsRaised(t *testing.T) {
	keys := map[string]any{"proxyMode": "local", "grpcServerPort": 0, "localServeAddr": "127.0.0.1", "connectionsMax": 10}
	proxy := launch(t, exec.Command("/bin/sh", "-c", `ulimit -Sn 64; exec "$0" "$@"`, proxyBinary,
		"-pc", writeConfig(t, keys), "-store", filepath.Join(t.TempDir(), "store")))
	limits, err := os.ReadFile(proxy.proc("limits"))
	if err != nil {
		t.Fatal(err)
	}
	var soft, hard int
	_, rest, _ := strings.Cut(string(limits), "Max open files")
	if _, err := fmt.Sscan(rest, &soft, &hard); err != nil || soft < hard-1 { // Go leaves one out
		t.Errorf("%d of %d, %v", soft, hard, err)
	}
}
