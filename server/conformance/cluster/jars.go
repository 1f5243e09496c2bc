package cluster

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

//go:embed pom.xml
var pom []byte

// Missing names the first tool that is not on this machine, or nothing.
func Missing() string {
	for _, tool := range []string{"java", "javac", "mvn"} {
		if _, err := exec.LookPath(tool); err != nil {
			return tool
		}
	}
	return ""
}

// Jars returns a directory with the jars that a pom.xml asks for, from the
// cache or from Maven. What more there is to make of them, make does, once,
// with the directory; it may be nil. Two test runs may call Jars at the same
// time: one works, the other waits for it.
func Jars(ctx context.Context, name string, pom []byte, sources []string, make func(dir string) error) (string, error) {
	dir, err := cacheDir(name, pom, sources)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	// The lock goes with the process that holds it, however that one ends.
	lock, err := os.OpenFile(filepath.Join(filepath.Dir(dir), ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
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
	pomPath := filepath.Join(dir, "pom.xml")
	if err := os.WriteFile(pomPath, pom, 0o644); err != nil {
		return "", err
	}
	mvn := exec.CommandContext(ctx, "mvn", "-q", "-B", "-f", pomPath,
		"dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+dir)
	if out, err := mvn.CombinedOutput(); err != nil {
		return "", fmt.Errorf("maven could not fetch %s: %w\n%s", name, err, out)
	}
	if make != nil {
		if err := make(dir); err != nil {
			return "", err
		}
	}
	return dir, os.WriteFile(complete, nil, 0o644)
}

// cacheDir is named after what goes into it, so a changed pom.xml or source
// starts a new one.
func cacheDir(name string, pom []byte, sources []string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	h := sha256.New()
	h.Write(pom)
	for _, path := range sources {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		h.Write(text)
	}
	return filepath.Join(cache, "rocketmq-proxy-conformance", name+"-"+hex.EncodeToString(h.Sum(nil))[:12]), nil
}
