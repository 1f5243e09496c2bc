// Package cluster runs a name server and a broker of the real thing, each in
// its own process, on free loopback ports and with a store that can be thrown
// away. It needs java and mvn. It knows the Remoting protocol just well enough
// to ask whether they are ready and to create topics; it shares no code with
// the proxy, so neither can confirm the other's misreading.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// BrokerName is what the broker calls itself.
const BrokerName = "broker-a"

// Config says how the broker treats messages.
type Config struct {
	FlushDiskType string        // SYNC_FLUSH: acknowledged is on disk. ASYNC_FLUSH: in the page cache
	CheckInterval time.Duration // between two questions about a half message
	CheckAfter    time.Duration // age of a half message at the first question
}

// Cluster is a name server and a broker, ours or somebody else's.
type Cluster struct {
	Namesrv string // host:port
	Broker  string // host:port

	dir, jars       string
	namesrv, broker *Process // nil when they are somebody else's
}

// Attach names a cluster that is running already. It can get topics, nothing else.
func Attach(namesrv, broker string) *Cluster {
	return &Cluster{Namesrv: namesrv, Broker: broker}
}

// Start starts both in dir and waits until they answer. The caller stops what
// it is given, also beside an error.
func Start(ctx context.Context, dir string, config Config) (*Cluster, error) {
	c := &Cluster{dir: dir}
	port, err := c.prepare(ctx)
	if err != nil {
		return c, err
	}
	if err := os.WriteFile(c.file("broker.conf"), brokerConf(c, port, config), 0o644); err != nil {
		return c, err
	}
	err = c.StartBroker(ctx)
	return c, err
}

// prepare does what comes before a broker: it fetches the jars, starts the name server, and finds
// a port for the broker.
func (c *Cluster) prepare(ctx context.Context) (brokerPort int, err error) {
	if c.jars, err = Jars(ctx, "cluster", pom, nil, nil); err != nil {
		return 0, err
	}
	if err := os.MkdirAll(c.file("tmp"), 0o755); err != nil {
		return 0, err
	}
	namesrvPort, err := freePort(0)
	if err != nil {
		return 0, err
	}
	if brokerPort, err = freePort(-2, 0, 1); err != nil { // the broker also takes the ports at -2 and +1
		return 0, err
	}
	c.Namesrv = loopback(namesrvPort)
	c.Broker = loopback(brokerPort)
	if err := os.WriteFile(c.file("namesrv.conf"), fmt.Appendf(nil, "listenPort=%d\nbindAddress=127.0.0.1\n", namesrvPort), 0o644); err != nil {
		return 0, err
	}
	c.namesrv, err = StartProcess(c.dir, "namesrv", c.java(frugal, "128m", "org.apache.rocketmq.namesrv.NamesrvStartup", "-c", c.file("namesrv.conf")))
	if err != nil {
		return 0, err
	}
	return brokerPort, c.namesrv.Await(ctx, "answering", func(ctx context.Context) error {
		return answers(ctx, c.Namesrv, codeGetRouteInfoByTopic, BrokerName)
	})
}

// StartBroker starts the broker, for the first time or again on the same store
// and ports, and waits until it answers and the name server sends clients to it.
func (c *Cluster) StartBroker(ctx context.Context) error {
	if c.namesrv == nil {
		return errors.New("this cluster's broker is not ours to start")
	}
	var err error
	c.broker, err = StartProcess(c.dir, "broker", c.java(frugal, "700m", "org.apache.rocketmq.broker.BrokerStartup", "-c", c.file("broker.conf")))
	if err != nil {
		return err
	}
	return c.broker.Await(ctx, "serving", c.serving)
}

// serving is nil when the broker answers and the name server sends clients to it.
func (c *Cluster) serving(ctx context.Context) error {
	if err := answers(ctx, c.Broker, codeGetTopicConfig, BrokerName); err != nil {
		return err
	}
	return c.routed(ctx, BrokerName)
}

// KillBroker ends the broker as a crash would.
func (c *Cluster) KillBroker() { c.broker.Kill() }

// Owned says whether the processes are ours, to kill and to start again.
func (c *Cluster) Owned() bool { return c.namesrv != nil }

// Stop ends what was started.
func (c *Cluster) Stop() {
	for _, p := range []*Process{c.broker, c.namesrv} {
		if p != nil {
			p.Kill() // the store is thrown away, so nothing is worth waiting for
		}
	}
}

// LogTail is the end of the broker's output.
func (c *Cluster) LogTail(linesMax int) string {
	if c.broker == nil {
		return ""
	}
	return c.broker.LogTail(linesMax)
}

// The settings of a virtual machine.
var (
	// frugal: two cores that also run the tests compile little and collect simply.
	frugal = []string{"-XX:MaxDirectMemorySize=512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"}
	// swift: what is measured keeps nothing back.
	swift = []string{"-server", "-XX:MaxDirectMemorySize=1g", "-XX:+UseG1GC"}
)

// java is a command that runs a class out of the cluster's jars.
func (c *Cluster) java(machine []string, heap, class string, args ...string) *exec.Cmd {
	line := append(slices.Clone(machine),
		"-Xms"+heap, "-Xmx"+heap,
		"-Duser.home="+c.dir, "-Djava.io.tmpdir="+c.file("tmp"), // logs and native libraries go with the store
		"-Drocketmq.broker.diskSpaceWarningLevelRatio=0.98",
		"--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
		"--add-opens=java.base/java.nio=ALL-UNNAMED",
		"--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
		"-cp", filepath.Join(c.jars, "*"), class,
	)
	cmd := exec.Command("java", append(line, args...)...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "ROCKETMQ_HOME="+c.dir, "NAMESRV_ADDR="+c.Namesrv)
	return cmd
}

// brokerConf leaves the broker its defaults, but for small files, and for
// patience: two cores that also run the clients must not look like an overload.
// What became of a half message is written down as often, measured by the checks,
// as by default (3 s and 30 s): what is checked before, is committed twice.
func brokerConf(c *Cluster, port int, config Config) []byte {
	store := c.file("store")
	return fmt.Appendf(nil, `brokerClusterName=DefaultCluster
brokerName=%s
brokerId=0
brokerIP1=127.0.0.1
listenPort=%d
bindAddress=127.0.0.1
namesrvAddr=%s
storePathRootDir=%s
storePathCommitLog=%s/commitlog
mappedFileSizeCommitLog=67108864
maxHashSlotNum=100000
maxIndexNum=400000
autoCreateTopicEnable=true
autoCreateSubscriptionGroup=true
enablePropertyFilter=true
enableMixedMessageType=true
enableLmq=true
enableMultiDispatch=true
flushDiskType=%s
diskMaxUsedSpaceRatio=95
waitTimeMillsInSendQueue=3000
osPageCacheBusyTimeOutMills=5000
syncFlushTimeout=10000
recallMessageEnable=true
transactionCheckInterval=%d
transactionTimeOut=%d
transactionOpBatchInterval=%d
`, BrokerName, port, c.Namesrv, store, store, config.FlushDiskType,
		config.CheckInterval.Milliseconds(), config.CheckAfter.Milliseconds(), (config.CheckInterval / 10).Milliseconds())
}

// await polls a question that belongs to no process.
func (c *Cluster) await(ctx context.Context, what string, done func(context.Context) error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		last := done(ctx)
		if last == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: %w; last: %w", what, ctx.Err(), last)
		}
	}
}

func (c *Cluster) file(name string) string { return filepath.Join(c.dir, name) }

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// FreePort is a loopback port nobody listens on.
func FreePort() (int, error) { return freePort(0) }

// freePort is a port whose neighbours at the given distances are free with it.
// It looks below the range the kernel picks from, so that no connection of the
// tests takes the port before its owner starts, or while it is down.
func freePort(distances ...int) (int, error) {
	for range 200 {
		port := 20000 + rand.IntN(10000)
		if allFree(port, distances) {
			return port, nil
		}
	}
	return 0, errors.New("found no free loopback port")
}

func allFree(port int, distances []int) bool {
	for _, d := range distances {
		l, err := net.Listen("tcp", loopback(port+d))
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}
