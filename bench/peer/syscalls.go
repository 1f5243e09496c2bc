package peer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Syscalls counts the system calls of a process, of all its threads, from when it is made until it is
// closed. The kernel counts them (perf_event_open(2) on the tracepoint raw_syscalls:sys_enter), which
// makes each a little dearer meanwhile.
type Syscalls struct{ events []int }

// enterID is the tracepoint's number.
var enterID = sync.OnceValues(func() (uint64, error) {
	var all []error
	for _, root := range []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"} {
		text, err := os.ReadFile(root + "/events/raw_syscalls/sys_enter/id")
		if err == nil {
			return strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
		}
		all = append(all, err)
	}
	return 0, errors.Join(all...)
})

// CountSyscalls begins to count, where the machine and who runs this may.
func (p *Process) CountSyscalls() (*Syscalls, error) {
	id, err := enterID()
	if err != nil {
		return nil, err
	}
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.pid))
	if err != nil {
		return nil, err
	}
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_TRACEPOINT, Config: id, Bits: unix.PerfBitInherit}
	attr.Size = uint32(unsafe.Sizeof(attr))
	s := new(Syscalls)
	for _, thread := range threads {
		tid, err := strconv.Atoi(thread.Name())
		if err != nil {
			continue
		}
		event, err := unix.PerfEventOpen(&attr, tid, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
		switch {
		case errors.Is(err, unix.ESRCH): // it has ended
		case err != nil:
			return nil, errors.Join(fmt.Errorf("perf_event_open: %w", err), s.Close())
		default:
			s.events = append(s.events, event)
		}
	}
	return s, nil
}

// Count is how many there were so far, those of threads that began meanwhile among them.
func (s *Syscalls) Count() (n uint64, err error) {
	var b [8]byte
	for _, event := range s.events {
		if _, err := unix.Read(event, b[:]); err != nil {
			return 0, fmt.Errorf("a count of system calls: %w", err)
		}
		n += binary.NativeEndian.Uint64(b[:])
	}
	return n, nil
}

// Close ends the counting.
func (s *Syscalls) Close() (err error) {
	for _, event := range s.events {
		err = errors.Join(err, unix.Close(event))
	}
	return err
}
