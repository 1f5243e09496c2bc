package conformance

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rocketmq-proxy/server/conformance/client"
	"rocketmq-proxy/server/conformance/cluster"
	"rocketmq-proxy/server/conformance/proxy"
)

// world is what every test talks to. It is made once, because a broker takes
// seconds to start; tests keep apart by topics and groups of their own.
type world struct {
	dir     string
	program string // the proxy of this tree
	targets []*target
	clients map[string]client.Program // by language; the others are left out

	certificate certificate
	table       table
	mu          sync.Mutex
	close       []func()

	latePolls atomic.Int32
}

// the is made before the first test.
var the *world

func TestMain(m *testing.M) { os.Exit(run(m)) }

// parallelTests is more than the cores, because these tests mostly wait.
const parallelTests = "32"

// prepareMost is what fetching and building everything for the first time may take.
const prepareMost = 10 * time.Minute

// The check of undecided transactions, on each target.
const (
	checkInterval = 2 * time.Second
	checkAfter    = time.Second
)

func run(m *testing.M) int {
	flag.Parse()
	if err := flag.Set("test.parallel", parallelTests); err != nil {
		fmt.Println("conformance:", err)
		return 1
	}
	if missing := cluster.Missing(); missing != "" {
		fmt.Printf("conformance: %s is missing: the real cluster and the differential table are left out\n", missing)
	}

	dir, err := os.MkdirTemp("", "conformance-")
	if err != nil {
		fmt.Println("conformance:", err)
		return 1
	}
	w := &world{dir: dir, clients: map[string]client.Program{}}
	defer w.stop()
	ctx, cancel := context.WithTimeout(context.Background(), prepareMost)
	defer cancel()
	for _, prepare := range []func(context.Context) error{
		w.buildPrograms, w.buildProxy, w.makeCertificate, w.startLocal, w.startCluster, w.findGiven,
	} {
		if err := prepare(ctx); err != nil {
			fmt.Println("conformance:", err)
			return 1
		}
	}
	the = w
	code := m.Run()
	if code != 0 {
		w.lastWords()
	}
	w.table.print(os.Stdout)
	return code
}

// add takes a target in.
func (w *world) add(g *target) {
	g.shared = map[kind]func() (*sharedClient, error){}
	for _, k := range kinds {
		g.shared[k] = w.share(g, k)
	}
	w.targets = append(w.targets, g)
}

// wanted tells whether a target is to be tested.
func wanted(name string) bool {
	if os.Getenv("CONFORMANCE_ENDPOINT") != "" {
		return name == "given"
	}
	if os.Getenv("CONFORMANCE_PROXY") == "java" {
		return name == "cluster"
	}
	only := os.Getenv("CONFORMANCE_TARGET")
	return name != "given" && (only == "" || only == name)
}

func (w *world) buildProxy(ctx context.Context) (err error) {
	w.program, err = proxy.Build(ctx, w.dir)
	return err
}

// startLocal starts the proxy in Local mode.
func (w *world) startLocal(ctx context.Context) error {
	if !wanted(localTarget) {
		return nil
	}
	store := filepath.Join(w.dir, "store")
	p, err := proxy.Make(w.program, w.dir, "local", w.certificate.config(localConfig(store)))
	if err != nil {
		return err
	}
	if err := p.Start(ctx); err != nil {
		return err
	}
	w.close = append(w.close, p.Stop)
	w.add(&target{name: localTarget, endpoint: p.Endpoint, brokerName: "local", proxy: p, store: store})
	return nil
}

func localConfig(store string) map[string]any {
	return map[string]any{
		"proxyMode": "LOCAL", "storePathRootDir": store,
		"transactionCheckInterval": checkInterval.Milliseconds(), "transactionTimeOut": checkAfter.Milliseconds(),
	}
}

// startCluster starts a name server, a broker, and the proxy of this tree or the Java proxy.
func (w *world) startCluster(ctx context.Context) (err error) {
	if !wanted("cluster") || cluster.Missing() != "" {
		return nil
	}
	dir := filepath.Join(w.dir, "cluster")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	// Synchronous flushing throughout: the tests that kill the broker hold it to
	// what it acknowledged.
	c, err := cluster.Start(ctx, dir, cluster.Config{FlushDiskType: "SYNC_FLUSH", CheckInterval: checkInterval, CheckAfter: checkAfter})
	w.close = append(w.close, c.Stop)
	if err != nil {
		return err
	}
	g := &target{name: "cluster", brokerName: cluster.BrokerName, cluster: c}
	if os.Getenv("CONFORMANCE_PROXY") == "java" {
		process, endpoint, err := c.StartReferenceProxy(ctx, w.certificate.config(cluster.ProxyConfig(c.Namesrv)))
		if process != nil {
			w.close = append(w.close, process.Kill)
		}
		g.endpoint = endpoint
		w.add(g)
		return err
	}
	if g.proxy, err = proxy.Make(w.program, w.dir, "proxy", w.certificate.config(cluster.ProxyConfig(c.Namesrv))); err != nil {
		return err
	}
	if err := g.proxy.Start(ctx); err != nil {
		return err
	}
	w.close = append(w.close, g.proxy.Stop)
	g.endpoint = g.proxy.Endpoint
	w.add(g)
	return nil
}

// findGiven is the proxy that the tests were told of.
func (w *world) findGiven(context.Context) error {
	if wanted("given") {
		w.add(&target{
			name: "given", endpoint: os.Getenv("CONFORMANCE_ENDPOINT"), brokerName: cluster.BrokerName,
			cluster: cluster.Attach(environment("CONFORMANCE_NAMESRV", "127.0.0.1:9876"), environment("CONFORMANCE_BROKER", "127.0.0.1:10911")),
		})
	}
	return nil
}

// lastWords prints what a failed run is explained by.
func (w *world) lastWords() {
	for _, g := range w.targets {
		if g.proxy != nil {
			fmt.Printf("--- the proxy of %s (pid %d) last said:\n%s\n", g.name, g.proxy.Pid(), g.proxy.LogTail(40))
		}
		if g.cluster == nil {
			continue
		}
		if tail := g.cluster.LogTail(20); tail != "" {
			fmt.Printf("--- the broker last said:\n%s\n", tail)
		}
	}
}

func (w *world) stop() {
	for _, end := range slices.Backward(w.close) {
		end()
	}
	if os.Getenv("CONFORMANCE_KEEP") != "" {
		fmt.Println("conformance: logs and stores are kept in", w.dir)
		return
	}
	_ = os.RemoveAll(w.dir)
}

func environment(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
