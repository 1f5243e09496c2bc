package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// What lies in a store is for the user alone whose process serves it.
const (
	dirMode  = 0o700
	fileMode = 0o600
)

// private is the disk, on which every file that is written is the user's own: Pebble leaves it to
// the umask, and messages are nobody else's whatever that is. A directory that is there already
// keeps the mode that somebody gave it.
type private struct{ vfs.FS }

func (p private) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return own(p.FS.Create(name, category))
}

func (p private) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return own(p.FS.OpenReadWrite(name, category, opts...))
}

func (p private) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return own(p.FS.ReuseForWrite(oldname, newname, category))
}

func (p private) Lock(name string) (io.Closer, error) {
	lock, err := p.FS.Lock(name)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(name, fileMode); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// own takes a file from everybody else, while there is nothing in it yet.
func own(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	if err := syscall.Fchmod(int(f.Fd()), fileMode); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// lockError says why a store could not be locked: who has it, if somebody has.
func lockError(dir, lock string, err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path // the file cannot even be opened
	}
	e := &LockedError{Dir: dir, PID: os.Getpid(), Err: err}
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) {
		e.PID = lockedBy(lock)
	}
	return e
}

// lockedBy is the process that has a file locked, as the system knows it: no name is left behind
// by one that fell. It is 0 when the system does not tell. This process must not have the lock:
// it would lose it with the file that is opened here.
func lockedBy(name string) int {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return 0
	}
	defer f.Close()
	lock := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart}
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &lock); err != nil || lock.Type == syscall.F_UNLCK {
		return 0
	}
	return int(lock.Pid)
}
