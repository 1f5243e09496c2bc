package peer

import (
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
	if err := Build(t.Context(), t.TempDir(), "./nothing", "out"); err == nil || !strings.Contains(err.Error(), "go build") {
		t.Errorf("error %v", err)
	}
}
