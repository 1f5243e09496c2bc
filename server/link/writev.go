package link

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// writev is writev(2) on vectors that the caller reuses; the one of x/sys allocates them.
func writev(fd int, iov []unix.Iovec) (int, error) {
	n, _, errno := syscall.Syscall(syscall.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&iov[0])), uintptr(len(iov)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
