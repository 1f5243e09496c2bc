package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rocketmq-proxy/remoting/fakebroker"
	"rocketmq-proxy/server/floods"
)

// patience is how long anything may take that must happen: the machine may be very busy.
const patience = 60 * time.Second

// startLine is what scripts wait for.
const startLine = "rocketmq-proxy startup successfully"

// process is a running proxy.
type process struct {
	tb     testing.TB
	cmd    *exec.Cmd
	addr   string // that clients dial, on loopback
	admin  string // host:port of the operator's port; empty: there is none
	exited chan struct{}

	mu   sync.Mutex
	said bytes.Buffer // stdout and stderr
}

// startProxy starts the program with a configuration of these keys and waits for its start line.
func startProxy(tb testing.TB, keys map[string]any, args ...string) *process {
	tb.Helper()
	return launch(tb, exec.Command(proxyBinary, append([]string{"-pc", writeConfig(tb, keys)}, args...)...))
}

// launch starts a command that becomes a proxy, with the variables that it has besides ours, and waits for its
// start line.
func launch(tb testing.TB, cmd *exec.Cmd) *process {
	tb.Helper()
	p := &process{tb: tb, cmd: cmd, exited: make(chan struct{})}
	p.cmd.Env = append(environment(), p.cmd.Env...)
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	p.cmd.Stderr = writer(p.hear)
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	started := make(chan string, 1)
	go p.listen(stdout, started)
	tb.Cleanup(p.kill)
	select {
	case line := <-started:
		p.readStartLine(line)
	case <-p.exited:
		tb.Fatalf("the proxy ended before it had started:\n%s", p.output())
	case <-time.After(patience):
		tb.Fatalf("no start line:\n%s", p.output())
	}
	return p
}

// startInFront starts the program in front of a fake cluster, with more keys than that takes.
func startInFront(tb testing.TB, fake *fakebroker.Cluster, more map[string]any) *process {
	tb.Helper()
	return startProxy(tb, keysInFront(fake, more))
}

func keysInFront(fake *fakebroker.Cluster, more map[string]any) map[string]any {
	keys := map[string]any{"namesrvAddr": fake.NameServer.Addr, "grpcServerPort": 0, "localServeAddr": "127.0.0.1"}
	maps.Copy(keys, more)
	return keys
}

func writeConfig(tb testing.TB, keys map[string]any) string {
	tb.Helper()
	text, err := json.Marshal(keys)
	if err != nil {
		tb.Fatal(err)
	}
	path := filepath.Join(tb.TempDir(), "rmq-proxy.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// environment is ours without what would configure the proxy.
func environment() (kept []string) {
	for _, pair := range os.Environ() {
		switch name, _, _ := strings.Cut(pair, "="); name {
		case "NAMESRV_ADDR", "RMQ_PROXY_HOME", "ROCKETMQ_HOME", "XDG_DATA_HOME", "GOGC", "GOMEMLIMIT", "GODEBUG":
		default:
			kept = append(kept, pair)
		}
	}
	return kept
}

// listen reads what the proxy says to its end, and then waits for the end of the proxy.
func (p *process) listen(stdout io.Reader, started chan<- string) {
	defer close(p.exited)
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		p.hear(append(lines.Bytes(), '\n'))
		if strings.Contains(lines.Text(), startLine) {
			started <- lines.Text()
		}
	}
	_ = p.cmd.Wait()
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) {
	w(b)
	return len(b), nil
}

func (p *process) hear(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said.Write(b)
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// readStartLine takes from the start line which ports were opened.
func (p *process) readStartLine(line string) {
	p.tb.Helper()
	var said struct {
		ClientsDial string `json:"clientsDial"`
		Admin       string `json:"admin"`
	}
	if err := json.Unmarshal([]byte(line), &said); err != nil {
		p.tb.Fatalf("the start line is no JSON: %v\n%s", err, line)
	}
	_, port, err := net.SplitHostPort(said.ClientsDial)
	if err != nil {
		p.tb.Fatalf("clientsDial: %v", err)
	}
	p.addr, p.admin = net.JoinHostPort("127.0.0.1", port), said.Admin
}

// stop sends SIGTERM and returns the exit code.
func (p *process) stop() int {
	p.tb.Helper()
	p.signal(syscall.SIGTERM)
	return p.exit()
}

func (p *process) signal(s syscall.Signal) {
	p.tb.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.tb.Fatalf("%v: %v\n%s", s, err, p.output())
	}
}

// exit waits for the end of the proxy and returns the exit code.
func (p *process) exit() int {
	p.tb.Helper()
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.tb.Fatalf("the proxy does not end:\n%s", p.output())
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// proc is the path of a file that the kernel keeps about the proxy.
func (p *process) proc(name string) string {
	return filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid), name)
}

// memory reads a line of /proc/pid/status, such as VmRSS, in bytes.
func (p *process) memory(name string) int64 {
	p.tb.Helper()
	n, err := floods.Memory(p.cmd.Process.Pid, name)
	if err != nil {
		p.tb.Fatalf("%v\n%s", err, p.output())
	}
	return n
}

// processorTime is what the proxy has used of the processors so far (proc_pid_stat(5)).
func (p *process) processorTime() time.Duration {
	p.tb.Helper()
	stat, err := os.ReadFile(p.proc("stat"))
	if err != nil {
		p.tb.Fatalf("%v\n%s", err, p.output())
	}
	const perSecond = 100 // USER_HZ
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	fields := bytes.Fields(rest)
	const user, system = 11, 12
	if len(fields) <= system {
		p.tb.Fatalf("/proc/pid/stat is %q", stat)
	}
	ticks := int64(0)
	for _, field := range fields[user : system+1] {
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			p.tb.Fatalf("/proc/pid/stat is %q", stat)
		}
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / perSecond)
}

// forgetPeak makes VmHWM, the highest RSS so far, begin anew (proc_pid_clear_refs(5)).
func (p *process) forgetPeak() {
	p.tb.Helper()
	if err := floods.ForgetPeak(p.cmd.Process.Pid); err != nil {
		p.tb.Skipf("the peak of RSS cannot be measured here: %v", err)
	}
}

// page is what the admin port answers.
func (p *process) page(path string) string {
	p.tb.Helper()
	answer, err := http.Get("http://" + p.admin + path)
	if err != nil {
		p.tb.Fatalf("%s: %v\n%s", path, err, p.output())
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		p.tb.Fatalf("%s: %v", path, err)
	}
	return string(text)
}

// sockets is how many sockets the proxy has open.
func (p *process) sockets() (n int) {
	p.tb.Helper()
	entries, err := os.ReadDir(p.proc("fd"))
	if err != nil {
		p.tb.Fatalf("%v\n%s", err, p.output())
	}
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(p.proc("fd"), e.Name())); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}
