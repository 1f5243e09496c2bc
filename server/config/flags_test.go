package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseFlags(t *testing.T) {
	all := Flags{"a:1;b:2", "f.json", "local", "b.conf", "/data"}
	for _, test := range []struct {
		args string
		want Flags
		err  string
	}{
		{"", Flags{}, ""},
		{"-n a:1;b:2 -pc f.json -pm local -bc b.conf -store /data", all, ""},
		{"--namesrvAddr a:1;b:2 --proxyConfigPath f.json --proxyMode local --brokerConfigPath b.conf --storePathRootDir /data", all, ""},
		{"--n=a:1;b:2 --pc=f.json -proxyMode=local --bc b.conf -store=/data", all, ""},
		{"-n a:1;b:2 -x", Flags{}, "flag provided but not defined: -x"},
		{"-n", Flags{}, "flag needs an argument: -n"},
		{"local", Flags{}, `unexpected argument "local"`},
	} {
		got, err := ParseFlags(strings.Fields(test.args))
		if test.err != "" {
			var usage *UsageError
			if !errors.As(err, &usage) || usage.Error() != test.err {
				t.Errorf("%s: got error %v, want %s", test.args, err, test.err)
			}
			continue
		}
		if err != nil || got != test.want {
			t.Errorf("%s: got %+v, %v", test.args, got, err)
		}
	}
	for _, args := range []string{"-h", "--help", "-n a:1 -help"} {
		if _, err := ParseFlags(strings.Fields(args)); !errors.Is(err, flag.ErrHelp) {
			t.Errorf("%s: got %v", args, err)
		}
	}
}

// TestResolveOrder shows who wins: flag, file, environment, default.
func TestResolveOrder(t *testing.T) {
	home := t.TempDir()
	write := func(path, text string) string {
		t.Helper()
		path = filepath.Join(home, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("conf/rmq-proxy.json", `{"namesrvAddr": "file:1", "proxyMode": "Cluster"}`)
	named := write("named.json", `{"proxyName": "named", "localServeAddr": " "}`)

	inHome := Environment{Home: home, Host: "h", Addr: "10.1.2.3", NameServers: "env:1"}
	for _, test := range []struct {
		name       string
		args       []string
		env        Environment
		addr, from string // of namesrvAddr
	}{
		{"file over environment", nil, inHome, "file:1", "rmq-proxy.json:1"},
		{"flag over file", []string{"-n", "flag:1"}, inHome, "flag:1", "flag -n"},
		{"blank flag is none", []string{"-n", " ", "-pc", "", "-pm", ""}, inHome, "file:1", "rmq-proxy.json:1"},
		{"-pc instead of the default place", []string{"-pc", named}, inHome, "env:1", "$NAMESRV_ADDR"},
		{"environment alone", nil, testEnv, "127.0.0.1:9876", "$NAMESRV_ADDR"},
	} {
		c, _, err := Resolve(test.args, test.env)
		if err != nil || c.NameServer.Addr != test.addr || !strings.HasSuffix(c.Origin("namesrvAddr"), test.from) {
			t.Errorf("%s: got %s from %s, %v", test.name, c.NameServer.Addr, c.Origin("namesrvAddr"), err)
		}
	}

	broker := write("b.conf", "storePathRootDir=/data")
	c, _, err := Resolve([]string{"-pc", named, "-pm", "LOCAL", "-bc", broker}, inHome)
	if err != nil || c.Proxy.Name != "named" || c.Proxy.Mode != ModeLocal || c.Proxy.BrokerConfigPath != broker || c.Proxy.LocalAddr != "10.1.2.3" {
		t.Errorf("got %v, %v", c, err)
	}
}

func TestResolveFaults(t *testing.T) {
	bare := Environment{Home: t.TempDir(), Host: "h", Addr: "10.1.2.3"}
	broken := filepath.Join(bare.Home, "broken.json")
	if err := os.WriteFile(broken, []byte("{\"namesrvAddr\": 5,\n\"grpcServerPort\": 99999,\n\"logLevel\": \"loud\"}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		args []string
		want []string
	}{
		{"no name server for a cluster", []string{"-pm", "cluster"}, []string{"namesrvAddr is not set"}},
		{"named file missing", []string{"-n", "a:1", "-pc", "/nowhere/x.json"}, []string{"configuration file /nowhere/x.json: no such file"}},
		{"flag out of range", []string{"-n", "a:1", "-pm", "both"}, []string{`flag -pm: proxyMode is "both", expected one of cluster, local`}},
		{"types and ranges together", []string{"-pc", broken}, []string{
			broken + ":1: namesrvAddr is 5, expected a text in quotes",
			broken + ":2: grpcServerPort is 99999",
			broken + `:3: logLevel is "loud", expected one of trace, debug, info, warn, error`,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := Resolve(test.args, bare)
			var faults Faults
			errors.As(err, &faults)
			checkFaults(t, faults, test.want)
		})
	}
}

func TestResolveNoticesTheMissingFile(t *testing.T) {
	_, notices, err := Resolve([]string{"-n", "a:1"}, testEnv)
	if err != nil || len(notices) != 1 || notices[0].String() != "/opt/rmq/conf/rmq-proxy.json: there is no such file: the defaults apply" {
		t.Errorf("got %v, %v", notices, err)
	}
}

func TestExit(t *testing.T) {
	for _, test := range []struct {
		err       error
		code      int
		out, err2 string // how each begins
	}{
		{flag.ErrHelp, 0, help, ""},
		{&UsageError{"flag provided but not defined: -x"}, 1, "", "rocketmq-proxy: flag provided but not defined: -x\n\n" + help},
		{Faults{{Key: "k", Problem: "is bad"}, {Origin: "f:1", Problem: "is worse"}}, 1, "", "rocketmq-proxy cannot start: its configuration is wrong\nk is bad\nf:1: is worse\n"},
	} {
		var out, errs strings.Builder
		if code := Exit(test.err, &out, &errs); code != test.code || out.String() != test.out || errs.String() != test.err2 {
			t.Errorf("%v: got %d, %q, %q", test.err, code, out.String(), errs.String())
		}
	}
}

// TestHelpNamesEveryFlag keeps the text, which is written by hand, and the flags together.
func TestHelpNamesEveryFlag(t *testing.T) {
	words := []string{"  -h,", "-help", "NAMESRV_ADDR", "RMQ_PROXY_HOME", "ROCKETMQ_HOME", "XDG_DATA_HOME"}
	for _, d := range definitions {
		words = append(words, "  -"+d.short+",", "-"+d.long)
	}
	for _, word := range words {
		if !strings.Contains(Help(), word) {
			t.Errorf("help does not name %s", word)
		}
	}
	start, end := strings.Index(help, "    {\n"), strings.Index(help, "    }\n")
	if start < 0 || end < start {
		t.Fatal("help has no example of a file")
	}
	if _, notices, err := Parse("help", []byte(help[start:end+6]), Config{}); err != nil || len(notices) > 0 {
		t.Errorf("the example is wrong: %v %v", err, notices)
	}
	for i, line := range strings.Split(help, "\n") {
		if len(line) > 100 {
			t.Errorf("line %d of the help is too long for a terminal", i+1)
		}
	}
}

func TestFromOS(t *testing.T) {
	t.Setenv("NAMESRV_ADDR", "x:1")
	t.Setenv("RMQ_PROXY_HOME", "")
	t.Setenv("ROCKETMQ_HOME", "")
	if got := FromOS(); got.NameServers != "x:1" || got.DefaultPath() != "conf/rmq-proxy.json" || got.Addr == "" {
		t.Errorf("got %+v", got)
	}
	t.Setenv("ROCKETMQ_HOME", "/r")
	if got := FromOS().DefaultPath(); got != "/r/conf/rmq-proxy.json" {
		t.Errorf("got %s", got)
	}
	t.Setenv("RMQ_PROXY_HOME", "/p")
	if got := FromOS().DefaultPath(); got != "/p/conf/rmq-proxy.json" {
		t.Errorf("got %s", got)
	}
}
