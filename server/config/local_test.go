package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestModeRule is Java's rule with its one exception: nothing said is Local mode.
func TestModeRule(t *testing.T) {
	home := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(home, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	empty := write("empty.json", `{}`)
	cluster := write("cluster.json", `{"proxyMode": "CLUSTER", "namesrvAddr": "a:1"}`)
	local := write("local.json", `{"proxyMode": "LOCAL"}`)
	named := write("named.json", `{"namesrvAddr": "a:1"}`)
	broker := write("broker.conf", "namesrvAddr=a:1\nlistenPort=10911\n")

	const missing = "namesrvAddr is not set, and cluster mode needs a name server"
	for _, test := range []struct {
		name  string
		args  string
		env   string // NAMESRV_ADDR
		want  Mode
		fault string
	}{
		{"nothing at all", "", "", ModeLocal, ""},
		{"a blank variable", "", " ", ModeLocal, ""},
		{"blank flags", "-n= -pm= -pc=", "", ModeLocal, ""},
		{"a store says nothing of a cluster", "-store " + home, "", ModeLocal, ""},
		{"nor does a broker.conf", "-bc " + broker, "", ModeLocal, ""},
		{"-pm local", "-pm local", "", ModeLocal, ""},
		{"-pm local over a name server", "-pm LOCAL -n a:1", "b:1", ModeLocal, ""},
		{"-pm local over a file", "-pm local -pc " + cluster, "", ModeLocal, ""},
		{"a file that says so", "-pc " + local, "", ModeLocal, ""},
		{"a file that says so, and a variable", "-pc " + local, "b:1", ModeLocal, ""},
		{"-n", "-n a:1", "", ModeCluster, ""},
		{"the variable", "", "a:1", ModeCluster, ""},
		{"a file with a name server", "-pc " + named, "", ModeCluster, ""},
		{"a file that says cluster", "-pc " + cluster, "", ModeCluster, ""},
		{"a file and the variable", "-pc " + empty, "a:1", ModeCluster, ""},
		{"-pm cluster over a file", "-pm cluster -n a:1 -pc " + local, "", ModeCluster, ""},
		{"a file that says nothing", "-pc " + empty, "", ModeCluster, missing},
		{"-pm cluster alone", "-pm cluster", "", ModeCluster, missing},
		{"a variable without an address", "", ";", ModeCluster, missing},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, notices, err := Resolve(strings.Fields(test.args), Environment{Home: home, Host: "h", Addr: "10.1.2.3", NameServers: test.env})
			if test.fault == "" && err != nil || test.fault != "" && (err == nil || !strings.Contains(err.Error(), test.fault)) {
				t.Fatalf("got %v, want %q", err, test.fault)
			}
			if c.Proxy.Mode != test.want {
				t.Errorf("got %s mode", c.Proxy.Mode)
			}
			if c.ChosenLocal() != (c.Proxy.Mode == ModeLocal && !strings.Contains(strings.ToLower(test.args), "local")) {
				t.Errorf("chosen by %s", c.Origin("proxyMode"))
			}
			for _, n := range notices {
				if !n.Minor {
					t.Errorf("unexpected notice %s", n)
				}
			}
		})
	}

	// The default place counts as a file too.
	if err := os.Mkdir(filepath.Join(home, "conf"), 0o700); err != nil {
		t.Fatal(err)
	}
	write("conf/rmq-proxy.json", `{"grpcServerPort": 9000}`)
	if c, _, err := Resolve(nil, Environment{Home: home, Host: "h", Addr: "10.1.2.3"}); err == nil || c.Proxy.Mode != ModeCluster {
		t.Errorf("got %s, %v", c.Proxy.Mode, err)
	}
}

// TestStorePlace shows where messages lie, and who wins.
func TestStorePlace(t *testing.T) {
	home := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(home, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	json := write("a.json", `{"proxyMode": "local", "STOREPATHROOTDIR": "/of/json"}`)
	plain := write("b.json", `{"proxyMode": "local"}`)
	broker := write("broker.conf", "storePathRootDir = /of/broker\nflushDiskType = async_flush\n")
	for _, test := range []struct{ args, want, from string }{
		{"", "/data", originDefault},
		{"-pc " + plain, "/data", originDefault},
		{"-bc " + broker, "/of/broker", "broker.conf:1"},
		{"-bc " + broker + " -pc " + plain, "/of/broker", "broker.conf:1"},
		{"-bc " + broker + " -pc " + json, "/of/json", "a.json:1"},
		{"-bc " + broker + " -pc " + json + " -store /of/flag", "/of/flag", "flag -store"},
	} {
		c, _, err := Resolve(strings.Fields(test.args), Environment{Home: home, Host: "h", Addr: "10.1.2.3", Data: "/data"})
		if err != nil || c.Local.StorePath != test.want || !strings.HasSuffix(c.Origin("storePathRootDir"), test.from) {
			t.Errorf("%s: got %s from %s, %v", test.args, c.Local.StorePath, c.Origin("storePathRootDir"), err)
		}
		if async := strings.Contains(test.args, "-bc"); (c.Local.Flush == FlushAsync) != async {
			t.Errorf("%s: %s", test.args, c.Local.Flush)
		}
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if c, _, err := Resolve([]string{"-store", "some/where"}, Environment{Home: home, Addr: "10.1.2.3"}); err != nil || c.Local.StorePath != filepath.Join(here, "some", "where") {
		t.Errorf("got %s, %v", c.Local.StorePath, err)
	}
}

func TestDataDir(t *testing.T) {
	t.Setenv("HOME", "/home/new")
	for _, test := range []struct{ proxyHome, xdg, want string }{
		{"", "", "/home/new/.local/share/rocketmq-proxy"},
		{"", "/xdg", "/xdg/rocketmq-proxy"},
		{"", "xdg", "/home/new/.local/share/rocketmq-proxy"},
		{"/opt/rmq", "/xdg", "/opt/rmq/store"},
	} {
		t.Setenv("RMQ_PROXY_HOME", test.proxyHome)
		t.Setenv("XDG_DATA_HOME", test.xdg)
		if got := FromOS().storePath(); got != test.want {
			t.Errorf("%+v: got %s", test, got)
		}
	}
	if got := (Environment{Home: "."}).storePath(); got != "store" {
		t.Errorf("without a home: %s", got)
	}
}

// TestBrokerFileMissing: the one at the default place need not exist, one that is named must.
func TestBrokerFileMissing(t *testing.T) {
	env := Environment{Home: t.TempDir(), Addr: "10.1.2.3", Data: "/data"}
	if _, notices, err := Resolve(nil, env); err != nil || len(notices) != 1 {
		t.Errorf("got %v, %v", notices, err)
	}
	if _, _, err := Resolve([]string{"-bc", "/nowhere/b.conf"}, env); err == nil || !strings.Contains(err.Error(), "flag -bc: brokerConfigPath is /nowhere/b.conf: no such file or directory; give") {
		t.Errorf("got %v", err)
	}
	if _, _, err := Resolve([]string{"-bc", env.Home}, env); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("got %v", err)
	}
	// In cluster mode nobody reads it, as with the Java proxy.
	if _, _, err := Resolve([]string{"-n", "a:1", "-bc", "/nowhere/b.conf"}, env); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestJavaStoreIsTold(t *testing.T) {
	store := t.TempDir()
	if err := os.Mkdir(filepath.Join(store, "commitlog"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, notices, err := Resolve([]string{"-store", store}, Environment{Home: t.TempDir(), Addr: "10.1.2.3"})
	if err != nil || len(notices) != 2 || notices[1].Minor || !strings.Contains(notices[1].String(), "where a Java broker keeps messages") {
		t.Errorf("got %v, %v", notices, err)
	}
}

func TestValidateLocal(t *testing.T) {
	for _, test := range []struct {
		name string
		set  func(*Config)
		want []string
	}{
		{"as it is", func(*Config) {}, nil},
		{"no store", func(c *Config) { c.Local.StorePath = " " }, []string{"storePathRootDir is blank"}},
		{"no store in cluster mode", func(c *Config) { c.Local.StorePath = ""; c.Proxy.Mode = ModeCluster }, nil},
		{"flush", func(c *Config) { c.Local.Flush = "NEVER" }, []string{`flushDiskType is "NEVER", expected one of SYNC_FLUSH, ASYNC_FLUSH`}},
		{"hours", func(c *Config) { c.Local.Retention = 0 }, []string{"fileReservedTime is 0, expected a number of hours from 1 to 876000"}},
		{"polls", func(c *Config) { c.Local.PollsMax = 1000 }, []string{"popPollingSize is 1024, expected at most 1000, the value of maxPopPollingSize"}},
		{"all at once", func(c *Config) { c.Local.TopicQueues = 0; c.Local.TimerMax = -time.Second }, []string{"defaultTopicQueueNums is 0", "timerMaxDelaySec is -1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Default(testEnv)
			c.Proxy.Mode = ModeLocal
			test.set(&c)
			checkFaults(t, c.Validate(), test.want)
		})
	}
}
