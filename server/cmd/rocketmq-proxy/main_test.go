package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// proxyBinary is the program under test, built once for all tests as it ships: without the race
// detector, whose memory is not what is measured here.
var proxyBinary string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "rocketmq-proxy-test-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	proxyBinary = filepath.Join(dir, "rocketmq-proxy")
	build := exec.Command("go", "build", "-trimpath", "-o", proxyBinary, ".") // as make build does: it is compiled once
	if said, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("go build: %w\n%s", err, said)
	}
	return m.Run(), nil
}
