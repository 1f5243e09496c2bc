package config

import (
	"fmt"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"
)

// testEnv is an environment without surprises.
var testEnv = Environment{Home: "/opt/rmq", Host: "host-1", Addr: "10.1.2.3", NameServers: "127.0.0.1:9876"}

// differs are the keys whose default is not the Java proxy's, with the reason in the field's comment.
var differs = map[string]string{
	"grpcMaxConcurrentCallsPerConnection": "1000",
	"proxyMode":                           `"cluster"`, // the same word in lower case
	"tlsCertWatchIntervalMs":              "500",
}

func TestDefaultsAreTheJavaProxys(t *testing.T) {
	c := Default(testEnv)
	for _, java := range javaKeys {
		k, ok := keysByName[strings.ToLower(java.name)]
		if !ok {
			continue
		}
		if k.name != java.name {
			t.Errorf("key %s is spelt %s in the Java proxy", k.name, java.name)
		}
		want, ours := java.value, k.printed(&c)
		if d, ok := differs[k.name]; ok {
			want = d
		}
		if want == "*" || k.name == "localServeAddr" { // Java fills it in later
			continue
		}
		if ours != want {
			t.Errorf("default of %s is %s, the Java proxy's is %s", k.name, ours, want)
		}
	}
}

func TestJavaKeysAreComplete(t *testing.T) {
	count := map[Class]int{}
	for _, k := range javaKeys {
		count[k.class]++
		if k.value == "" || strings.IndexByte("ABCD", byte(k.class)) < 0 {
			t.Errorf("bad line for %s", k.name)
		}
	}
	// 155 keys of ProxyConfig and 26 of AuthConfig, two of which are the same.
	if got := count['A'] + count['B'] + count['C']; got != 179 {
		t.Errorf("%d keys of 5.5.0, want 179", got)
	}
}

// TestReasonsAreOfJavaKeys that we do not have.
func TestReasonsAreOfJavaKeys(t *testing.T) {
	for name, why := range reasons {
		folded := strings.ToLower(name)
		if javaKeys[folded].name != name || keysByName[folded] != nil || !strings.HasPrefix(why, "has no effect") {
			t.Errorf("%s %s", name, why)
		}
	}
}

func TestDefaultIsValid(t *testing.T) {
	c := Default(testEnv)
	if faults := c.Validate(); len(faults) > 0 {
		t.Error(faults)
	}
	if got := c.Origin("NAMESRVADDR"); got != "$NAMESRV_ADDR" {
		t.Errorf("origin %q", got)
	}
	if got := c.Origin("grpcServerPort"); got != "default" {
		t.Errorf("origin %q", got)
	}
}

// TestEveryKeyTakesItsValue sets each key to another value through a file and finds it there,
// and nowhere else.
func TestEveryKeyTakesItsValue(t *testing.T) {
	before := Default(testEnv)
	for i := range keys {
		k := &keys[i]
		value := other(k, &before)
		after, notices, err := Parse("f", fmt.Appendf(nil, `{%q: %s}`, strings.ToUpper(k.name), value), before)
		if err != nil || len(notices) > 0 {
			t.Errorf("%s = %s: %v %v", k.name, value, err, notices)
			continue
		}
		for j := range keys {
			same := keys[j].in(&before).Equal(keys[j].in(&after))
			if same == (i == j) {
				t.Errorf("%s = %s: key %s changed: %v", k.name, value, keys[j].name, !same)
			}
		}
		if got := after.Origin(k.name); got != "f:1" {
			t.Errorf("%s: origin %q", k.name, got)
		}
	}
}

// other is a value of k that c does not have, as JSON.
func other(k *key, c *Config) string {
	v := k.in(c)
	switch {
	case k.unit != 0:
		return fmt.Sprint(k.max/int64(k.unit) - 1)
	case v.Kind() == reflect.Int || v.Kind() == reflect.Int64:
		return fmt.Sprint(k.max - 1)
	case v.Kind() == reflect.Bool:
		return fmt.Sprint(!v.Bool())
	case k.words != nil:
		return quote(strings.ToUpper(k.words[len(k.words)-1]))
	default:
		return `"other"`
	}
}

// TestStringGivesTheConfigurationAgain is what makes the printed configuration worth printing.
func TestStringGivesTheConfigurationAgain(t *testing.T) {
	c := Default(testEnv)
	c.GRPC.ServerPort, c.Proxy.Name, c.Client.PollTimeoutMax = 9999, `a "quoted" <name>`, 7*time.Second
	again, notices, err := Parse("printed", []byte(c.String()), Default(Environment{}))
	if err != nil || len(notices) > 0 {
		t.Fatal(err, notices)
	}
	again.origins, c.origins = nil, nil
	if !reflect.DeepEqual(again, c) {
		t.Errorf("got\n%v\nwant\n%v", again, c)
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	c := Default(testEnv)
	c.TLS.KeyPassword = "hunter2"
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, v := range []any{c, &c, c.TLS, &c.TLS, c.TLS.KeyPassword} {
			if s := fmt.Sprintf(format, v); strings.Contains(s, "hunter2") {
				t.Errorf("%s of %T prints the password", format, v)
			}
		}
	}
	if !strings.Contains(c.String(), `"tlsKeyPassword": "***"`) {
		t.Error("the password is not redacted but missing")
	}
	_, _, err := Parse("f", []byte(`{"tlsKeyPassword": {"a": "hunter2"}}`), c)
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		name string
		set  func(*Config)
		want []string // a part of each fault, in order
	}{
		{"no name server", func(c *Config) { c.NameServer.Addr = " ; " }, []string{"namesrvAddr is not set, and cluster mode needs a name server: give it with -n"}},
		{"no name server in local mode", func(c *Config) { c.NameServer.Addr = ""; c.Proxy.Mode = ModeLocal }, nil},
		{"a domain instead", func(c *Config) { c.NameServer.Addr = ""; c.NameServer.Domain = "names.example" }, nil},
		{"a domain with a port", func(c *Config) { c.NameServer.Domain = "[::1]:80"; c.NameServer.DomainSubgroup = "nsaddr" }, nil},
		{"a domain that is none", func(c *Config) { c.NameServer.Domain = "http://x" }, []string{`namesrvDomain is "http://x", expected the host`}},
		{"a domain with a path", func(c *Config) { c.NameServer.Domain = "x"; c.NameServer.DomainSubgroup = "a/b?" }, []string{`namesrvDomainSubgroup is "a/b?"`}},
		{"commas", func(c *Config) { c.NameServer.Addr = "a:1,b:2" }, []string{"separate addresses with ';'"}},
		{"scheme", func(c *Config) { c.NameServer.Addr = "http://a:9876" }, []string{"has a scheme"}},
		{"no port", func(c *Config) { c.NameServer.Addr = "a;b:9876;c:0" }, []string{`has "a", which is not host:port`, `port "0"; expected a number from 1 to 65535`}},
		{"IPv6", func(c *Config) { c.NameServer.Addr = "[::1]:9876" }, nil},
		{"IPv6 without brackets", func(c *Config) { c.NameServer.Addr = "fd00::1:9876;::1:99999" }, []string{`port "99999"`}},
		{"port", func(c *Config) { c.GRPC.ServerPort = 70000 }, []string{"grpcServerPort is 70000, expected a number from 0 to 65535"}},
		{"duration", func(c *Config) { c.Session.Expiry = 0 }, []string{"channelExpiredTimeout is 0, expected a number of milliseconds from 1000 to 86400000"}},
		{"seconds", func(c *Config) { c.GRPC.ShutdownTime = -time.Second }, []string{"grpcShutdownTimeSeconds is -1, expected a number of seconds from 0 to 3600"}},
		{"mode", func(c *Config) { c.Proxy.Mode = "clustre" }, []string{`proxyMode is "clustre", expected one of cluster, local`}},
		{"order", func(c *Config) { c.Client.PollTimeoutMin = time.Minute }, []string{"grpcClientConsumerMinLongPollingTimeoutMillis is 1m0s, expected at most 20s, the value of grpcClientConsumerMax"}},
		{"admin not loopback", func(c *Config) { c.Operator.AdminAddr = "0.0.0.0:8082" }, []string{"expected a loopback address"}},
		{"admin loopback", func(c *Config) { c.Operator.AdminAddr = "[::1]:0" }, nil},
		{"admin without port", func(c *Config) { c.Operator.AdminAddr = "localhost" }, []string{"is not host:port; an example"}},
		{"local address with port", func(c *Config) { c.Proxy.LocalAddr = "10.0.0.1:8081" }, []string{"without a port"}},
		{"local address IPv6", func(c *Config) { c.Proxy.LocalAddr = "fe80::1" }, nil},
		{"metrics to nowhere", func(c *Config) { c.Client.MetricMode = "on" }, []string{"metricCollectorMode is on"}},
		{"no certificate", func(c *Config) { c.TLS.TestMode, c.TLS.CertPath, c.TLS.KeyPath = false, "", "" }, []string{"tlsCertPath is blank", "tlsKeyPath is blank"}},
		{"no certificate, no TLS", func(c *Config) { c.TLS.Mode, c.TLS.TestMode, c.TLS.CertPath = TLSDisabled, false, "" }, nil},
		{"client certificates of nobody", func(c *Config) { c.TLS.ClientAuth = ClientAuthOptional }, []string{"tlsServerTrustCertPath is blank, and tlsServerNeedClientAuth is optional"}},
		{"unknown TLS mode", func(c *Config) { c.TLS.Mode = "strict" }, []string{`tlsServerMode is "strict", expected one of disabled, permissive, enforcing`}},
		{"all at once", func(c *Config) { c.GRPC.ServerPort = -1; c.Operator.LogLevel = "loud"; c.NameServer.Addr = "" }, []string{"grpcServerPort", "logLevel", "namesrvAddr"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Default(testEnv)
			test.set(&c)
			checkFaults(t, c.Validate(), test.want)
		})
	}
}

func checkFaults(t *testing.T, got Faults, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d faults, want %d:\n%v", len(got), len(want), got)
	}
	for i, f := range got {
		if !strings.Contains(f.Error(), want[i]) {
			t.Errorf("got %q, want a part %q", f.Error(), want[i])
		}
	}
}

func TestLocalAddr(t *testing.T) {
	addr := func(s string) net.Addr {
		ip, n, err := net.ParseCIDR(s)
		if err != nil {
			t.Fatal(err)
		}
		n.IP = ip
		return n
	}
	for _, test := range []struct {
		addrs []net.Addr
		want  string
	}{
		{nil, "127.0.0.1"},
		{[]net.Addr{addr("127.0.0.1/8"), addr("::1/128")}, "127.0.0.1"},
		{[]net.Addr{addr("127.0.0.1/8"), addr("fe80::1/64"), addr("169.254.1.1/16"), addr("192.168.1.7/24"), addr("10.0.0.1/8")}, "192.168.1.7"},
		{[]net.Addr{addr("fe80::1/64"), addr("fd00::7/64"), addr("192.168.1.7/24")}, "192.168.1.7"},
		{[]net.Addr{addr("127.0.0.1/8"), addr("::1/128"), addr("fe80::1/64"), addr("fd00::7/64"), addr("2001:db8::1/64")}, "fd00::7"},
	} {
		if got := localAddr(test.addrs); got != test.want {
			t.Errorf("%v: got %s, want %s", test.addrs, got, test.want)
		}
	}
}

func TestSplitHostPort(t *testing.T) {
	for addr, want := range map[string]string{"a:1": "a 1", "[::1]:9876": "::1 9876", "a": "a -1", "a:b": "a -1"} {
		host, port := SplitHostPort(addr)
		if got := fmt.Sprint(host, " ", port); got != want {
			t.Errorf("%s: got %s, want %s", addr, got, want)
		}
	}
}
