package peer

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func script(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "peer")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestProcessIsReadyMeasuredAndStopped(t *testing.T) {
	p, err := Start("busy", script(t, "echo booting\necho bench-ready admin=127.0.0.1:1 grpc=1.2.3.4:5\nwhile :; do :; done\n"), nil, benchReady)
	if err != nil {
		t.Fatal(err)
	}
	if p.Addrs["grpc"] != "1.2.3.4:5" {
		t.Errorf("addresses %v", p.Addrs)
	}
	before, err := p.CPU()
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	after, err := p.CPU()
	if used := after - before; err != nil || used < 5*time.Millisecond || used > 400*time.Millisecond {
		t.Errorf("a busy loop used %v in 200 ms, %v", used, err)
	}
	if rss, err := p.RSS(); err != nil || rss < 100<<10 || rss > 100<<20 {
		t.Errorf("RSS %d, %v", rss, err)
	}
	if _, err := p.Mallocs(); err == nil {
		t.Error("allocations were read where nobody listens")
	}
	if err := p.Alive(); err != nil {
		t.Error(err)
	}
	p.Stop()
	if p.Alive() == nil {
		t.Error("alive after Stop")
	}
}

func TestFailureToStartSaysWhy(t *testing.T) {
	_, err := Start("broken", script(t, "echo the reason\nexit 3\n"), nil, benchReady)
	if err == nil || !strings.Contains(err.Error(), "broken ended") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("error %v", err)
	}
	var unavailable *UnavailableError
	if _, err := Start("absent", script(t, "echo java is missing\nexit 69\n"), nil, benchReady); !errors.As(err, &unavailable) || unavailable.Reason != "java is missing" {
		t.Errorf("error %v", err)
	}
	if err := Build(t.Context(), t.TempDir(), "./nothing", "out"); err == nil || !strings.Contains(err.Error(), "go build") {
		t.Errorf("error %v", err)
	}
}

// A peer of others' that has not been installed is left out, and how to get it is said.
func TestRustIsNotInstalled(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Binaries{}.Start(Rust, &Process{}, t.TempDir())
	if unavailable, is := errors.AsType[*UnavailableError](err); !is || !strings.Contains(unavailable.Reason, "cargo install") {
		t.Errorf("error %v", err)
	}
}

// A peer may be somebody who started what is to be measured.
func TestAnotherProcessIsMeasured(t *testing.T) {
	p, err := Start("starter", script(t, "while :; do :; done &\ntrap 'kill $!; exit' TERM\necho bench-ready pid=$!\nwait\n"), nil, benchReady)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	if p.pid == p.cmd.Process.Pid || p.CountsMallocs() {
		t.Errorf("process %d is measured, %d was started", p.pid, p.cmd.Process.Pid)
	}
	before, err := p.CPU()
	if err != nil {
		t.Fatal(err)
	}
	for used := before; used == before; { // it does nothing but work
		if used, err = p.CPU(); err != nil {
			t.Fatal(err)
		}
	}
}
