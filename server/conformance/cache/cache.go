// Package cache keeps what takes long to fetch or to build from one test run to the next, in the user's
// cache directory.
package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Dir is a directory for what fill makes out of inputs. It is named after them, so that changed inputs
// start a new one. fill is called once with the directory, again only when it failed. Two test runs may
// call Dir at the same time: one works, the other waits for it.
func Dir(name string, inputs [][]byte, fill func(dir string) error) (string, error) {
	parent, err := os.UserCacheDir()
	if err != nil {
		parent = os.TempDir()
	}
	h := sha256.New()
	for _, input := range inputs {
		h.Write(input)
	}
	dir := filepath.Join(parent, "rocketmq-proxy-conformance", name+"-"+hex.EncodeToString(h.Sum(nil))[:12])
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	// The lock goes with the process that holds it, however that one ends.
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	complete := filepath.Join(dir, ".complete")
	if _, err := os.Stat(complete); !errors.Is(err, fs.ErrNotExist) {
		return dir, err
	}
	if err := fill(dir); err != nil {
		return "", err
	}
	return dir, os.WriteFile(complete, nil, 0o644)
}
