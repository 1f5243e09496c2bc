package bench

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rocketmq-proxy/bench/peer"
	"rocketmq-proxy/bench/scenario"
)

// repository makes one with two commits of a file, the second of which is not what lies there.
func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	git := func(args ...string) {
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=bench", "-c", "user.email=bench@localhost"}, args...)...)
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, text)
		}
	}
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "file"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git("init", "-q")
	for _, text := range []string{"first", "second"} {
		write(text)
		git("add", "file")
		git("commit", "-q", "-m", text)
	}
	write("third, not committed")
	return dir
}

func TestFilesOfACommit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("there is no git")
	}
	from := repository(t)
	for commit, want := range map[string]string{"HEAD": "second", "HEAD~1": "first"} {
		dir := t.TempDir()
		if err := extract(context.Background(), from, commit, dir); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(filepath.Join(dir, "file")); err != nil || string(text) != want {
			t.Errorf("%s: %q, %v", commit, text, err)
		}
	}
	for _, bad := range []string{"nothing", "--output=x", "", "HEAD:file"} {
		if err := extract(context.Background(), from, bad, t.TempDir()); err == nil || !strings.Contains(err.Error(), "is no commit") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// A build beside itself: every round of every pair is kept.
func TestTwoBuildsAreCompared(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts processes")
	}
	s, err := NewSuite(context.Background(), Options{Peers: []string{peer.Proxy}, Window: 100 * time.Millisecond, Brokers: 1}, ".")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Options.Peers = []string{peer.Base, peer.Tree}
	s.binaries[peer.Base], s.binaries[peer.Tree] = s.binaries[peer.Proxy], s.binaries[peer.Proxy]
	c, err := s.Compare(context.Background(), Workload{Scenario: "send", Conns: 1, Streams: 2, Params: scenario.Default()}, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range s.Options.Peers {
		if len(c.Rounds[name]) != 2*CheckTurns || c.Rounds[name][1].CPUMicros <= 0 {
			t.Errorf("%s: %+v", name, c.Rounds[name])
		}
	}
}
