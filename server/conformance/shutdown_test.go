package conformance

import (
	"encoding/binary"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"

	"rocketmq-proxy/server/conformance/client"
)

// What an official client has under way when its proxy leaves.
const (
	leavingSends = 100
	leavingPolls = 4
	leavingMost  = 5 * time.Second // for the proxy to be gone
	pollLeaving  = 15 * time.Second
)

// TestSendsOnTheirWayAtShutdown: 100 sends of the official Go client have left it and have not reached
// the proxy when that is told to end, and receivers poll. The client hears GOAWAY first; its sends
// reach the proxy after that, and are served.
func TestSendsOnTheirWayAtShutdown(t *testing.T) {
	const feature = "Local: 100 sends on their way at SIGTERM"
	the.table.enter(t, feature, localTarget, "go-cleartext")
	g := ownLocal(t, nil)
	r := newRelay(t, g)
	c := startClient(t, r.target(g), kind{language: "go"})
	topic, empty, group, series := c.topic("NORMAL"), c.topic("NORMAL"), freshName(t), small()
	c.must("producer", "topic", topic)
	c.must("send-series", "topic", topic, "seed", series.Seed, "most", series.BytesMost, "count", 1, "inflight", 1)
	c.must("simple", "group", group, "topic", empty, "filter", "*", "await", pollLeaving)

	type polled struct {
		messages []received
		err      error
		took     time.Duration
	}
	polls := make(chan polled, leavingPolls)
	seen := r.heads()
	for range leavingPolls {
		go func() {
			begin := time.Now()
			answer, err := c.ask("receive", "group", group, "max", 1, "invisible", time.Minute)
			if client.Code(err) == messageNotFound {
				err = nil
			}
			polls <- polled{c.messages(answer), err, time.Since(begin)}
		}()
	}
	r.await(t, "the polls are with the proxy", func() bool { return r.heads() >= seen+leavingPolls })
	r.hold()
	seen = r.heads()
	sent := make(chan client.Answer, 1)
	go func() {
		answer, err := c.ask("send-series", "topic", topic, "seed", series.Seed, "most", series.BytesMost, "count", leavingSends, "inflight", leavingSends)
		if err != nil {
			t.Error(err)
		}
		sent <- answer
	}()
	r.await(t, "the sends are on their way", func() bool { return r.heads() >= seen+leavingSends })

	told := time.Now()
	g.proxy.Terminate()
	r.await(t, "the clients were told", func() bool { return r.goAways() >= 2 }) // producer and consumer
	r.release()
	answer := <-sent
	if n, failed := answer.Int("sent"), answer.Int("failed"); n != leavingSends || failed != 0 {
		t.Errorf("%d sends were taken and %d failed: %s", n, failed, answer.Text("failure"))
	}
	for range leavingPolls {
		p := <-polls
		if p.err != nil || len(p.messages) > 0 || p.took > pollLeaving-time.Second {
			t.Errorf("a poll ended after %v with %v, %v", p.took, p.messages, p.err)
		}
	}
	select {
	case <-g.proxy.Exited():
	case <-time.After(time.Minute):
		t.Fatal("the proxy does not end")
	}
	took := time.Since(told)
	t.Logf("%d of %d sends were taken, the slowest after %v µs; the proxy was gone after %v with exit code %d",
		answer.Int("sent"), leavingSends, answer.Text("slowest"), took.Round(time.Millisecond), g.proxy.ExitCode())
	if code := g.proxy.ExitCode(); code != 0 || took > leavingMost {
		t.Errorf("exit code %d after %v", code, took)
	}

	// They are all there.
	if err := g.proxy.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := stored(t, g, topic); n != leavingSends+1 {
		t.Errorf("%d of %d messages are in the store", n, leavingSends+1)
	}
}

// TestNoSendFailsWhenAnotherTakesOver: an official client sends and polls without a pause while its
// proxy ends and the next one begins. Connections that come in between wait at the relay, as they
// do at a balancer that has nowhere to send them.
func TestNoSendFailsWhenAnotherTakesOver(t *testing.T) {
	const (
		feature = "Local: restarts under a client's load"
		rounds  = 5
	)
	the.table.enter(t, feature, localTarget, "go-cleartext")
	g := ownLocal(t, nil)
	r := newRelay(t, g)
	c := startClient(t, r.target(g), kind{language: "go"})
	topic, group, series := c.topic("NORMAL"), freshName(t), small()
	c.must("producer", "topic", topic)
	c.must("simple", "group", group, "topic", topic, "filter", "*", "await", 2*time.Second)
	c.must("load-start", "topic", topic, "seed", series.Seed, "most", series.BytesMost, "every", 5*time.Millisecond)
	var polls sync.WaitGroup
	var over atomic.Bool
	defer polls.Wait()
	defer over.Store(true)
	refused := 0
	polls.Go(func() {
		for !over.Load() {
			_, err := c.ask("receive", "group", group, "max", 32, "invisible", time.Minute)
			switch code := client.Code(err); {
			case code == int(v2.Code_UNRECOGNIZED_CLIENT_TYPE):
				// The Go client tells its settings again every 5 minutes only, and not when its telemetry
				// stream has ended; alone, a proxy that has just started does not know them.
				refused++
				time.Sleep(10 * time.Millisecond)
			case err != nil && code != messageNotFound:
				t.Errorf("a poll ended with %v", err)
			}
		}
	})
	slowest := time.Duration(0)
	for range rounds {
		time.Sleep(500 * time.Millisecond) // a load for a while, which has no event
		told := time.Now()
		g.proxy.Terminate()
		<-g.proxy.Exited()
		slowest = max(slowest, time.Since(told))
		if code := g.proxy.ExitCode(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		if err := g.proxy.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(500 * time.Millisecond)
	answer := c.must("load-stop", "topic", topic)
	t.Logf("%d sends were taken, %d failed, the slowest took %s µs; the slowest end took %v",
		answer.Int("sent"), answer.Int("failed"), answer.Text("slowest"), slowest.Round(time.Millisecond))
	if answer.Int("failed") != 0 || answer.Int("sent") == 0 || slowest > leavingMost {
		t.Errorf("%d sends failed: %s", answer.Int("failed"), answer.Text("failure"))
	}
	over.Store(true)
	polls.Wait()
	t.Logf("%d polls were refused by a proxy that did not know the client's settings", refused)
	if n := stored(t, g, topic); n < answer.Int("sent") {
		t.Errorf("of %d messages that were sent %d are in the store", answer.Int("sent"), n)
	}
}

// stored is how many messages a group of its own finds in a topic.
func stored(t *testing.T, g *target, topic string) int {
	t.Helper()
	c, group := startClient(t, g, kind{language: "go"}), freshName(t)
	c.must("simple", "group", group, "topic", topic, "filter", "*", "await", time.Second)
	ids := strings.Split(c.mustFor(time.Minute, "drain-ids", "group", group, "idle", 2*time.Second).Text("ids"), ",")
	slices.Sort(ids)
	return len(slices.Compact(ids))
}

// relay stands between clients and the proxy, as a balancer does. It can hold what clients send, and
// watches the frames of both sides.
type relay struct {
	listener net.Listener
	to       string
	ended    chan struct{}
	pipes    sync.WaitGroup

	mu     sync.Mutex
	over   bool
	held   bool
	opened int                   // HEADERS of clients
	told   int                   // connections that were told GOAWAY
	conns  map[net.Conn]struct{} // of both sides
	kept   map[net.Conn]*[]byte  // by the connection to the proxy: what is held of it
}

func newRelay(t *testing.T, g *target) *relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{
		listener: listener, to: g.endpoint, ended: make(chan struct{}),
		conns: map[net.Conn]struct{}{}, kept: map[net.Conn]*[]byte{},
	}
	r.pipes.Go(r.accept)
	t.Cleanup(r.close)
	return r
}

// target is g for clients that come through the relay.
func (r *relay) target(g *target) *target {
	through := *g
	through.endpoint = r.listener.Addr().String()
	return &through
}

func (r *relay) accept() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.pipes.Go(func() { r.join(conn) })
	}
}

// join waits until there is a proxy, and passes on what both say until one has ended.
func (r *relay) join(near net.Conn) {
	defer r.forget(near)
	if !r.remember(near) {
		return
	}
	far := r.dial()
	if far == nil {
		return
	}
	defer r.forget(far)
	if !r.remember(far) {
		return
	}
	var up sync.WaitGroup
	up.Go(func() {
		r.up(far, near)
		_ = far.(*net.TCPConn).CloseWrite()
	})
	r.down(near, far)
	_ = near.Close()
	up.Wait()
}

func (r *relay) dial() net.Conn {
	for {
		if far, err := net.Dial("tcp", r.to); err == nil {
			return far
		}
		select {
		case <-r.ended:
			return nil
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// up passes on what a client says, unless it is held.
func (r *relay) up(far, near net.Conn) {
	seen := frames{skip: len(http2Preface)}
	buffer := make([]byte, 64<<10)
	for {
		n, err := near.Read(buffer)
		r.mu.Lock()
		r.opened += seen.count(buffer[:n], kindHeaders)
		if r.held {
			if r.kept[far] == nil {
				r.kept[far] = new([]byte)
			}
			*r.kept[far] = append(*r.kept[far], buffer[:n]...)
		} else {
			_, _ = far.Write(buffer[:n]) // when it has ended, down hears of it
		}
		r.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// down passes on what the proxy says.
func (r *relay) down(near, far net.Conn) {
	var seen frames
	goAways := 0
	buffer := make([]byte, 64<<10)
	for {
		n, err := far.Read(buffer)
		_, failed := near.Write(buffer[:n])
		if more := seen.count(buffer[:n], kindGoAway); more > 0 {
			if goAways == 0 {
				r.mu.Lock()
				r.told++
				r.mu.Unlock()
			}
			goAways += more
		}
		if err != nil || failed != nil {
			return
		}
	}
}

func (r *relay) remember(conn net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns[conn] = struct{}{}
	return !r.over
}

func (r *relay) forget(conn net.Conn) {
	_ = conn.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, conn)
	delete(r.kept, conn)
}

func (r *relay) hold() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = true
}

func (r *relay) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = false
	for far, kept := range r.kept {
		_, _ = far.Write(*kept)
	}
	clear(r.kept)
}

func (r *relay) heads() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.opened
}

func (r *relay) goAways() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told
}

// await waits until something was seen.
func (r *relay) await(t *testing.T, what string, seen func() bool) {
	t.Helper()
	for begin := time.Now(); !seen(); time.Sleep(time.Millisecond) {
		if time.Since(begin) >= callPatience {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func (r *relay) close() {
	_ = r.listener.Close()
	close(r.ended)
	r.mu.Lock()
	r.over = true
	for conn := range r.conns {
		_ = conn.Close()
	}
	r.mu.Unlock()
	r.pipes.Wait()
}

// What is known of HTTP/2 here.
const (
	http2Preface  = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	frameHeadSize = 9
	kindHeaders   = 1
	kindGoAway    = 7
)

// frames looks at the frames in a stream of bytes.
type frames struct {
	skip int // bytes until the next head
	head []byte
}

// count is how many frames of a kind begin in the next bytes.
func (f *frames) count(b []byte, kind byte) (n int) {
	for len(b) > 0 {
		if f.skip > 0 {
			passed := min(f.skip, len(b))
			f.skip -= passed
			b = b[passed:]
			continue
		}
		part := min(frameHeadSize-len(f.head), len(b))
		f.head, b = append(f.head, b[:part]...), b[part:]
		if len(f.head) < frameHeadSize {
			return n
		}
		if f.head[3] == kind {
			n++
		}
		f.skip = int(binary.BigEndian.Uint32(f.head) >> 8)
		f.head = f.head[:0]
	}
	return n
}
