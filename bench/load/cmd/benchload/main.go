// Command benchload drives a running server with one workload and prints what
// it saw.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"
	"time"

	"rocketmq-proxy/bench/load"
	"rocketmq-proxy/bench/scenario"
)

func main() {
	p := scenario.Default()
	addr := flag.String("addr", "127.0.0.1:8081", "address of the server")
	name := flag.String("scenario", "send", fmt.Sprint("one of ", scenario.Names()))
	conns := flag.Int("conns", 4, "connections")
	streams := flag.Int("streams", 16, "requests in flight on each connection")
	rate := flag.Float64("rate", 0, "requests a second; 0 is a closed loop")
	seconds := flag.Float64("seconds", 3, "how long to measure")
	warm := flag.Float64("warm", 1, "how long to warm up, in seconds")
	secure := flag.Bool("tls", false, "TLS, any certificate")
	fixed := flag.Bool("fixed", false, "the same request id and timeout in every request")
	flag.StringVar(&p.Topic, "topic", p.Topic, "topic")
	flag.StringVar(&p.Group, "group", p.Group, "consumer group")
	flag.StringVar(&p.Broker, "broker", p.Broker, "broker to receive from")
	flag.IntVar(&p.BodyBytes, "body", p.BodyBytes, "bytes of a sent body")
	flag.IntVar(&p.Batch, "batch", p.Batch, "messages of one receive")
	flag.BoolVar(&p.Verify, "verify", p.Verify, "check that answers name their message")
	flag.BoolVar(&p.AllowEmpty, "empty", p.AllowEmpty, "a receive may find nothing")
	flag.BoolVar(&p.Remoting, "remoting", p.Remoting, "speak Remoting to the broker at -addr; send only")
	flag.Parse()
	host, port, err := net.SplitHostPort(*addr)
	if err != nil {
		log.Fatal(err)
	}
	p.Host = host
	p.Port, _ = strconv.Atoi(port)
	if scenario.Named(*name, p, 0, 1) == nil {
		log.Fatalf("no scenario %q; there are %v, over Remoting send only", *name, scenario.Names())
	}
	cfg := load.Config{Addr: *addr, Remoting: p.Remoting, TLS: *secure, Conns: *conns, Streams: *streams, Rate: *rate, Fixed: *fixed,
		New:    func(conn int) load.Scenario { return scenario.Named(*name, p, conn, *streams) },
		Client: func(conn int) string { return fmt.Sprintf("bench@%d@%d@abc", os.Getpid(), conn) }}
	if err := run(cfg, *warm, *seconds); err != nil {
		log.Fatal(err)
	}
}

func run(cfg load.Config, warm, seconds float64) error {
	r, err := load.Start(context.Background(), cfg)
	if err != nil {
		return err
	}
	time.Sleep(time.Duration(warm * float64(time.Second)))
	before, begun := r.Totals(), time.Now()
	r.Record(true)
	time.Sleep(time.Duration(seconds * float64(time.Second)))
	r.Record(false)
	after, took := r.Totals(), time.Since(begun).Seconds()
	err = r.Stop()
	fmt.Printf("messages/s %.0f, errors %d\n", float64(after.Messages-before.Messages)/took, after.Errors-before.Errors)
	for kind, h := range r.Latencies() {
		if h.TotalCount() == 0 {
			continue
		}
		fmt.Printf("%-8s %8.0f/s  p50 %.1f  p99 %.1f  p99.9 %.1f  max %.1f us\n", kind, float64(h.TotalCount())/took,
			micros(h.ValueAtQuantile(50)), micros(h.ValueAtQuantile(99)), micros(h.ValueAtQuantile(99.9)), micros(h.Max()))
	}
	if cfg.Rate > 0 {
		h := r.Lateness()
		fmt.Printf("pacer late p50 %.1f  p99 %.1f us\n", micros(h.ValueAtQuantile(50)), micros(h.ValueAtQuantile(99)))
	}
	return err
}

func micros(nanos int64) float64 { return float64(nanos) / 1e3 }
