package peer

import (
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// The kernel counts each call of this process, no matter what it is for.
func TestSystemCallsAreCounted(t *testing.T) {
	s, err := (&Process{pid: os.Getpid()}).CountSyscalls()
	if err != nil {
		t.Skip("system calls cannot be counted here: ", err)
	}
	defer s.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := s.Count()
	if err != nil {
		t.Fatal(err)
	}
	const calls = 1000
	for range calls {
		_ = unix.Getppid()
	}
	after, err := s.Count()
	if err != nil {
		t.Fatal(err)
	}
	if n := after - before; n < calls || n > calls+calls/2 {
		t.Errorf("%d were counted of %d, and of some others", n, calls)
	}
}
