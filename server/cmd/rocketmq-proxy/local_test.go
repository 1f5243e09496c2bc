package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLocalMode is the first run: a broker inside, what it says, the example it gives, and the
// same store looked after while it runs, when it is stopped, and after it was killed.
func TestLocalMode(t *testing.T) {
	dir, err := os.MkdirTemp("", "local-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store := filepath.Join(dir, "store")
	keys := map[string]any{"proxyMode": "local", "grpcServerPort": 0, "localServeAddr": "127.0.0.1"}
	say := func(want string, args ...string) {
		t.Helper()
		if code, stdout, stderr := runProxy(t, args...); code != 0 || stderr != "" || !strings.Contains(stdout, want) {
			t.Fatalf("%v: exit code %d, %q on stdout, want %q, %q on stderr", args, code, stdout, want, stderr)
		}
	}

	proxy := startProxy(t, keys, "-store", store)
	for _, part := range []string{"runs in Local mode", "Messages      " + store + "\n", "SYNC_FLUSH", "Clients dial  127.0.0.1:", "TLS ", " hello \"hi\"\n", "receive -addr " + proxy.addr + " hello\n", `"mode":"local"`} {
		if !strings.Contains(proxy.output(), part) {
			t.Errorf("%q is missing in\n%s", part, proxy.output())
		}
	}
	say("  sent to hello, offset 0\n", "send", "-addr", proxy.addr, "hello", "hi")
	say("  hi\n", "receive", "-addr", proxy.addr, "hello")
	say("topic orders created\n", "topic", "create", "-store", store, "-type", "FIFO", "orders")
	if code, _, stderr := runProxy(t, "send", "-addr", proxy.addr, "orders", "no group"); code != 1 || !strings.Contains(stderr, "-message-group sends FIFO") {
		t.Errorf("a message of the wrong type: exit code %d, %q", code, stderr)
	}
	say("  sent to orders, offset 0\n", "send", "-addr", proxy.addr, "-message-group", "g", "orders", "first")
	if code, _, stderr := runProxy(t, "-store", store, "-pm", "local"); code != 1 || !strings.Contains(stderr, fmt.Sprint("in use by process ", proxy.cmd.Process.Pid)) {
		t.Errorf("a second proxy on the store: exit code %d, %q", code, stderr)
	}
	if code := proxy.stop(); code != 0 {
		t.Errorf("exit code %d:\n%s", code, proxy.output())
	}

	say("orders   FIFO   4        1\n", "topic", "list", "-store", store)
	say("group readers created\n", "group", "create", "-store", store, "-r", "3", "readers")
	if _, err := os.Stat(filepath.Join(store, "admin.sock")); !os.IsNotExist(err) {
		t.Errorf("a stopped proxy leaves its socket: %v", err)
	}

	proxy = startProxy(t, keys, "-store", store)
	say("retries       3\n", "group", "describe", "-store", store, "readers")
	say("  first  {message-group=g}\n", "receive", "-addr", proxy.addr, "-group", "readers", "orders")
	proxy.kill()
	say("readers", "group", "list", "-store", store)
	say("topic hello deleted\n", "topic", "delete", "-store", store, "-yes", "hello")
}

// TestStoreOfANewerVersion is refused, and says so, to the proxy and to the commands.
func TestStoreOfANewerVersion(t *testing.T) {
	store := t.TempDir()
	if err := os.WriteFile(filepath.Join(store, "FORMAT"), []byte("rocketmq-proxy store format 1000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-pm", "local", "-store", store}, {"topic", "list", "-store", store}} {
		code, _, stderr := runProxy(t, args...)
		if code != 1 || !strings.Contains(stderr, "has format 1000") || !strings.Contains(stderr, "use the version that wrote it, or a newer one") {
			t.Errorf("%v: exit code %d, %q", args, code, stderr)
		}
	}
	if left, err := os.ReadFile(filepath.Join(store, "FORMAT")); err != nil || string(left) != "rocketmq-proxy store format 1000\n" {
		t.Errorf("it was changed: %q %v", left, err)
	}
}
