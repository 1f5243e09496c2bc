package peer

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"rocketmq-proxy/bench/proc"
)

// Names of the peers.
const (
	Proxy  = "proxy"
	GRPCGo = "grpcgo"
	Relay  = "relay"
	Direct = "direct" // nobody in between: the load on the stub's gRPC server
	Stub   = "stub"
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
	case Proxy:
		return b.startProxy(stub, dir)
	}
	return nil, fmt.Errorf("no peer is called %q", name)
}

const proxyReady = "rocketmq-proxy startup successfully"

// startProxy runs this project's binary with a configuration file as an
// operator would write it.
func (b Binaries) startProxy(stub *Process, dir string) (*Process, error) {
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	admin := net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[1]))
	config, err := json.MarshalIndent(map[string]any{
		"rocketMQClusterName": "DefaultCluster", "namesrvAddr": stub.Addrs["namesrv"], "proxyMode": "cluster",
		"localServeAddr": "127.0.0.1", "grpcServerPort": ports[0], "useEndpointPortFromRequest": true,
		"adminListenAddr": admin,
	}, "", "  ")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "rmq-proxy.json")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return nil, err
	}
	return Start(Proxy, b[Proxy], []string{"-pc", file}, func(line string, addrs map[string]string) bool {
		addrs["grpc"] = net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0]))
		addrs["admin"] = admin
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
