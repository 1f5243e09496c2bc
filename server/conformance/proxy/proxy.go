// Package proxy runs the proxy under test in its own process, as a user would:
// built from this tree, configured by an rmq-proxy.json, ended by a signal.
package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"rocketmq-proxy/server/conformance/cluster"
)

// startedLine is what the Java proxy prints when it is up, and ours too:
// scripts wait for it.
const startedLine = "rocketmq-proxy startup successfully"

// Proxy is a running proxy.
type Proxy struct {
	Endpoint string // host:port of its gRPC server

	program, dir, name, config string

	process *cluster.Process
	logFrom int64 // where the log of this process begins
}

// Build compiles the proxy into dir and returns the program's path.
func Build(ctx context.Context, dir string) (string, error) {
	root, err := repositoryRoot()
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "rocketmq-proxy")
	build := exec.CommandContext(ctx, "go", "build", "-C", root, "-trimpath", "-buildvcs=false", "-o", program, "./server/cmd/rocketmq-proxy")
	build.Env = append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the proxy: %w\n%s", err, out)
	}
	return program, nil
}

// Make prepares a proxy that is named name and listens on a free loopback port. config is its
// rmq-proxy.json, but for the port.
func Make(program, dir, name string, config map[string]any) (*Proxy, error) {
	port, err := cluster.FreePort()
	if err != nil {
		return nil, err
	}
	config["localServeAddr"], config["grpcServerPort"], config["useEndpointPortFromRequest"] = "127.0.0.1", port, true
	text, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, name+".json")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return nil, err
	}
	return &Proxy{
		Endpoint: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		program:  program, dir: dir, name: name, config: path,
	}, nil
}

// Exec starts the process, for the first time or again on the same port, and does not wait.
func (p *Proxy) Exec() (err error) {
	// The log goes on where a process before left off.
	if info, err := os.Stat(filepath.Join(p.dir, p.name+".log")); err == nil {
		p.logFrom = info.Size()
	}
	cmd := exec.Command(p.program, "-pc", p.config)
	cmd.Dir = p.dir
	p.process, err = cluster.StartProcess(p.dir, p.name, cmd)
	return err
}

// Start starts the process and waits until it says that it is up. The caller stops it.
func (p *Proxy) Start(ctx context.Context) error {
	if err := p.Exec(); err != nil {
		return err
	}
	err := p.process.Await(ctx, "printing "+startedLine, func(context.Context) error {
		text, err := os.ReadFile(p.process.Log)
		if err == nil && !strings.Contains(string(text[p.logFrom:]), startedLine) {
			err = errors.New("not printed yet")
		}
		return err
	})
	if err != nil {
		p.Stop()
	}
	return err
}

// Pid is the process id; a proxy that fell and was put up again has another.
func (p *Proxy) Pid() int { return p.process.Pid() }

// Running says whether the process that was started still lives.
func (p *Proxy) Running() bool {
	select {
	case <-p.process.Exited():
		return false
	default:
		return true
	}
}

// LogTail is the end of what it wrote.
func (p *Proxy) LogTail(linesMax int) string { return p.process.LogTail(linesMax) }

// Kill ends it at once, as a crash would.
func (p *Proxy) Kill() { p.process.Kill() }

// Terminate asks it to end, and does not wait.
func (p *Proxy) Terminate() { p.process.Terminate() }

// Exited is closed when the process has ended.
func (p *Proxy) Exited() <-chan struct{} { return p.process.Exited() }

// ExitCode is how it ended.
func (p *Proxy) ExitCode() int { return p.process.ExitCode() }

// Stop ends it.
func (p *Proxy) Stop() { p.process.Stop(5 * time.Second) }

// repositoryRoot is the directory above this module with the proxy's go.mod.
func repositoryRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		first, _, _ := strings.Cut(string(text), "\n")
		if err == nil && strings.TrimSpace(first) == "module rocketmq-proxy" {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("found no go.mod of rocketmq-proxy above the working directory")
		}
		dir = parent
	}
}
