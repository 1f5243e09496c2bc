package conformance

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"rocketmq-proxy/server/conformance/cluster"
	"rocketmq-proxy/server/conformance/proxy"
)

//go:embed java/pom.xml
var javaPom []byte

// world is what every test talks to. It is made once, because a broker takes
// seconds to start; tests keep apart by topics and groups of their own.
type world struct {
	dir      string
	cluster  *cluster.Cluster
	endpoint string              // host:port of the proxy's gRPC server
	proxy    *proxy.Proxy        // nil when the endpoint is not the proxy of this tree
	clients  map[string][]string // program and arguments, by language
	close    []func()
}

// the is nil when the tests that need it are left out.
var the *world

func TestMain(m *testing.M) { os.Exit(run(m)) }

// parallelTests is more than the cores, because these tests mostly wait.
const parallelTests = "8"

func run(m *testing.M) int {
	flag.Parse()
	if err := flag.Set("test.parallel", parallelTests); err != nil {
		fmt.Println("conformance:", err)
		return 1
	}
	external := os.Getenv("CONFORMANCE_ENDPOINT") != ""
	missing := cluster.Missing()
	switch {
	case missing != "" && !external:
		fmt.Printf("conformance: %s is missing, the tests against a broker are left out\n", missing)
		return m.Run()
	case missing != "":
		fmt.Printf("conformance: %s is missing, the tests with the Java client are left out\n", missing)
	}

	dir, err := os.MkdirTemp("", "conformance-")
	if err != nil {
		fmt.Println("conformance:", err)
		return 1
	}
	w := &world{dir: dir, clients: map[string][]string{}}
	defer w.stop()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	for _, prepare := range []func(context.Context) error{w.buildClients, w.startCluster, w.startProxy} {
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
	return code
}

// buildClients makes the programs around the official clients.
func (w *world) buildClients(ctx context.Context) error {
	program := filepath.Join(w.dir, "goclient")
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", program, "./goclient")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the Go client's program: %w\n%s", err, out)
	}
	w.clients["go"] = []string{program}

	if cluster.Missing() != "" {
		return nil
	}
	sources, err := filepath.Glob("java/src/*.java")
	if err != nil {
		return err
	}
	jars, err := cluster.Jars(ctx, "java-client", javaPom, sources, func(dir string) error {
		javac := exec.CommandContext(ctx, "javac", append([]string{"-cp", filepath.Join(dir, "*"), "-d", dir}, sources...)...)
		if out, err := javac.CombinedOutput(); err != nil {
			return fmt.Errorf("compiling the Java client's program: %w\n%s", err, out)
		}
		return nil
	})
	w.clients["java"] = []string{"java", "-Xmx600m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Duser.home=" + filepath.Join(w.dir, "java-home"), "-cp", jars + ":" + filepath.Join(jars, "*"), "Driver"}
	return err
}

// startCluster starts the broker, or finds the one it was told of.
func (w *world) startCluster(ctx context.Context) (err error) {
	if os.Getenv("CONFORMANCE_ENDPOINT") != "" {
		w.cluster = cluster.Attach(environment("CONFORMANCE_NAMESRV", "127.0.0.1:9876"), environment("CONFORMANCE_BROKER", "127.0.0.1:10911"))
		return nil
	}
	dir := filepath.Join(w.dir, "cluster")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	// Synchronous flushing throughout: the tests that kill the broker hold it to
	// what it acknowledged.
	w.cluster, err = cluster.Start(ctx, dir, cluster.Config{FlushDiskType: "SYNC_FLUSH"})
	w.close = append(w.close, w.cluster.Stop)
	return err
}

// startProxy starts the proxy of this tree, or the Java proxy, or neither.
func (w *world) startProxy(ctx context.Context) error {
	if w.endpoint = os.Getenv("CONFORMANCE_ENDPOINT"); w.endpoint != "" {
		return nil
	}
	if os.Getenv("CONFORMANCE_PROXY") == "java" {
		process, endpoint, err := w.cluster.StartReferenceProxy(ctx)
		if process != nil {
			w.close = append(w.close, process.Kill)
		}
		w.endpoint = endpoint
		return err
	}
	program, err := proxy.Build(ctx, w.dir)
	if err != nil {
		return err
	}
	if w.proxy, err = proxy.Start(ctx, program, w.dir, w.cluster.Namesrv); err != nil {
		return err
	}
	w.close = append(w.close, w.proxy.Stop)
	w.endpoint = w.proxy.Endpoint
	return nil
}

// lastWords prints what a failed run is explained by.
func (w *world) lastWords() {
	if w.proxy != nil {
		fmt.Printf("--- the proxy (pid %d) last said:\n%s\n", w.proxy.Pid(), w.proxy.LogTail(100))
	}
	if tail := w.cluster.LogTail(20); tail != "" {
		fmt.Printf("--- the broker last said:\n%s\n", tail)
	}
}

func (w *world) stop() {
	for i := len(w.close) - 1; i >= 0; i-- {
		w.close[i]()
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
