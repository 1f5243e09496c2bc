package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"rocketmq-proxy/bench/peer"
	"rocketmq-proxy/bench/report"
	"rocketmq-proxy/bench/scenario"
)

// Options are read from the environment, so that one command line serves all
// packages under bench.
type Options struct {
	Peers  []string      // BENCH_PEERS, in the order they take turns
	Rounds int           // BENCH_ROUNDS
	Window time.Duration // BENCH_SECONDS, of each measured window
	WarmUp time.Duration // before each; 0 is a quarter of it, and at least 0.3 s
	Cold   time.Duration // BENCH_COLD_SECONDS, of the window that begins with a peer's first request
	JSON   string        // BENCH_JSON: a file, or 1 for a dated one in bench/results
	Page   string        // BENCH_PAGE: the same for a page of plots, of which the dated one lies beside the JSON
	Fixed  bool          // BENCH_FIXED_HEADERS: same request id in every request

	Uncounted bool // nobody looks at system calls, which take a window of their own
	Brokers   int  // BENCH_BROKERS, of the stub

	Profiles string // BENCH_PROFILES: a folder for CPU profiles of the proxy, which cost some of it
}

// OptionsFromEnv fills in the defaults.
func OptionsFromEnv() (Options, error) {
	o := Options{Peers: []string{peer.Proxy, peer.GRPCGo, peer.Relay}, Rounds: 3, Window: 2 * time.Second,
		Cold: 25 * time.Second, Brokers: 1} // after 25 s a Java process has compiled what it is going to
	var errs []error
	number := func(name string, set func(float64)) {
		if v := os.Getenv(name); v != "" {
			f, err := strconv.ParseFloat(v, 64)
			if err != nil || f <= 0 {
				errs = append(errs, fmt.Errorf("%s=%q is not a positive number", name, v))
				return
			}
			set(f)
		}
	}
	number("BENCH_ROUNDS", func(f float64) { o.Rounds = max(1, int(f)) })
	number("BENCH_SECONDS", func(f float64) { o.Window = time.Duration(f * float64(time.Second)) })
	number("BENCH_COLD_SECONDS", func(f float64) { o.Cold = time.Duration(f * float64(time.Second)) })
	number("BENCH_BROKERS", func(f float64) { o.Brokers = max(1, int(f)) })
	if v := os.Getenv("BENCH_PEERS"); v != "" {
		o.Peers = strings.Split(v, ",")
	}
	o.JSON = os.Getenv("BENCH_JSON")
	o.Page = os.Getenv("BENCH_PAGE")
	o.Profiles = os.Getenv("BENCH_PROFILES")
	o.Fixed = os.Getenv("BENCH_FIXED_HEADERS") != ""
	return o, errors.Join(errs...)
}

// files are where a document of that time is written to; nowhere is "". Dated ones lie in results.
func (o *Options) files(at time.Time) (json, page string) {
	json, page = o.JSON, o.Page
	dated := filepath.Join("results", at.Format("2006-01-02T150405"))
	if json == "1" {
		json = dated + ".json"
	}
	switch {
	case page == "1" && json != "":
		page = strings.TrimSuffix(json, ".json") + ".html"
	case page == "1":
		page = dated + ".html"
	}
	return json, page
}

// command is what makes such a run again: the pattern of the benchmarks, and the settings that are not the
// defaults. Where files are written to is no part of it.
func command(pattern string, environment []string) string {
	var settings []string
	for _, e := range environment {
		name, value, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, "BENCH_") && value != "" && !slices.Contains([]string{"BENCH_JSON", "BENCH_PAGE", "BENCH_PROFILES"}, name) {
			settings = append(settings, name+"="+value)
		}
	}
	slices.Sort(settings)
	if strings.ContainsAny(pattern, "|*$()[]?\\ ^") {
		pattern = "'" + pattern + "'"
	}
	return strings.Join(append(settings, "go test -run - -bench", pattern, "./bench/"), " ")
}

// window is how long w is measured at a time.
func (o *Options) window(w *Workload) time.Duration { return max(o.Window, w.WindowMin) }

// warmUp comes before each measured window.
func (o *Options) warmUp() time.Duration {
	if o.WarmUp > 0 {
		return o.WarmUp
	}
	return max(o.Window/4, 300*time.Millisecond)
}

// peers are those of BENCH_PEERS that keep messages themselves, or those that need the stub.
func (o *Options) peers(local bool) (some []string) {
	for _, name := range o.Peers {
		if (name == peer.Local || name == peer.JavaLocal) == local {
			some = append(some, name)
		}
	}
	return some
}

// Workload is a scenario with its sizes.
type Workload struct {
	Scenario string
	Conns    int
	Streams  int
	Rate     float64 // pieces of work a second; 0 is a closed loop
	TLS      bool
	Brokers  int // of the stub; 0: as Options say
	Params   scenario.Params

	WindowMin time.Duration // what happens seldom needs a longer window than Options say
}

// Name is unique for what can be varied.
func (w *Workload) Name() string {
	name := fmt.Sprintf("%s/%dx%d", w.Scenario, w.Conns, w.Streams)
	if w.Scenario == "receive_ack" {
		name += fmt.Sprintf("/batch%d", w.Params.Batch)
	}
	if w.Params.BodyBytes != scenario.Default().BodyBytes {
		name += fmt.Sprintf("/%dB", w.Params.BodyBytes)
	}
	if w.Params.Topics > 1 {
		name += fmt.Sprintf("/topics%d", w.Params.Topics)
	}
	if w.Brokers > 0 {
		name += fmt.Sprintf("/brokers%d", w.Brokers)
	}
	if w.TLS {
		name += "/tls"
	}
	if w.Rate > 0 {
		name += fmt.Sprintf("/rate%.0f", w.Rate)
	}
	return name
}

// Suite builds the commands once and runs workloads on them.
type Suite struct {
	Options  Options
	Cases    []*report.Case // what has been measured
	binaries peer.Binaries
	dir      string
	polled   int // topics that have been waited on
}

// packages of the commands, by peer: module directory and package, both
// relative to the folder bench.
var packages = map[string][2]string{
	peer.Stub:   {"..", "./bench/stub/cmd/benchstub"},
	peer.Relay:  {"..", "./bench/relay/cmd/benchrelay"},
	peer.GRPCGo: {"baseline", "."},
	peer.Proxy:  {"..", "./server/cmd/rocketmq-proxy"},

	peer.Java: {"../server/conformance", "./cluster/javaproxy"},

	peer.Local:     {"..", "./server/cmd/rocketmq-proxy"},
	peer.JavaLocal: {"../server/conformance", "./cluster/javalocal"},

	peer.Base: {"..", "./server/cmd/rocketmq-proxy"},
	peer.Tree: {"..", "./server/cmd/rocketmq-proxy"},
}

// NewSuite builds what the options ask for. Root is the folder bench.
func NewSuite(ctx context.Context, o Options, root string) (*Suite, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	s := &Suite{Options: o, binaries: peer.Binaries{}, dir: dir}
	for _, name := range append([]string{peer.Stub}, o.Peers...) {
		if slices.Contains(nobody, name) || name == peer.Rust {
			continue // there is nothing of it to be built here
		}
		if err := s.build(ctx, root, name); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// build compiles a peer's command out of the sources around root, a folder bench.
func (s *Suite) build(ctx context.Context, root, name string, flags ...string) error {
	source, known := packages[name]
	if !known {
		return fmt.Errorf("no peer is called %q", name)
	}
	s.binaries[name] = filepath.Join(s.dir, name)
	if err := peer.Build(ctx, filepath.Join(root, source[0]), source[1], s.binaries[name], flags...); err != nil {
		return fmt.Errorf("the peer %q cannot be built (BENCH_PEERS chooses the peers): %w", name, err)
	}
	return nil
}

// Close removes the binaries.
func (s *Suite) Close() error { return os.RemoveAll(s.dir) }

// Run measures one workload on all peers that have it, in alternating rounds. One that this machine
// cannot run is left out, which is said. When nobody has it, there is no case of it.
func (s *Suite) Run(ctx context.Context, w Workload) (*report.Case, error) {
	c := newCase(w, w.Name(), nil)
	stub, err := s.binaries.StartStub(w.Params.BodyBytes, cmp.Or(w.Brokers, s.Options.Brokers))
	if err != nil {
		return nil, err
	}
	defer stub.Stop()
	var running []*peer.Process // in the order of c.Peers
	defer func() {
		for _, p := range running {
			if p != stub {
				p.Stop()
			}
		}
	}()
	for _, name := range s.Options.peers(false) {
		if p, err := s.start(ctx, name, w, stub); err != nil {
			return nil, err
		} else if p != nil {
			running, c.Peers = append(running, p), append(c.Peers, name)
		}
	}
	if len(running) == 0 {
		return c, nil
	}
	for n := range s.Options.Rounds {
		for i, p := range running {
			fmt.Fprintf(os.Stderr, "bench: %s: %s, round %d of %d\n", c.Name, c.Peers[i], n+1, s.Options.Rounds)
			if err := s.round(ctx, c, w, c.Peers[i], p, stub); err != nil {
				return nil, err
			}
		}
	}
	s.Cases = append(s.Cases, c)
	return c, nil
}

// start has a peer ready to be measured: nil when it has nothing to do with the workload, or cannot run
// here.
func (s *Suite) start(ctx context.Context, name string, w Workload, stub *peer.Process) (*peer.Process, error) {
	switch {
	case w.TLS && !slices.Contains(secured, name),
		w.awaits() && slices.Contains(unbrokered, name),
		name == peer.Relay && w.Conns > relayConnsMax,
		name == peer.Remoting && !w.overRemoting(stub):
		return nil, nil
	case slices.Contains(nobody, name):
		return stub, nil
	}
	p, err := s.binaries.Start(name, stub, s.dir)
	if _, unavailable := errors.AsType[*peer.UnavailableError](err); unavailable {
		fmt.Printf("bench: %v: it is left out\n", err)
		return nil, nil
	}
	if err != nil || name != peer.Java || w.idle() {
		return p, err
	}
	err = warmed(name, w.Name(), w.warmingMessages(), func() (report.Round, error) { return s.measure(ctx, w, name, p, stub) })
	if err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

// nobody are the peers that are none: the load is on the stub itself.
var nobody = []string{peer.Direct, peer.Remoting}

// unbrokered are the peers that end at the stub's gRPC server, which answers everything at once.
var unbrokered = []string{peer.Relay, peer.Direct}

// relayConnsMax is how many connections the relay is asked to carry: it takes two descriptors for each, and a process
// has often no more than 20,000.
const relayConnsMax = 4096

// overRemoting tells whether the load can say it in Remoting, which is to one broker.
func (w *Workload) overRemoting(stub *peer.Process) bool {
	params := w.Params
	params.Remoting = true
	return !strings.Contains(stub.Addrs["brokers"], ",") && scenario.Named(w.Scenario, params, 0, 1) != nil
}

// secured are the peers that speak TLS.
var secured = []string{peer.Proxy, peer.Base, peer.Tree, peer.Java}

// idle tells whether so little happens that it is not time that is measured.
func (w *Workload) idle() bool { return w.Rate > 0 && w.Rate < 1000 && !w.awaits() }

// javaWarmMessages is how many the Java proxy answers at least before it is measured in front of the stub.
// That none of them is stored makes a workload fewer code paths than Local mode has.
const javaWarmMessages = 100_000

// warmingMessages is how many a virtual machine needs of this workload; one of a fixed rate takes as long as
// it takes.
func (w *Workload) warmingMessages() uint64 {
	if w.Rate > 0 {
		return 0
	}
	return javaWarmMessages
}

// round measures one peer once, for a case.
func (s *Suite) round(ctx context.Context, c *report.Case, w Workload, name string, p, stub *peer.Process) error {
	r, err := s.measure(ctx, w, name, p, stub)
	if err != nil {
		return fmt.Errorf("%s on %s: %w", c.Name, name, err)
	}
	c.Rounds[name] = append(c.Rounds[name], r)
	return nil
}

func newCase(w Workload, name string, peers []string) *report.Case {
	kinds := scenario.Named(w.Scenario, w.Params, 0, 1).Kinds()
	return &report.Case{Name: name, Conns: w.Conns, Streams: w.Streams, Rate: w.Rate, BodyBytes: w.Params.BodyBytes, Kind: kinds[len(kinds)-1],
		Peers: peers, Rounds: map[string][]report.Round{}}
}
