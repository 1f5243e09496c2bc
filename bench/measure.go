package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"rocketmq-proxy/bench/load"
	"rocketmq-proxy/bench/peer"
	"rocketmq-proxy/bench/report"
	"rocketmq-proxy/bench/scenario"
)

// instant is everything that is read at one end of a window.
type instant struct {
	at       time.Time
	cpu      time.Duration
	messages uint64

	// read together, a little outside of the above
	mallocs         uint64
	mallocsMessages uint64
}

// measure drives the peer of that name for one window, and holds what it answered against what the stub
// was asked for.
func (s *Suite) measure(ctx context.Context, w Workload, name string, p, stub *peer.Process) (report.Round, error) {
	var none report.Round
	backendBefore, err := backend(stub)
	if err != nil {
		return none, err
	}
	loaded, ended, err := s.arrivals(ctx, w, stub)
	if err != nil {
		return none, err
	}
	length := s.Options.window(&w)
	profiled := s.profile(ctx, w, p, s.Options.warmUp()+length)
	round, total, err := drive(ctx, loadConfig(loaded, name, p, s.Options.Fixed), p, s.Options.warmUp(), length, !s.Options.Uncounted)
	if err = errors.Join(err, ended(), profiled()); err != nil {
		return none, err
	}
	backendAfter, err := backend(stub)
	if err != nil {
		return none, err
	}
	if asked := backendAfter.of(w.Scenario) - backendBefore.of(w.Scenario); w.Scenario != "route" && asked < total.Messages {
		return none, fmt.Errorf("%d messages answered OK, but the stub was asked for %d only", total.Messages, asked)
	}
	return round, nil
}

// drive loads one peer, measures it for one window after a warm-up, counts its system calls in
// another when counted, and tells what was answered altogether.
func drive(ctx context.Context, config load.Config, p *peer.Process, warmUp, length time.Duration, counted bool) (report.Round, load.Totals, error) {
	run, err := load.Start(ctx, config)
	if err != nil {
		return report.Round{}, load.Totals{}, fmt.Errorf("%w\n%s", err, p.Tail())
	}
	time.Sleep(warmUp)
	round, err := window(run, p, length)
	if err == nil && counted {
		round.Syscalls, err = syscalls(run, p)
	}
	if stopErr := run.Stop(); err == nil {
		err = stopErr
	}
	if alive := p.Alive(); alive != nil {
		err = alive
	}
	return round, run.Totals(), err
}

func loadConfig(w Workload, name string, p *peer.Process, fixed bool) load.Config {
	params, addr := w.Params, p.Addrs["grpc"]
	params.Verify = name != peer.Relay && name != peer.Direct // the stub's gRPC server answers always the same
	if params.Remoting = name == peer.Remoting; params.Remoting {
		addr, _, _ = strings.Cut(p.Addrs["brokers"], ",")
	}
	host, port, _ := net.SplitHostPort(addr)
	params.Host = host
	params.Port, _ = strconv.Atoi(port)
	return load.Config{Addr: addr, Remoting: params.Remoting, TLS: w.TLS, Conns: w.Conns, Streams: w.Streams, Rate: w.Rate, Fixed: fixed,
		New: func(conn int) load.Scenario { return scenario.Named(w.Scenario, params, conn, w.Streams) }}
}

// window measures between two instants.
func window(run *load.Run, p *peer.Process, length time.Duration) (report.Round, error) {
	before, err := begin(run, p)
	if err != nil {
		return report.Round{}, err
	}
	time.Sleep(length)
	after, err := end(run, p)
	if err != nil {
		return report.Round{}, err
	}
	rss, err := p.RSS()
	if err != nil {
		return report.Round{}, err
	}
	messages := after.messages - before.messages
	if messages == 0 {
		return report.Round{}, fmt.Errorf("no message was answered in %v", length)
	}
	round := report.Round{
		PerSecond: float64(messages) / after.at.Sub(before.at).Seconds(),
		CPUMicros: float64((after.cpu - before.cpu).Nanoseconds()) / 1e3 / float64(messages),
		RSSBytes:  rss,
		Messages:  messages,
		Latency:   latencies(run),
		LateP99:   float64(run.Lateness().ValueAtQuantile(99)) / 1e3,
	}
	if p.CountsMallocs() {
		mallocs := int64(after.mallocs-before.mallocs) - int64(p.MallocsPerRead())
		allocs := float64(max(mallocs, 0)) / float64(after.mallocsMessages-before.mallocsMessages)
		round.Allocs = &allocs
	}
	return round, nil
}

// syscallsWindow is how long system calls are counted: outside of what is measured, because it costs
// something.
const syscallsWindow = 250 * time.Millisecond

var sayUncounted sync.Once

// syscalls is how many a message takes; nil where nobody may count them.
func syscalls(run *load.Run, p *peer.Process) (perMessage *float64, err error) {
	counter, err := p.CountSyscalls()
	if err != nil {
		sayUncounted.Do(func() { fmt.Println("bench: system calls are not counted:", err) })
		return nil, nil
	}
	defer func() { err = errors.Join(err, counter.Close()) }()
	count := func() (calls, messages uint64) {
		if err == nil {
			calls, err = counter.Count()
		}
		return calls, run.Totals().Messages
	}
	calls, messages := count()
	time.Sleep(syscallsWindow)
	callsAfter, messagesAfter := count()
	if err != nil || messagesAfter == messages {
		return nil, err
	}
	n := float64(callsAfter-calls) / float64(messagesAfter-messages)
	return &n, nil
}

// begin reads the costly counter first, end reads it last.
func begin(run *load.Run, p *peer.Process) (i instant, err error) {
	i.mallocsMessages = run.Totals().Messages
	if i.mallocs, err = mallocs(p); err != nil {
		return i, err
	}
	run.Record(true)
	i.messages = run.Totals().Messages
	i.at = time.Now()
	i.cpu, err = p.CPU()
	return i, err
}

func end(run *load.Run, p *peer.Process) (i instant, err error) {
	i.messages = run.Totals().Messages
	i.at = time.Now()
	if i.cpu, err = p.CPU(); err != nil {
		return i, err
	}
	run.Record(false)
	i.mallocsMessages = run.Totals().Messages
	i.mallocs, err = mallocs(p)
	return i, err
}

// mallocs is 0 of a peer that does not count them.
func mallocs(p *peer.Process) (uint64, error) {
	if !p.CountsMallocs() {
		return 0, nil
	}
	return p.Mallocs()
}

func latencies(run *load.Run) map[string]report.Latency {
	all := map[string]report.Latency{}
	for kind, h := range run.Latencies() {
		all[kind] = latency(h)
	}
	return all
}

func latency(h *hdrhistogram.Histogram) report.Latency {
	at := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1e3 }
	return report.Latency{Count: uint64(h.TotalCount()), P50: at(50), P90: at(90), P99: at(99), P999: at(99.9),
		P9999: at(99.99), Max: float64(h.Max()) / 1e3}
}

// asked is what the stub has been asked for.
type asked struct {
	Sent, Popped, Acked, Other uint64
}

func (a asked) of(name string) uint64 {
	switch name {
	case "receive_ack":
		return a.Acked
	case scenario.LongPoll:
		return a.Popped
	case "mixed":
		return a.Sent + a.Acked
	}
	return a.Sent
}

func backend(stub *peer.Process) (asked, error) {
	var vars struct {
		Stub asked `json:"stub"`
	}
	err := stub.Vars(&vars)
	return vars.Stub, err
}
