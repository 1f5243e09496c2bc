// Package peer starts the processes of a benchmark and measures them from
// outside: processor time, memory, and the allocations they count themselves.
package peer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	readyTimeout = 20 * time.Second
	stopTimeout  = 10 * time.Second
	tailLines    = 20 // of a process's output, kept for its obituary
)

// Process is a running peer.
type Process struct {
	Name  string
	Addrs map[string]string // by role: "grpc", "admin", "namesrv", ...; "pid" and "broker" are names

	cmd      *exec.Cmd
	pid      int // of the process that is measured: cmd's, unless it says another
	exited   chan struct{}
	exitErr  error
	readCost uint64 // heap allocations of one read of the allocation counter

	mu   sync.Mutex
	tail []string
}

// Build compiles the main package pkg of the module in dir to out. Flags are more words for go build.
func Build(ctx context.Context, dir, pkg, out string, flags ...string) error {
	cmd := exec.CommandContext(ctx, "go", slices.Concat([]string{"build", "-trimpath", "-o", out}, flags, []string{pkg})...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, text)
	}
	return nil
}

// UnavailableError says that this machine lacks something that a peer needs.
type UnavailableError struct{ Name, Reason string }

func (e *UnavailableError) Error() string { return e.Name + " cannot run here: " + e.Reason }

// exitUnavailable, of sysexits.h, is how a peer ends that cannot run here; it has said why.
const exitUnavailable = 69

// Start runs a command and waits until ready, which sees each line of its
// output, reports true.
func Start(name, bin string, args []string, ready func(line string, addrs map[string]string) bool) (*Process, error) {
	return startWithin(readyTimeout, name, bin, args, ready)
}

func startWithin(patience time.Duration, name, bin string, args []string, ready func(line string, addrs map[string]string) bool) (*Process, error) {
	p := &Process{Name: name, Addrs: map[string]string{}, cmd: exec.Command(bin, args...), exited: make(chan struct{})}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // never outlives a killed benchmark
	out, in := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = in, in
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	isReady, heard := make(chan struct{}), make(chan struct{})
	go func() {
		p.read(out, ready, isReady)
		close(heard)
	}()
	go func() {
		p.exitErr = p.cmd.Wait()
		_ = in.Close() // cannot fail
		<-heard        // its last words too
		close(p.exited)
	}()
	select {
	case <-isReady:
		if p.pid = p.cmd.Process.Pid; p.Addrs["pid"] != "" {
			pid, err := strconv.Atoi(p.Addrs["pid"])
			if err != nil {
				p.Stop()
				return nil, fmt.Errorf("%s: process id: %w", name, err)
			}
			p.pid = pid
		}
		p.calibrate()
		return p, nil
	case <-p.exited:
		if p.cmd.ProcessState.ExitCode() == exitUnavailable {
			return nil, &UnavailableError{name, p.Tail()}
		}
		return nil, fmt.Errorf("%s ended before it was ready: %w\n%s", name, p.exitErr, p.Tail())
	case <-time.After(patience):
		p.Stop()
		return nil, fmt.Errorf("%s was not ready in %v\n%s", name, patience, p.Tail())
	}
}

func (p *Process) read(out io.Reader, ready func(string, map[string]string) bool, isReady chan struct{}) {
	waiting := true
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if waiting && ready(lines.Text(), p.Addrs) {
			waiting = false
			close(isReady)
		}
		p.mu.Lock()
		if p.tail = append(p.tail, lines.Text()); len(p.tail) > tailLines {
			p.tail = p.tail[1:]
		}
		p.mu.Unlock()
	}
	io.Copy(io.Discard, out) //nolint:errcheck // a line too long must not block the process
}

// Tail is the end of what the process has printed.
func (p *Process) Tail() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.tail, "\n")
}

// Stop ends the process, gently first.
func (p *Process) Stop() {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); errors.Is(err, os.ErrProcessDone) {
		return
	}
	select {
	case <-p.exited:
	case <-time.After(stopTimeout):
		p.cmd.Process.Kill() //nolint:errcheck // it is gone, then
		<-p.exited
	}
}

// Alive reports an error when the process has ended.
func (p *Process) Alive() error {
	select {
	case <-p.exited:
		return fmt.Errorf("%s ended: %w\n%s", p.Name, p.exitErr, p.Tail())
	default:
		return nil
	}
}
