package peer

import (
	"net"
	"os/exec"
	"strconv"
	"strings"
)

// rustCommand is the proxy of rocketmq-rust, as cargo installs it.
const rustCommand = "rocketmq-proxy-rust"

// startRust starts it in Cluster mode with its own defaults, but for the log.
func startRust(stub *Process) (*Process, error) {
	binary, err := exec.LookPath(rustCommand)
	if err != nil {
		return nil, &UnavailableError{Rust, rustCommand + " is not installed; with protoc there, this does it: " +
			"cargo install rocketmq-proxy --version 1.0.0 --locked --no-default-features --features cluster-mode"}
	}
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0]))
	args := []string{"--mode", "cluster", "--grpcListenAddr", addr, "--namesrvAddr", stub.Addrs["namesrv"], "--log-filter", "warn,rocketmq_observability=info"}
	return Start(Rust, binary, args, func(line string, addrs map[string]string) bool {
		addrs["grpc"] = addr
		return strings.Contains(line, `"ready"`)
	})
}
