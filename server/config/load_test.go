package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for _, test := range []struct {
		name    string
		text    string
		faults  []string // a part of each, in order
		notices []string // a part of each, in order
		check   func(Config) bool
	}{
		{name: "as it is shipped", text: `{"rocketMQClusterName":"DefaultCluster"}`},
		{name: "nothing set", text: "{}"},
		{name: "byte order mark", text: "\xef\xbb\xbf{}"},
		{name: "any case", text: `{"GRPCserverPORT": 9000, "nameSrvAddr": "a:1"}`, check: func(c Config) bool { return c.GRPC.ServerPort == 9000 && c.NameServer.Addr == "a:1" }},
		{name: "units", text: `{"grpcShutdownTimeSeconds": 7, "channelExpiredTimeout": 9000}`, check: func(c Config) bool { return c.GRPC.ShutdownTime == 7*time.Second && c.Session.Expiry == 9*time.Second }},
		{name: "words in any case", text: `{"proxyMode": "LOCAL"}`, check: func(c Config) bool { return c.Proxy.Mode == ModeLocal }},
		{name: "quoted number", text: `{"grpcServerPort": "9000", "tlsTestModeEnable": "false"}`, notices: []string{"f:1: grpcServerPort has quotes around 9000", "tlsTestModeEnable has quotes"}, check: func(c Config) bool { return c.GRPC.ServerPort == 9000 && !c.TLS.TestMode }},
		{name: "whole float", text: `{"grpcServerPort": 9e3}`, check: func(c Config) bool { return c.GRPC.ServerPort == 9000 }},

		{name: "wrong types, all of them", text: "{\n \"grpcServerPort\": true,\n\n \"tlsTestModeEnable\": 1,\n \"proxyName\": [1,\n2],\n \"maxMessageSize\": 1.5}", faults: []string{
			"f:2: grpcServerPort is true, expected a number from 0 to 65535",
			"f:4: tlsTestModeEnable is 1, expected true or false",
			"f:5: proxyName is [1,2], expected a text in quotes",
			"f:7: maxMessageSize is 1.5, expected a number from -1 to 2147483647",
		}},
		{name: "too large for any number", text: `{"grpcServerPort": 1e400, "channelExpiredTimeout": 9223372036854775807}`, faults: []string{"grpcServerPort is 1e400", "channelExpiredTimeout is 9223372036854775807"}},
		{name: "long value", text: `{"grpcServerPort": "` + strings.Repeat("x", 100) + `"}`, faults: []string{`x..., expected a number`}},

		{name: "unknown", text: "{\n\"grpcServerPrt\": 1,\n\"colour\": 2, \"grpcTlsKeyPath\": 3}", notices: []string{
			"f:2: grpcServerPrt is unknown: ignored; did you mean grpcServerPort?",
			"f:3: colour is unknown: ignored",
			"f:3: grpcTlsKeyPath is unknown: ignored; did you mean tlsKeyPath?",
		}},
		{name: "twice", text: "{\"grpcServerPort\": \"x\",\n\"GrpcServerPort\": 2}", notices: []string{"f:2: GrpcServerPort is there twice; this one counts, not the one at f:1"}, check: func(c Config) bool { return c.GRPC.ServerPort == 2 }},
		{name: "twice, the second wrong", text: "{\"grpcServerPort\": 1,\n\"grpcServerPort\": \"x\"}", notices: []string{"twice"}, faults: []string{"f:2: grpcServerPort is"}},
		{name: "null", text: `{"grpcServerPort": null, "namesrvAddr": null}`, notices: []string{"grpcServerPort is null: the default", "namesrvAddr is null"}, check: func(c Config) bool { return c.GRPC.ServerPort == 8081 }},

		{name: "without effect", text: `{"remotingListenPort": 9, "grpcThreadPoolNums": 9, "renewThreadPoolQueueCapacity": 9, "adminGrpcPort": 9}`, notices: []string{
			"remotingListenPort not supported yet, so it has no effect", "grpcThreadPoolNums belongs to a mechanism that this proxy does not have",
			"renewThreadPoolQueueCapacity belongs", "adminGrpcPort is of no released",
		}},
		{name: "without effect for a reason", text: `{"grpcWorkerLoopNum": 9, "rocketmqMQClientNum": 12}`, notices: []string{
			"f:1: grpcWorkerLoopNum has no effect: event loops do less", "f:1: rocketmqMQClientNum has no effect: calls to a broker share",
		}},
		{name: "without effect for a reason, as it is by default", text: `{"rocketmqMQClientNum": 6, "enableBatchAck": false}`},
		{name: "without effect, as it is by default", text: `{"remotingListenPort": 8080, "metricsExporterType": "DISABLE", "enableBatchAck": false, "authConfigPath": null}`},
		{name: "doors that must not stay open", text: `{"authenticationEnabled": true, "AUTHORIZATIONENABLED": "True"}`, faults: []string{"authenticationEnabled is true, but", "authorizationEnabled is true, but"}},
		{name: "doors that are open", text: `{"authenticationEnabled": false}`},

		{name: "empty", text: " \n", faults: []string{"f: is empty; the least"}},
		{name: "no object", text: `["a"]`, faults: []string{"f: must be one JSON object"}},
		{name: "no JSON", text: "namesrvAddr=a:1", faults: []string{"f:1: is not JSON: invalid character"}},
		{name: "cut off", text: "{\n\"grpcServerPort\": 1", faults: []string{"f:2: is not JSON: the file ends too early"}},
		{name: "cut off in a value", text: "{\n\"proxyName\": \"a", faults: []string{"f:2: is not JSON: the file ends too early"}},
		{name: "comma missing", text: "{\n\"grpcServerPort\": 1\n\"proxyName\": \"a\"}", faults: []string{"f:3: is not JSON"}},
		{name: "comma too many", text: "{\n\"grpcServerPort\": 1,\n}", faults: []string{"f:3: is not JSON"}},
		{name: "fault before the syntax error", text: "{\"grpcServerPort\": {},\n\"a\" 1}", faults: []string{"f:1: grpcServerPort is {}", "f:2: is not JSON"}},
		{name: "more", text: "{}\n{}", faults: []string{"something after the closing }"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, notices, err := Parse("f", []byte(test.text), Default(testEnv))
			var faults Faults
			if errors.As(err, &faults); err != nil && faults == nil {
				t.Fatalf("error of another type: %v", err)
			}
			checkFaults(t, faults, test.faults)
			if len(notices) != len(test.notices) {
				t.Fatalf("got %d notices, want %d: %v", len(notices), len(test.notices), notices)
			}
			for i, n := range notices {
				if !strings.Contains(n.String(), test.notices[i]) {
					t.Errorf("got %q, want a part %q", n.String(), test.notices[i])
				}
			}
			if test.check != nil && !test.check(c) {
				t.Errorf("unexpected configuration %v", c)
			}
		})
	}
}

func TestParseLeavesTheBaseAlone(t *testing.T) {
	base := Default(testEnv)
	if _, _, err := Parse("f", []byte(`{"proxyName": "other"}`), base); err != nil {
		t.Fatal(err)
	}
	if base.Proxy.Name != "host-1" || base.Origin("proxyName") != "default" {
		t.Error("the base changed")
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.json")
	if err := os.WriteFile(path, []byte(`{"grpcServerPort": 9000}`), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := Load(path, Default(testEnv))
	if err != nil || c.GRPC.ServerPort != 9000 || c.Origin("grpcServerPort") != path+":1" {
		t.Errorf("got %v, %v", c, err)
	}
	if _, _, err := Load(filepath.Join(dir, "none"), Config{}); err == nil || !strings.Contains(err.Error(), "no such file or directory; give the path of an existing") {
		t.Errorf("got %v", err)
	}
	if _, _, err := Load(dir, Config{}); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(path, make([]byte, fileBytesMax+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load(path, Config{}); err == nil || !strings.Contains(err.Error(), "is longer than 1048576 bytes") {
		t.Errorf("got %v", err)
	}
}

func TestMeant(t *testing.T) {
	for unknown, want := range map[string]string{
		"grpcserverport":   "grpcServerPort",
		"grpcSeverPort":    "grpcServerPort",
		"nameServerAddr":   "namesrvAddr",
		"maxMesageSize":    "maxMessageSize",
		"remotingListPort": "remotingListenPort",
		"x":                "",
		"":                 "",
		"threads":          "",
	} {
		if got := meant(unknown); got != want {
			t.Errorf("%s: got %q, want %q", unknown, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"grpcServerPort": 9000, "proxyName": "a", "tlsTestModeEnable": "true", "x": [1, {"y": null}]}`))
	f.Add([]byte("{\"grpcServerPort\": 1,\n\"GRPCSERVERPORT\": \"\\u0000\"}"))
	f.Add([]byte(`{"channelExpiredTimeout": -1e300}{`))
	f.Add([]byte("\xef\xbb\xbf["))
	base := Default(testEnv)
	f.Fuzz(func(t *testing.T, text []byte) {
		c, notices, err := Parse("f", text, base)
		for _, n := range notices {
			_ = n.String()
		}
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without words")
			}
			return
		}
		c.Validate()
		again, _, err := Parse("again", []byte(c.String()), base)
		if err != nil {
			t.Fatalf("%v prints what cannot be read: %v", c, err)
		}
		again.TLS.KeyPassword, c.TLS.KeyPassword = "", ""
		if again.String() != c.String() {
			t.Errorf("got %v, want %v", again, c)
		}
	})
}
