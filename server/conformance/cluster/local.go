package cluster

import (
	"context"
	"fmt"
	"os"
)

// Local is the Java proxy in Local mode, with a broker of its own in its process, and the name
// server that it does not go without. It is there to be measured, so nothing is held back: the
// virtual machine is set up as servers are, and the broker keeps its defaults.
type Local struct {
	*Cluster
	Endpoint string // host:port of its gRPC server
}

// localHeap is half of what RocketMQ's own script gives to the proxy.
const localHeap = "2g"

// StartLocal starts both in dir, with messages flushed as flushDiskType says, and waits until they
// answer. The caller stops what it is given, also beside an error.
func StartLocal(ctx context.Context, dir, flushDiskType string) (*Local, error) {
	l := &Local{Cluster: &Cluster{dir: dir}}
	port, err := l.prepare(ctx)
	if err != nil {
		return l, err
	}
	conf := fmt.Appendf(nil, `brokerClusterName=DefaultCluster
brokerName=%s
brokerId=0
brokerIP1=127.0.0.1
listenPort=%d
bindAddress=127.0.0.1
namesrvAddr=%s
storePathRootDir=%s
storePathCommitLog=%s/commitlog
flushDiskType=%s
diskMaxUsedSpaceRatio=95
`, BrokerName, port, l.Namesrv, l.file("store"), l.file("store"), flushDiskType)
	if err := os.WriteFile(l.file("broker.conf"), conf, 0o644); err != nil {
		return l, err
	}
	config := ProxyConfig(l.Namesrv)
	config["proxyMode"], config["brokerConfigPath"] = "local", l.file("broker.conf")
	// The process is broker and proxy, so it is stopped as the broker is.
	if l.broker, l.Endpoint, err = l.startReference(ctx, config, swift, localHeap); err != nil {
		return l, err
	}
	return l, l.broker.Await(ctx, "serving", l.serving)
}

// Process is that of the proxy, and of the broker.
func (l *Local) Process() *Process { return l.broker }
