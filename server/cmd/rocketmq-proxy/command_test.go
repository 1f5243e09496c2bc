package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rocketmq-proxy/remoting/fakebroker"
)

// TestSendAndReceive is the example that people paste, against a running proxy.
func TestSendAndReceive(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "hello"})
	proxy := startProxy(t, map[string]any{"grpcServerPort": 0, "localServeAddr": "127.0.0.1"}, "-n", fake.NameServer.Addr)
	for _, security := range []string{"-plaintext", "-insecure"} {
		code, stdout, stderr := runProxy(t, "send", "-addr", proxy.addr, security, "hello", "hi", "-tag", "vip", "-key", "k 1", "-property", "a=b")
		if code != 0 || stderr != "" || !regexp.MustCompile(`^01[0-9A-F]{32}  sent to hello, offset \d+\n$`).MatchString(stdout) {
			t.Fatalf("send %s: exit code %d, %q on stdout, %q on stderr", security, code, stdout, stderr)
		}
		id, _, _ := strings.Cut(stdout, " ")
		code, stdout, stderr = runProxy(t, "receive", "-addr", proxy.addr, security, "-group", "readers", "hello")
		if want := id + "  hi  {tag=vip keys=k,1 a=b}\n"; code != 0 || stderr != "" || stdout != want {
			t.Fatalf("receive %s: exit code %d, %q on stdout, want %q, %q on stderr", security, code, stdout, want, stderr)
		}
		code, stdout, stderr = runProxy(t, "receive", "-addr", proxy.addr, security, "-group", "readers", "-wait", "100ms", "hello")
		if code != 3 || stdout != "" || !strings.Contains(stderr, "0 of 1 came") {
			t.Fatalf("receive %s again: exit code %d, %q on stdout, %q on stderr", security, code, stdout, stderr)
		}
	}
	code, _, stderr := runProxy(t, "send", "-addr", proxy.addr, "nowhere", "hi")
	if code != 1 || !strings.Contains(stderr, "TOPIC_NOT_FOUND (40402)") || !strings.Contains(stderr, "Make the topic first") {
		t.Errorf("no topic: exit code %d, %q on stderr", code, stderr)
	}
	code, _, stderr = runProxy(t, "send", "-addr", proxy.addr, "-tls", "hello", "hi")
	if code != 1 || !strings.Contains(stderr, "not trusted here") {
		t.Errorf("a self-signed certificate: exit code %d, %q on stderr", code, stderr)
	}
	if code := proxy.stop(); code != 0 {
		t.Errorf("exit code %d:\n%s", code, proxy.output())
	}
	code, _, stderr = runProxy(t, "send", "-addr", proxy.addr, "hello", "hi")
	if code != 1 || !strings.Contains(stderr, "is the proxy running?") {
		t.Errorf("no proxy: exit code %d, %q on stderr", code, stderr)
	}
}

// TestModes shows which mode is tried; the rule itself has its table in server/config.
func TestModes(t *testing.T) {
	empty := writeConfig(t, map[string]any{})
	for _, test := range []struct {
		args []string
		want string // on stderr
	}{
		{[]string{"-pm", "cluster"}, "namesrvAddr is not set, and cluster mode needs a name server"},
		{[]string{"-pc", empty}, `"proxyMode": "local"`},
		{[]string{"-pm", "local", "-bc", "/nowhere/broker.conf"}, "flag -bc: brokerConfigPath is /nowhere/broker.conf"},
		{[]string{"-bc", "/nowhere/broker.conf"}, "flag -bc: brokerConfigPath is /nowhere/broker.conf"}, // nothing said: Local mode, which reads it
	} {
		code, stdout, stderr := runProxy(t, test.args...)
		if code != 1 || stdout != "" || !strings.Contains(stderr, test.want) {
			t.Errorf("%v: exit code %d, %q on stdout, %q on stderr", test.args, code, stdout, stderr)
		}
	}
}

// TestCatalogWithoutStore: who is wrong about the place is told what places there are.
func TestCatalogWithoutStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	for _, what := range []string{"topic", "group"} {
		code, stdout, stderr := runProxy(t, what, "list", "-store", dir)
		if code != 1 || stdout != "" || !strings.Contains(stderr, "there is no store in "+dir) {
			t.Errorf("%s: exit code %d, %q on stdout, %q on stderr", what, code, stdout, stderr)
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s made the store: %v", what, err)
		}
	}
}
