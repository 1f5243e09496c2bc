package main_test

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
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
		"namesrvAddr": fake.NameServer.Addr, "grpcServerPort": 0, "localServeAddr": "127.0.0.1", "adminListenAddr": "127.0.0.1:0",
		"inflightBytesMax": 1 << 30, "requestBytesMax": 1 << 30, "brokerCallTimeoutMillis": patience.Milliseconds(),
	}
	cmd := exec.Command(proxyBinary, "-pc", writeConfig(t, keys))
	cmd.Env = []string{fmt.Sprint("GOMEMLIMIT=", smallMemory)}
	proxy := launch(t, cmd)
	client := dialHonest(proxy.addr, false)
	defer client.close()
	client.queryRoute(t)

	var calls sync.WaitGroup
	var answered, refused, failed atomic.Int32
	send := func(request io.Reader) {
		calls.Go(func() {
			var answer apiv2.SendMessageResponse
			switch err := client.try("SendMessage", request, &answer); {
			case err != nil && strings.Contains(err.Error(), "REFUSED_STREAM"):
				refused.Add(1)
			case err != nil || answer.GetStatus().GetCode() != apiv2.Code_OK:
				failed.Add(1)
				t.Errorf("a send: %v %v", answer.GetStatus(), err)
			default:
				answered.Add(1)
			}
		})
	}
	// These are begun while there is memory, and go on when there is none.
	const begun = 16
	var later []*io.PipeWriter
	for range begun {
		request, rest := io.Pipe()
		send(request)
		later = append(later, rest)
	}
	proxy.awaits(t, "rmqproxy_h2_streams_opened_total", func(n int64) bool { return n == 1+begun })

	body := bigSend()
	fill := func(level int64) {
		t.Helper()
		for n := int32(0); proxy.metric(t, "rmqproxy_memory_level") < level; n++ {
			if n > 2*smallMemory/bigBody {
				t.Fatalf("level %d is not reached:\n%s", level, proxy.page("/metrics"))
			}
			sent, no := hold.sends.Load(), refused.Load()
			send(unrepeatable{bytes.NewReader(body)})
			if !within(patience, func() bool { return hold.sends.Load() > sent || refused.Load() > no || failed.Load() > 0 }) {
				t.Fatal("a send is neither with the broker nor refused")
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
	if conn := callOnce(t, proxy.addr, false); conn != nil {
		_ = conn.Close()
		t.Error("a connection is taken without memory")
	}
	if n := proxy.metric(t, `rmqproxy_connections_refused_total{reason="no_memory"}`); n != 1 {
		t.Errorf("%d connections were refused", n)
	}
	peak := proxy.memory("VmHWM")

	close(hold.release)
	calls.Wait()
	proxy.awaits(t, "rmqproxy_memory_level", func(n int64) bool { return n == 0 })
	t.Logf("%d sends of a MiB were with the broker, %d answered, %d refused; %.1f MB of RSS at the peak, with GOMEMLIMIT=%.1f MB",
		hold.sends.Load(), answered.Load(), refused.Load(), mb(peak), mb(smallMemory))
	if answered.Load() != hold.sends.Load() {
		t.Errorf("%d of the %d sends that the broker took were answered", answered.Load(), hold.sends.Load())
	}
	if most := int64(smallMemory + smallMemory/4); peak > most {
		t.Errorf("RSS was %.1f MB, more than %.1f MB", mb(peak), mb(most))
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
