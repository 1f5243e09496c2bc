package store

import (
	"errors"
	"fmt"
)

// ErrClosed is what a store answers after Close.
var ErrClosed = errors.New("store: closed")

// LockedError says that another process has the store.
type LockedError struct {
	Dir string
	PID int // the process that has it; 0 when the system does not tell
	Err error
}

func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("store: %s is in use by another process: %v", e.Dir, e.Err)
	}
	return fmt.Sprintf("store: %s is in use by process %d: %v", e.Dir, e.PID, e.Err)
}

func (e *LockedError) Unwrap() error { return e.Err }

// NewerError says that a newer version wrote the store. Nothing was changed.
type NewerError struct {
	Dir          string
	Found, Known int
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("store: %s has format %d, this version knows %d and older: use the version that wrote it, or a newer one",
		e.Dir, e.Found, e.Known)
}

// DamagedError says what of the store cannot be read. Nothing was changed.
type DamagedError struct {
	File   string // its name in the directory, "" when the error does not tell
	Offset int64  // of the first damaged byte, -1 when unknown
	Err    error
}

func (e *DamagedError) Error() string {
	switch {
	case e.File == "":
		return fmt.Sprintf("store: damaged: %v", e.Err)
	case e.Offset < 0:
		return fmt.Sprintf("store: %s is damaged: %v", e.File, e.Err)
	default:
		return fmt.Sprintf("store: %s is damaged at byte %d: %v", e.File, e.Offset, e.Err)
	}
}

func (e *DamagedError) Unwrap() error { return e.Err }

// FailedError is the end of a store: what went wrong first. No commit is taken any more; what
// was acknowledged before is on disk, and Close and Open bring it back.
type FailedError struct{ Err error }

func (e *FailedError) Error() string {
	return "store: failed, nothing is written any more: " + e.Err.Error()
}

func (e *FailedError) Unwrap() error { return e.Err }
