package bench

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"rocketmq-proxy/bench/peer"
	"rocketmq-proxy/bench/report"
	"rocketmq-proxy/bench/scenario"
)

// suite is built by the first benchmark that runs.
var suite = sync.OnceValues(func() (*Suite, error) {
	o, err := OptionsFromEnv()
	if err != nil {
		return nil, err
	}
	return NewSuite(context.Background(), o, ".")
})

var built bool

func TestMain(m *testing.M) {
	code := m.Run()
	if built {
		if err := finish(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// finish prints the table, writes the files and cleans up.
func finish() error {
	s, err := suite()
	if err != nil {
		return nil // the benchmark has said so
	}
	defer s.Close()
	if len(s.Cases) == 0 {
		return nil
	}
	fmt.Println()
	if err := report.Table(os.Stdout, s.Cases, peer.Proxy, peer.Remoting); err != nil {
		return err
	}
	d := report.Describe()
	d.Seconds, d.Cases = s.Options.Window.Seconds(), s.Cases
	d.Command = command(flag.Lookup("test.bench").Value.String(), os.Environ())
	return write(&d, s.Options)
}

// write keeps a document where the options say.
func write(d *report.Document, o Options) error {
	json, page := o.files(d.Date)
	for _, f := range []struct {
		name  string
		write func(string) error
	}{
		{json, d.Write},
		{page, func(name string) error { return d.Page(name, peer.Proxy) }},
	} {
		if f.name == "" {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(f.name), 0o755); err != nil {
			return err
		}
		if err := f.write(f.name); err != nil {
			return err
		}
	}
	return nil
}

func measureCase(b *testing.B, w Workload) *report.Case {
	b.Helper()
	built = true
	s, err := suite()
	if err != nil {
		b.Fatal(err)
	}
	if len(s.Options.peers(false)) == 0 {
		b.Skip("none of BENCH_PEERS is measured on the stub")
	}
	c, err := s.Run(context.Background(), w)
	if err != nil {
		b.Fatal(err)
	}
	if len(c.Peers) == 0 {
		b.Skip("none of BENCH_PEERS has this workload")
	}
	showAll(b, c)
	return c
}

// measureLocal measures on the peers that need no stub.
func measureLocal(b *testing.B, w Workload) {
	b.Helper()
	built = true
	s, err := suite()
	if err != nil {
		b.Fatal(err)
	}
	if len(s.Options.peers(true)) == 0 {
		b.Skip("BENCH_PEERS=local,javalocal measures Local mode")
	}
	cold, warm, err := s.RunLocal(context.Background(), w)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("cold", func(b *testing.B) { showAll(b, cold) })
	b.Run("warm", func(b *testing.B) { showAll(b, warm) })
}

func showAll(b *testing.B, c *report.Case) {
	for _, p := range c.Peers {
		b.Run(p, func(b *testing.B) { show(b, c, p) })
	}
}

func show(b *testing.B, c *report.Case, p string) {
	b.ReportMetric(0, "ns/op") // one operation of a benchmark means nothing here
	b.ReportMetric(c.Spread(p, report.PerSecond).Median, "req/s")
	b.ReportMetric(c.Spread(p, report.CPUMicros).Median, "cpu-us/msg")
	b.ReportMetric(c.Spread(p, report.CorePercent).Median, "core-%")
	for unit, f := range map[string]report.Figure{"allocs/msg": report.Allocs, "syscalls/msg": report.Syscalls} {
		if n := c.Spread(p, f).Median; !math.IsNaN(n) {
			b.ReportMetric(n, unit)
		}
	}
	b.ReportMetric(c.Spread(p, report.P50).Median, "p50-us")
	b.ReportMetric(c.Spread(p, report.P99).Median, "p99-us")
	b.ReportMetric(c.Spread(p, report.P999).Median, "p99.9-us")
	b.ReportMetric(c.Spread(p, report.RSSMB).Median, "rss-MB")
}

// BenchmarkSend is SendMessage, as fast as it goes.
func BenchmarkSend(b *testing.B) {
	for _, axis := range [][2]int{{1, 1}, {4, 16}, {16, 32}} {
		measureSend(b, axis[0], axis[1], Workload{})
	}
}

// measureSend is SendMessage on so many connections, with so many in flight on each.
func measureSend(b *testing.B, conns, streams int, w Workload) {
	w.Scenario, w.Conns, w.Streams = "send", conns, streams
	if w.Params.Topic == "" {
		w.Params = scenario.Default()
	}
	b.Run(strings.TrimPrefix(w.Name(), "send/"), func(b *testing.B) { measureCase(b, w) })
}

// BenchmarkInFlight is SendMessage with more and more at once on four connections.
func BenchmarkInFlight(b *testing.B) {
	for _, streams := range []int{1, 4, 16, 64, 256} {
		measureSend(b, 4, streams, Workload{})
	}
}

// BenchmarkConnections is the same number of requests in flight, and then one rate, over more and more connections.
func BenchmarkConnections(b *testing.B) {
	for _, conns := range []int{1, 4, 16, 64} {
		measureSend(b, conns, 64/conns, Workload{})
	}
	for _, conns := range []int{1, 4, 64, 1000, 10_000} {
		measureSend(b, conns, max(1, 64/conns), Workload{Rate: 5000})
	}
}

// BenchmarkBodies is SendMessage of larger and larger bodies.
func BenchmarkBodies(b *testing.B) {
	for _, size := range []int{64, 256, 1 << 10, 16 << 10, 128 << 10, 1 << 20} {
		p := scenario.Default()
		p.BodyBytes = size
		measureSend(b, 4, 16, Workload{Params: p})
	}
}

// BenchmarkTopics is SendMessage to many topics in turn.
func BenchmarkTopics(b *testing.B) {
	for _, topics := range []int{1, 100, 1000} {
		p := scenario.Default()
		p.Topics = topics
		measureSend(b, 4, 16, Workload{Params: p})
	}
}

// BenchmarkBrokers is SendMessage to a topic on many brokers.
func BenchmarkBrokers(b *testing.B) {
	for _, brokers := range []int{1, 8, 64} {
		measureSend(b, 4, 16, Workload{Brokers: brokers})
	}
}

// BenchmarkTLS is what the official clients do when nobody tells them otherwise.
func BenchmarkTLS(b *testing.B) {
	for _, secure := range []bool{false, true} { // one beside the other, for the ratio
		for _, name := range []string{"send", "receive_ack"} {
			w := Workload{Scenario: name, Conns: 4, Streams: 16, TLS: secure, Params: scenario.Default()}
			b.Run(w.Name(), func(b *testing.B) { measureCase(b, w) })
		}
	}
}

// idleWindow has two rounds of keepalives in it: a connection is asked for a sign of life after 12 s of silence.
const idleWindow = 24 * time.Second

// BenchmarkIdle is connections with a telemetry stream each, on which one message a second comes in all: what is to
// be looked at is memory, and how busy the processor is.
func BenchmarkIdle(b *testing.B) {
	for _, conns := range []int{1000, 10_000} {
		w := Workload{Scenario: "receive_ack", Conns: conns, Streams: 1, Rate: 1, Params: scenario.Default(), WindowMin: idleWindow}
		w.Params.Batch = 1
		b.Run(w.Name(), func(b *testing.B) { measureCase(b, w) })
	}
}

// BenchmarkFixedRate is SendMessage at fixed rates, for its latencies. The first is what every peer can do
// on two busy cores.
func BenchmarkFixedRate(b *testing.B) {
	for _, rate := range []float64{2000, 4000, 16_000, 50_000, 100_000} {
		measureSend(b, 4, 64, Workload{Rate: rate})
	}
}

// BenchmarkAtPeaks finds how much this proxy, and the Java proxy where it is measured, send at most, and then sends at
// half the rate of the one and at all of the other, for the latencies there.
func BenchmarkAtPeaks(b *testing.B) {
	const conns, streams = 4, 64
	w := Workload{Scenario: "send", Conns: conns, Streams: streams, Params: scenario.Default()}
	var most *report.Case
	if !b.Run("most", func(b *testing.B) { most = measureCase(b, w) }) || most == nil {
		return
	}
	for _, at := range []struct {
		peer, name string
		share      float64
	}{{peer.Proxy, "half", 0.5}, {peer.Java, "java", 1}} {
		peak := most.Spread(at.peer, report.PerSecond).Median
		if math.IsNaN(peak) {
			continue
		}
		b.Run(at.name, func(b *testing.B) {
			measureSend(b, conns, streams, Workload{Rate: math.Floor(at.share*peak/1000) * 1000})
		})
	}
}

// BenchmarkReceiveAck receives in batches and acknowledges one by one.
func BenchmarkReceiveAck(b *testing.B) {
	for _, batch := range []int{32, 1} {
		b.Run(fmt.Sprintf("4x16/batch%d", batch), func(b *testing.B) {
			p := scenario.Default()
			p.Batch = batch
			measureCase(b, Workload{Scenario: "receive_ack", Conns: 4, Streams: 16, Params: p})
		})
	}
}

// BenchmarkMixed is senders and receivers side by side.
func BenchmarkMixed(b *testing.B) {
	w := Workload{Scenario: "mixed", Conns: 4, Streams: 16, Params: scenario.Default()}
	b.Run("4x16", func(b *testing.B) { measureCase(b, w) })
}

// BenchmarkLongPoll is how long it takes from a message's arrival at the broker until one of the receives that wait
// for it is answered.
func BenchmarkLongPoll(b *testing.B) {
	for _, rate := range []float64{500, 5000} {
		w := Workload{Scenario: scenario.LongPoll, Conns: 64, Streams: 1, Rate: rate, Params: scenario.Default()}
		b.Run(strings.TrimPrefix(w.Name(), scenario.LongPoll+"/"), func(b *testing.B) { measureCase(b, w) })
	}
}

// BenchmarkRoute is QueryRoute of one topic.
func BenchmarkRoute(b *testing.B) {
	b.Run("4x16", func(b *testing.B) {
		measureCase(b, Workload{Scenario: "route", Conns: 4, Streams: 16, Params: scenario.Default()})
	})
}

// BenchmarkLocalSend is SendMessage to Local mode: a message counts when it is on the disk.
func BenchmarkLocalSend(b *testing.B) {
	b.Run("4x16", func(b *testing.B) {
		measureLocal(b, Workload{Scenario: "send", Conns: 4, Streams: 16, Params: scenario.Default()})
	})
}

// BenchmarkLocalReceiveAck receives from Local mode in batches and acknowledges one by one.
func BenchmarkLocalReceiveAck(b *testing.B) {
	b.Run("4x16/batch32", func(b *testing.B) {
		measureLocal(b, Workload{Scenario: "receive_ack", Conns: 4, Streams: 16, Params: scenario.Default()})
	})
}
