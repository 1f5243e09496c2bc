package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// socketCalls are the system calls that move bytes of a socket. The first argument of each is the descriptor.
var socketCalls = map[uint64]string{
	unix.SYS_READ: "read", unix.SYS_READV: "read", unix.SYS_RECVFROM: "read", unix.SYS_RECVMSG: "read", unix.SYS_RECVMMSG: "read",
	unix.SYS_WRITE: "write", unix.SYS_WRITEV: "write", unix.SYS_SENDTO: "write", unix.SYS_SENDMSG: "write", unix.SYS_SENDMMSG: "write",
	unix.SYS_SENDFILE: "write", unix.SYS_SPLICE: "read",
}

// tracer sees each system call of a process (ptrace(2)), which needs no privileges: the process is a child of ours.
// What it counts are calls that move bytes, by descriptor. It sees them when they begin, so whoever has read what
// a write wrote finds it counted.
type tracer struct {
	pid  int
	all  map[int]bool // threads that are traced; the tracer's own
	over chan error   // the tracing has ended

	mu     sync.Mutex
	calls  map[tracedCall]int
	ending bool
}

type tracedCall struct {
	fd   int
	kind string
}

// trace begins, and ends with the test at the latest. Where the machine does not let it, the test is skipped.
func (p *process) trace() *tracer {
	p.tb.Helper()
	t := &tracer{pid: p.cmd.Process.Pid, all: make(map[int]bool), over: make(chan error, 1), calls: make(map[tracedCall]int)}
	began := make(chan error)
	go t.run(began)
	if err := <-began; errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EIO) {
		p.tb.Skip("system calls cannot be traced here: ", err)
	} else if err != nil {
		p.tb.Fatal(err)
	}
	return t
}

// run is the tracer's life. Its thread ends with it, as it is never unlocked.
func (t *tracer) run(began chan<- error) {
	runtime.LockOSThread()
	err := t.seize()
	began <- err
	if err != nil {
		return
	}
	err = t.follow()
	t.over <- err
}

const traceOptions = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE

// seize takes all threads, until there are no new ones, and has each stop at its next system call.
func (t *tracer) seize() error {
	for found := true; found; {
		found = false
		threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", t.pid))
		if err != nil {
			return err
		}
		for _, thread := range threads {
			tid, err := strconv.Atoi(thread.Name())
			if err != nil || t.all[tid] {
				continue
			}
			switch err := ptrace(unix.PTRACE_SEIZE, tid, 0, traceOptions); {
			case errors.Is(err, unix.ESRCH): // it has ended
			case errors.Is(err, unix.EPERM) && len(t.all) > 0: // it is a child of one that is traced, which is known soon
			case err != nil:
				return fmt.Errorf("ptrace: %w", err)
			default:
				t.all[tid], found = true, true
				if err := ptrace(unix.PTRACE_INTERRUPT, tid, 0, 0); err != nil && !errors.Is(err, unix.ESRCH) {
					return fmt.Errorf("ptrace: %w", err)
				}
			}
		}
	}
	return nil
}

// follow lets threads go on from stop to stop, until all have been let go or have ended.
func (t *tracer) follow() error {
	told := false
	for len(t.all) > 0 {
		var status unix.WaitStatus
		tid, err := unix.Wait4(-1, &status, unix.WALL|unix.WNOTHREAD, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("wait4: %w", err)
		}
		t.mu.Lock()
		ending := t.ending
		t.mu.Unlock()
		if ending && !told {
			told = true
			for other := range t.all {
				_ = ptrace(unix.PTRACE_INTERRUPT, other, 0, 0)
			}
		}
		switch {
		case !status.Stopped():
			delete(t.all, tid)
		case ending:
			t.letGo(tid, status)
		default:
			t.all[tid] = true
			t.stopped(tid, status)
		}
	}
	return nil
}

// stopped notes what a thread does, and lets it go on to its next system call.
func (t *tracer) stopped(tid int, status unix.WaitStatus) {
	if atSystemCall(status) {
		t.note(tid)
	}
	_ = ptrace(unix.PTRACE_SYSCALL, tid, 0, signalFor(status)) // in vain when it was killed
}

func atSystemCall(status unix.WaitStatus) bool { return status.StopSignal() == syscall.SIGTRAP|0x80 }

// signalFor is the signal that a stopped thread is about to get, 0 when it stopped for something else.
func signalFor(status unix.WaitStatus) uintptr {
	if uint32(status)>>16 != 0 || atSystemCall(status) {
		return 0
	}
	return uintptr(status.StopSignal())
}

// letGo ends the tracing of a thread.
func (t *tracer) letGo(tid int, status unix.WaitStatus) {
	_ = ptrace(unix.PTRACE_DETACH, tid, 0, signalFor(status))
	delete(t.all, tid)
}

// entry is struct ptrace_syscall_info at the beginning of a system call.
type entry struct {
	op                   uint8
	_                    [3]uint8
	arch                 uint32
	instruction, stackAt uint64
	number               uint64
	args                 [6]uint64
}

// note counts a system call, if this is where one begins and not where it ends.
func (t *tracer) note(tid int) {
	var e entry
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_GET_SYSCALL_INFO, uintptr(tid), unsafe.Sizeof(e), uintptr(unsafe.Pointer(&e)), 0, 0)
	if errno != 0 || e.op != unix.PTRACE_SYSCALL_INFO_ENTRY {
		return
	}
	if kind := socketCalls[e.number]; kind != "" {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.calls[tracedCall{int(int32(e.args[0])), kind}]++
	}
}

// end lets the process go.
func (t *tracer) end(tb testing.TB) {
	tb.Helper()
	t.mu.Lock()
	t.ending = true
	t.mu.Unlock()
	_ = unix.Kill(t.pid, unix.SIGURG) // Go's runtime ignores it; a thread stops for it
	if err := <-t.over; err != nil {
		tb.Error(err)
	}
}

// count is how many system calls of a kind there were on these descriptors.
func (t *tracer) count(kind string, fds []int) (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, fd := range fds {
		n += t.calls[tracedCall{fd, kind}]
	}
	return n
}

func ptrace(request, tid int, addr, data uintptr) error {
	if _, _, errno := unix.Syscall6(unix.SYS_PTRACE, uintptr(request), uintptr(tid), addr, data, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// socketsTo are the proxy's descriptors of TCP connections whose other end has the port of addr (proc_pid_net(5)).
func (p *process) socketsTo(addr string) (fds []int) {
	p.tb.Helper()
	to, err := netip.ParseAddrPort(addr)
	if err != nil {
		p.tb.Fatal(err)
	}
	inodes := map[string]bool{}
	for _, table := range []string{"net/tcp", "net/tcp6"} {
		text, err := os.ReadFile(p.proc(table))
		if err != nil {
			p.tb.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			const remote, inode = 2, 9
			f := bytes.Fields(line)
			if len(f) > inode && bytes.HasSuffix(f[remote], fmt.Appendf(nil, ":%04X", to.Port())) {
				inodes["socket:["+string(f[inode])+"]"] = true
			}
		}
	}
	entries, err := os.ReadDir(p.proc("fd"))
	if err != nil {
		p.tb.Fatal(err)
	}
	for _, e := range entries {
		to, err := os.Readlink(filepath.Join(p.proc("fd"), e.Name()))
		if fd, notNumber := strconv.Atoi(e.Name()); err == nil && notNumber == nil && strings.HasPrefix(to, "socket:") && inodes[to] {
			fds = append(fds, fd)
		}
	}
	return fds
}
