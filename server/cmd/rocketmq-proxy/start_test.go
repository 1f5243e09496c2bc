package main_test

import (
	"bytes"
	"errors"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"rocketmq-proxy/codec/apiv2"
	"rocketmq-proxy/remoting/fakebroker"
)

// runProxy runs the program to its end.
func runProxy(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), proxyBinary, args...)
	cmd.Env = environment()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

func TestHelp(t *testing.T) {
	code, stdout, stderr := runProxy(t, "-h")
	if code != 0 || stderr != "" {
		t.Errorf("exit code %d, %q on stderr", code, stderr)
	}
	for _, flag := range []string{"-n", "-pc", "-pm", "-bc", "-h"} {
		if !strings.Contains(stdout, flag) {
			t.Errorf("the help does not say what %s is:\n%s", flag, stdout)
		}
	}
}

func TestWrongCommandLine(t *testing.T) {
	for _, args := range [][]string{{"-x"}, {"-n"}, {"stray"}, {"-pc", "/nowhere/rmq-proxy.json"}, {"-pm", "sideways"}} {
		code, stdout, stderr := runProxy(t, args...)
		if code != 1 || stdout != "" || stderr == "" {
			t.Errorf("%v: exit code %d, %q on stdout, %q on stderr", args, code, stdout, stderr)
		}
	}
}

// Every fault is reported at once, each with its key.
func TestWrongConfiguration(t *testing.T) {
	wrong := map[string]any{
		"grpcServerPort": 70000, "namesrvAddr": "no port", "logLevel": "loud", "inboxBytesMax": 1,
		"brokerCallTimeoutMillis": "soon", "metricCollectorMode": "maybe",
	}
	code, stdout, stderr := runProxy(t, "-pc", writeConfig(t, wrong))
	if code != 1 || stdout != "" {
		t.Errorf("exit code %d, %q on stdout", code, stdout)
	}
	for key := range wrong {
		if strings.Count(stderr, key) != 1 {
			t.Errorf("%s is reported %d times:\n%s", key, strings.Count(stderr, key), stderr)
		}
	}
}

// What is only found out by trying is no less an end with words and a code.
func TestPortTaken(t *testing.T) {
	ln, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for _, keys := range []map[string]any{
		{"grpcServerPort": ln.Addr().(*net.TCPAddr).Port},
		{"grpcServerPort": 0, "adminListenAddr": ln.Addr().String()},
		{"grpcServerPort": 0, "tlsTestModeEnable": false, "tlsCertPath": "/nowhere.pem"},
	} {
		keys["namesrvAddr"] = "127.0.0.1:9"
		code, _, stderr := runProxy(t, "-pc", writeConfig(t, keys))
		if code != 1 || !strings.Contains(stderr, "cannot start") {
			t.Errorf("%v: exit code %d, %q on stderr", keys, code, stderr)
		}
	}
}

// The start line comes on stdout, unknown keys are warned about, and SIGTERM ends with 0, also
// while a client is connected.
func TestStartAndStop(t *testing.T) {
	fake := fakebroker.Start(t)
	fake.SetTopic(fakebroker.Topic{Name: "flood"})
	for _, secure := range []bool{false, true} {
		proxy := startProxy(t, map[string]any{"grpcServerPort": 0, "localServeAddr": "127.0.0.1", "unheardOf": 1}, "-n", fake.NameServer.Addr)
		if !strings.Contains(proxy.output(), "unheardOf") {
			t.Errorf("an unknown key was passed over:\n%s", proxy.output())
		}
		client := dialHonest(proxy.addr, secure)
		client.queryRoute(t)
		client.sendMessage(t)
		if code := proxy.stop(); code != 0 {
			t.Errorf("exit code %d:\n%s", code, proxy.output())
		}
		client.close()
	}
}

// No name server: the proxy starts, and says so when somebody asks for a route.
func TestStartWithoutNameServer(t *testing.T) {
	proxy := startProxy(t, map[string]any{"grpcServerPort": 0, "localServeAddr": "127.0.0.1", "namesrvAddr": "127.0.0.1:9"})
	client := dialHonest(proxy.addr, false)
	var answer apiv2.QueryRouteResponse
	client.call(t, "QueryRoute", &apiv2.QueryRouteRequest{Topic: &apiv2.Resource{Name: "flood"}}, &answer)
	if answer.GetStatus().GetCode() == apiv2.Code_OK {
		t.Errorf("a route out of nowhere: %v", &answer)
	}
	warned := regexp.MustCompile(`"level":"warn".*127\.0\.0\.1:9`)
	if !within(patience, func() bool { return warned.MatchString(proxy.output()) }) {
		t.Errorf("nothing is said of the name server:\n%s", proxy.output())
	}
	client.close()
	if code := proxy.stop(); code != 0 {
		t.Errorf("exit code %d:\n%s", code, proxy.output())
	}
}
