package peer

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"rocketmq-proxy/bench/proc"
)

// Names of the peers.
const (
	Proxy  = "proxy"
	GRPCGo = "grpcgo"
	Relay  = "relay"
	Java   = "java" // the Java proxy in Cluster mode
	Rust   = "rust" // the proxy of rocketmq-rust
	Stub   = "stub"

	Direct   = "direct"   // nobody in between: the load on the stub's gRPC server
	Remoting = "remoting" // the same on its broker, without a word of gRPC

	Local     = "local"     // this proxy in Local mode
	JavaLocal = "javalocal" // the Java proxy in Local mode

	Base = "base" // this proxy as it was at some commit
	Tree = "tree" // this proxy as it is, beside it
)

// Binaries are where the commands have been built, by the name of the peer.
type Binaries map[string]string

// benchReady understands the line of the bench's own commands.
func benchReady(line string, addrs map[string]string) bool {
	rest, found := strings.CutPrefix(line, proc.Ready)
	if !found {
		return false
	}
	for pair := range strings.FieldsSeq(rest) {
		name, addr, _ := strings.Cut(pair, "=")
		addrs[name] = addr
	}
	return true
}

// StartStub starts the stub name server, brokers and gRPC server.
func (b Binaries) StartStub(bodyBytes, brokers int) (*Process, error) {
	args := []string{"-body", strconv.Itoa(bodyBytes), "-brokers", strconv.Itoa(brokers)}
	return Start(Stub, b[Stub], args, benchReady)
}

// Start starts a peer in front of the stub. Dir is for files it needs.
func (b Binaries) Start(name string, stub *Process, dir string) (*Process, error) {
	switch name {
	case Relay:
		return Start(name, b[name], []string{"-upstream", stub.Addrs["grpc"]}, benchReady)
	case GRPCGo:
		return Start(name, b[name], []string{"-namesrv", stub.Addrs["namesrv"]}, benchReady)
	case Java:
		return startWithin(javaPatience, name, b[name], []string{"-namesrv", stub.Addrs["namesrv"], "-dir", dir}, benchReady)
	case Rust:
		return startRust(stub)
	case Proxy, Base, Tree:
		return b.startOurs(name, dir, map[string]any{
			"rocketMQClusterName": "DefaultCluster", "namesrvAddr": stub.Addrs["namesrv"], "proxyMode": "cluster",
		})
	}
	return nil, fmt.Errorf("no peer is called %q", name)
}

// javaPatience is time to fetch Maven artifacts in.
const javaPatience = 5 * time.Minute

// StartLocal starts a peer that stores messages itself, in dir, and acknowledges
// what is on disk. There is nothing in its store.
func (b Binaries) StartLocal(name, dir string) (*Process, error) {
	switch name {
	case JavaLocal:
		return startWithin(javaPatience, name, b[name], []string{"-dir", dir}, benchReady)
	case Local:
		return b.startOurs(name, dir, map[string]any{
			"proxyMode": "local", "storePathRootDir": filepath.Join(dir, "store"), "flushDiskType": "SYNC_FLUSH",
		})
	}
	return nil, fmt.Errorf("no peer in Local mode is called %q", name)
}

const (
	proxyReady  = "rocketmq-proxy startup successfully"
	localBroker = "local" // what the broker in Local mode calls itself
)

// startOurs runs this project's binary with a configuration file as an
// operator would write it.
func (b Binaries) startOurs(name, dir string, config map[string]any) (*Process, error) {
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	admin := net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[1]))
	config["localServeAddr"], config["grpcServerPort"], config["useEndpointPortFromRequest"] = "127.0.0.1", ports[0], true
	config["adminListenAddr"] = admin
	text, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, name+".json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	return Start(name, b[name], []string{"-pc", file}, func(line string, addrs map[string]string) bool {
		addrs["grpc"] = net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0]))
		addrs["admin"], addrs["broker"] = admin, localBroker
		return strings.Contains(line, proxyReady)
	})
}

// freePorts finds ports nobody listens on now.
func freePorts(n int) ([]int, error) {
	var ports []int
	var listeners []net.Listener
	defer func() { // only now, so that all are different
		for _, l := range listeners {
			l.Close()
		}
	}()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		listeners = append(listeners, l)
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
