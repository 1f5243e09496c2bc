package cluster

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Process is one program of ours: in a process group of its own, so that a
// Ctrl-C meant for the tests does not end it early, and ended by the kernel if
// the tests end without stopping it.
type Process struct {
	Name   string
	Log    string // the file with its standard output and error
	cmd    *exec.Cmd
	exited chan struct{}
	err    error // after exited
}

// StartProcess starts a program whose output goes to dir/name.log.
func StartProcess(dir, name string, cmd *exec.Cmd) (*Process, error) {
	p := &Process{Name: name, Log: filepath.Join(dir, name+".log"), cmd: cmd, exited: make(chan struct{})}
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if cmd.Stdout == nil {
		cmd.Stdout = log
	}
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// Pid is its process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// ExitCode is how it ended, after Exited; -1 after a signal.
func (p *Process) ExitCode() int { return p.cmd.ProcessState.ExitCode() }

// Kill ends it at once, as a crash would, and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // gone already is as good
	<-p.exited
}

// Terminate asks it to end, and does not wait.
func (p *Process) Terminate() { _ = p.cmd.Process.Signal(syscall.SIGTERM) }

// Stop asks it to end, waits a little, and then kills it.
func (p *Process) Stop(patience time.Duration) {
	p.Terminate()
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.Kill()
	}
}

// LogTail is the end of its log.
func (p *Process) LogTail(linesMax int) string {
	text, err := os.ReadFile(p.Log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(string(bytes.TrimSpace(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-linesMax):], "\n")
}

// Await polls until done says nil. The poll ends early when the process does,
// and with the last answer when ctx does.
func (p *Process) Await(ctx context.Context, what string, done func(context.Context) error) error {
	var last error
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if last = done(ctx); last == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.exited:
			return fmt.Errorf("%s ended (%w) before %s; its last words:\n%s", p.Name, p.err, what, p.LogTail(30))
		case <-ctx.Done():
			return fmt.Errorf("%s: %s: %w; last: %w", p.Name, what, ctx.Err(), last)
		}
	}
}
