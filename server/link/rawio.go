package link

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rawRead, rawWrite and rawWritev go to the kernel without telling the scheduler. The descriptors
// never block, and a call is over in microseconds; for one that is told of, the scheduler wakes its
// monitor, and may give the processor away and wake a thread for it, which costs more than the call.

// rawRead is read(2); p is not empty.
func rawRead(fd int, p []byte) (int, error) {
	return result(syscall.RawSyscall(syscall.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p))))
}

// rawWrite is write(2); p is not empty.
func rawWrite(fd int, p []byte) (int, error) {
	return result(syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p))))
}

// rawWritev is writev(2) on vectors that the caller reuses; the one of x/sys allocates them.
func rawWritev(fd int, iov []unix.Iovec) (int, error) {
	return result(syscall.RawSyscall(syscall.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&iov[0])), uintptr(len(iov))))
}

func result(n, _ uintptr, errno syscall.Errno) (int, error) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
