package main_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/protobuf/types/known/durationpb"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/remoting/fakebroker"
)

const (
	smallMemory = 96 << 20 // GOMEMLIMIT
	bigBody     = 1 << 20
)

// bigSend is a send of a MiB.
func bigSend() []byte {
	m := floodMessage()
	m.Messages[0].Body = make([]byte, bigBody)
	return grpcMessage(m)
}

// unrepeatable is a request that a client cannot send twice, so that it hears of a refusal.
type unrepeatable struct{ io.Reader }

// startSmallMemory starts a proxy for which no limit but GOMEMLIMIT is in the way.
func startSmallMemory(t *testing.T, keys map[string]any, args ...string) *process {
	t.Helper()
	maps.Copy(keys, map[string]any{
		"grpcServerPort": 0, "localServeAddr": "127.0.0.1", "adminListenAddr": "127.0.0.1:0",
		"inflightBytesMax": 1 << 30, "requestBytesMax": 1 << 30,
	})
	cmd := exec.Command(proxyBinary, append([]string{"-pc", writeConfig(t, keys)}, args...)...)
	cmd.Env = []string{fmt.Sprint("GOMEMLIMIT=", smallMemory)}
	return launch(t, cmd)
}

// senders are sends of one client that go on at once.
type senders struct {
	*honestClient
	calls             sync.WaitGroup
	answered, refused atomic.Int32
}

func (s *senders) send(t *testing.T, request io.Reader) {
	s.calls.Go(func() {
		var answer apiv2.SendMessageResponse
		switch err := s.try("SendMessage", request, &answer); {
		case err != nil && strings.Contains(err.Error(), "REFUSED_STREAM"):
			s.refused.Add(1)
		case err != nil || answer.GetStatus().GetCode() != apiv2.Code_OK:
			t.Errorf("a send: %v %v", answer.GetStatus(), err)
		default:
			s.answered.Add(1)
		}
	})
}

// begin begins n sends, and returns where the rest of each goes.
func (s *senders) begin(t *testing.T, proxy *process, n int64) (rests []*io.PipeWriter) {
	t.Helper()
	const opened = "rmqproxy_h2_streams_opened_total"
	before := proxy.metric(t, opened)
	for range n {
		request, rest := io.Pipe()
		s.send(t, request)
		rests = append(rests, rest)
	}
	proxy.awaits(t, opened, func(now int64) bool { return now == before+n })
	return rests
}

// refusesConnections tries one.
func (p *process) refusesConnections(t *testing.T) {
	t.Helper()
	if conn := callOnce(t, p.addr, false); conn != nil {
		_ = conn.Close()
		t.Error("a connection is taken without memory")
	}
	if n := p.metric(t, `rmqproxy_connections_refused_total{reason="no_memory"}`); n != 1 {
		t.Errorf("%d connections were refused", n)
	}
}

// TestMemoryRunsShort: sends that a broker does not answer fill the memory that GOMEMLIMIT allows. First no more
// long polls are taken, then no calls, then no connections. What had been taken is served to its end, all that the
// broker took is answered, and when it has gone everything is taken again.
func TestMemoryRunsShort(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("RSS is read from /proc")
	}
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: crowdTopic})
	hold := holdSends(fake.Brokers[0])
	keys := map[string]any{
		"namesrvAddr": fake.NameServer.Addr, "brokerCallTimeoutMillis": patience.Milliseconds(),
	}
	proxy := startSmallMemory(t, keys)
	client := dialHonest(proxy.addr, false)
	defer client.close()
	client.queryRoute(t)

	s := senders{honestClient: client}
	later := s.begin(t, proxy, 12)

	body := bigSend()
	fill := func(level int64) {
		t.Helper()
		for n := int32(0); proxy.metric(t, "rmqproxy_memory_level") < level; n++ {
			if n > 2*smallMemory/bigBody {
				t.Fatalf("level %d is not reached:\n%s", level, proxy.page("/metrics"))
			}
			sent, no := hold.sends.Load(), s.refused.Load()
			s.send(t, unrepeatable{bytes.NewReader(body)})
			if !within(patience, func() bool { return hold.sends.Load() > sent || s.refused.Load() > no || t.Failed() }) {
				t.Fatal("a send is neither with the broker nor refused")
			}
			const used = "rmqproxy_memory_used_bytes"
			if seen := proxy.metric(t, used); seen > smallMemory*7/10 { // not faster than it is looked at
				proxy.awaits(t, used, func(now int64) bool { return now != seen })
			}
		}
	}
	fill(1)
	if code := client.pull(t, true); code != apiv2.Code_TOO_MANY_REQUESTS {
		t.Errorf("a long poll is answered %v", code)
	}
	fill(2)
	var route apiv2.QueryRouteResponse
	request := unrepeatable{bytes.NewReader(grpcMessage(&apiv2.QueryRouteRequest{Topic: &apiv2.Resource{Name: crowdTopic}}))}
	if err := client.try("QueryRoute", request, &route); err == nil || !strings.Contains(err.Error(), "REFUSED_STREAM") {
		t.Errorf("a call without memory: %v %v", route.GetStatus(), err)
	}
	for _, rest := range later {
		if _, err := rest.Write(body); err != nil {
			t.Fatal(err)
		}
		_ = rest.Close()
	}
	proxy.awaits(t, "rmqproxy_memory_level", func(n int64) bool { return n == 3 })
	proxy.refusesConnections(t)
	held := proxy.memory("RssAnon") // without the program itself, which is on disk

	close(hold.release)
	s.calls.Wait()
	proxy.awaits(t, "rmqproxy_memory_level", func(n int64) bool { return n == 0 })
	t.Logf("%d sends of a MiB were with the broker, %d answered, %d refused; %.1f MB of anonymous RSS, with GOMEMLIMIT=%.1f MB",
		hold.sends.Load(), s.answered.Load(), s.refused.Load(), mb(held), mb(smallMemory))
	if s.answered.Load() != hold.sends.Load() {
		t.Errorf("%d of the %d sends that the broker took were answered", s.answered.Load(), hold.sends.Load())
	}
	if most := int64(smallMemory + smallMemory/4); held > most {
		t.Errorf("RSS was %.1f MB, more than %.1f MB", mb(held), mb(most))
	}
	client.sendMessage(t)
	if code := client.pull(t, false); code == apiv2.Code_TOO_MANY_REQUESTS {
		t.Error("no pull is taken though there is memory")
	}
	if conn := callOnce(t, proxy.addr, false); conn == nil {
		t.Error("no connection is taken though there is memory")
	} else {
		_ = conn.Close()
	}
	// A level may be skipped, and a falling one be seen on its way.
	if n := strings.Count(proxy.output(), `"usedBytes"`); n < 2 || n > 6 {
		t.Errorf("%d changes were logged:\n%s", n, proxy.output())
	}
	if code := proxy.stop(); code != 0 {
		t.Errorf("exit code %d:\n%s", code, proxy.output())
	}
}

// TestMemoryRunsShortInLocalMode: requests that do not end fill the memory. When they end all of them are on the disk, as is
// what was there before: the process is killed then, and the store is looked into.
func TestMemoryRunsShortInLocalMode(t *testing.T) {
	store := filepath.Join(t.TempDir(), "store")
	proxy := startSmallMemory(t, map[string]any{"proxyMode": "local"}, "-store", store)
	client := dialHonest(proxy.addr, false)
	defer client.close()
	const before, uploads = 10, 110
	for range before {
		client.sendMessage(t)
	}
	s := senders{honestClient: client}
	rests := s.begin(t, proxy, uploads)
	body := bigSend()
	const last = 1 // byte, of each
	filled := 0
	for ; filled < uploads && proxy.metric(t, "rmqproxy_memory_level") < 3; filled++ {
		if _, err := rests[filled].Write(body[:len(body)-last]); err != nil {
			t.Fatal(err)
		}
	}
	proxy.awaits(t, "rmqproxy_memory_level", func(n int64) bool { return n == 3 })
	proxy.refusesConnections(t)
	for i, rest := range rests {
		left := body
		if i < filled {
			left = body[len(body)-last:]
		}
		if _, err := rest.Write(left); err != nil {
			t.Fatal(err)
		}
		_ = rest.Close()
		// One by one, so that not too much waits to be written to disk.
		if !within(patience, func() bool { return s.answered.Load() == int32(i+1) || t.Failed() }) || t.Failed() {
			t.Fatalf("%d of %d sends were answered, one more had ended", s.answered.Load(), uploads)
		}
	}
	s.calls.Wait()
	proxy.awaits(t, "rmqproxy_memory_level", func(n int64) bool { return n == 0 })
	client.sendMessage(t)
	proxy.kill()
	want := fmt.Sprintf("messages   %d\n", before+uploads+1)
	if code, stdout, stderr := runProxy(t, "topic", "describe", "-store", store, "flood"); code != 0 || !strings.Contains(stdout, want) {
		t.Errorf("exit code %d, %q, want %q, %s", code, stdout, want, stderr)
	}
	t.Logf("%d uploads of a MiB were held", filled)
}

// pull pulls from the end of a queue, and returns the code that it is answered. It may wait there.
func (c *honestClient) pull(t *testing.T, wait bool) apiv2.Code {
	t.Helper()
	request := &apiv2.PullMessageRequest{
		Group:        &apiv2.Resource{Name: "pullers"},
		MessageQueue: &apiv2.MessageQueue{Topic: &apiv2.Resource{Name: crowdTopic}, Broker: &apiv2.Broker{Name: "fake-0"}},
		BatchSize:    1, FilterExpression: &apiv2.FilterExpression{Expression: "*"},
	}
	if wait {
		request.LongPollingTimeout = durationpb.New(patience)
	}
	var answer apiv2.PullMessageResponse
	c.call(t, "PullMessage", request, &answer)
	return answer.GetStatus().GetCode()
}

// metric reads a sample of /metrics.
func (p *process) metric(t *testing.T, name string) (n int64) {
	t.Helper()
	_, rest, there := strings.Cut(p.page("/metrics"), "\n"+name+" ")
	if _, err := fmt.Sscan(rest, &n); !there || err != nil {
		t.Fatalf("%s is not on the page: %v", name, err)
	}
	return n
}

// awaits waits until a sample is as it should be.
func (p *process) awaits(t *testing.T, name string, good func(n int64) bool) {
	t.Helper()
	if !within(patience, func() bool { return good(p.metric(t, name)) }) {
		t.Fatalf("%s is %d:\n%s", name, p.metric(t, name), p.output())
	}
}
