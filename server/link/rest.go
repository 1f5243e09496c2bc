package link

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rest is where a poller waits that has little to read. netpoll waits inside the system call, and
// each time Go's runtime wakes its monitor thread for it, which looks every 20 us, for 10 ms, whether
// the processor has to be taken away: that was half of what a thousand idle clients cost. A
// goroutine that waits for a descriptor holds no processor, but takes longer to wake; so a poller
// rests only while what comes is milliseconds apart.
type rest struct {
	epoll int // netpoll's, which watches the sockets

	// while the poller rests
	file  *os.File // a copy of epoll, itself watched by the runtime
	raw   syscall.RawConn
	quiet bool // nothing was ready when the bell was heard before
	short int  // rests in a row that were not worth it
}

// restMax is how long one rest lasts at most. netpoll tells of connections that ended once it has
// heard the bell, so one that ends in the very instant before waits for the next event, or this.
const restMax = 200 * time.Millisecond

// restWorth is how long a rest has to last to be worth it, and restShortMax is how many in a row
// that were not end it: the poller is left to netpoll then until it is asked again, restAgain later.
const (
	restWorth    = time.Millisecond
	restShortMax = 8
	restAgain    = time.Second
)

// take waits until one of the sockets can be read, and tells whether to rest on: the bell has to
// be rung then. The first time after something was read it does not wait, for netpoll to be done.
func (r *rest) take() bool {
	if r.file == nil && r.lieDown() != nil {
		return false
	}
	if quiet := !readable(uintptr(r.epoll)); !quiet || !r.quiet {
		r.quiet = quiet
		if !quiet {
			r.short++
		}
		return r.goOn()
	}
	begun := time.Now()
	_ = r.file.SetReadDeadline(begun.Add(restMax))
	_ = r.raw.Read(readable)
	r.quiet = false
	if time.Since(begun) < restWorth {
		r.short++
	} else {
		r.short = 0
	}
	return r.goOn()
}

// goOn gets up when it is not worth it to rest any longer.
func (r *rest) goOn() bool {
	if r.short < restShortMax {
		return true
	}
	_ = r.file.Close()
	*r = rest{epoll: r.epoll}
	return false
}

// lieDown has the runtime watch the epoll. It does so only while the poller rests: otherwise each
// event would wake two threads.
func (r *rest) lieDown() error {
	own, err := unix.FcntlInt(uintptr(r.epoll), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return err
	}
	// The runtime waits only for descriptors that say so; epoll itself does not care.
	if err := unix.SetNonblock(own, true); err != nil {
		_ = unix.Close(own)
		return err
	}
	r.file = os.NewFile(uintptr(own), "epoll")
	r.raw, err = r.file.SyscallConn()
	return err
}

// newRest finds the epoll of netpoll's that watches fd. netpoll does not tell; Linux does.
func newRest(fd int) (*rest, error) {
	mine, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil, err
	}
	for _, entry := range mine {
		kind, err := os.Readlink("/proc/self/fd/" + entry.Name())
		if err != nil || kind != "anon_inode:[eventpoll]" {
			continue
		}
		info, err := os.ReadFile("/proc/self/fdinfo/" + entry.Name())
		if err != nil || !watches(info, fd) {
			continue
		}
		epoll, err := strconv.Atoi(entry.Name())
		if err != nil {
			return nil, err
		}
		return &rest{epoll: epoll}, nil
	}
	return nil, fmt.Errorf("no epoll watches descriptor %d", fd)
}

// watches tells whether fd is among the targets that proc_pid_fdinfo(5) lists.
func watches(info []byte, fd int) bool {
	for line := range bytes.Lines(info) {
		if f := bytes.Fields(line); len(f) > 1 && string(f[0]) == "tfd:" && string(f[1]) == strconv.Itoa(fd) {
			return true
		}
	}
	return false
}

// readable is ppoll(2) without waiting.
func readable(fd uintptr) bool {
	at := unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	var now unix.Timespec
	n, _, errno := syscall.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&at)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0)
	return n > 0 || errno != 0
}
