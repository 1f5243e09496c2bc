package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestProperties(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "",
		"a=1":                            "1:a=1",
		"a = 1 \nb:2\r\nc 3\rd\t4":       "1:a=1 2:b=2 3:c=3 4:d=4",
		"# a=1\n ! b=2\n\n  c = 3":       "4:c=3",
		"a":                              "1:a=",
		"a=":                             "1:a=",
		"a==b:c":                         "1:a==b:c",
		"a=1,\\\n   2,\\\n3\nb=4":        "1:a=1,2,3 4:b=4",
		"a=1\\":                          "1:a=1",
		`a=c:\\data\tx`:                  "1:a=c:\\data\tx",
		`a=\\` + "\nb=2":                 "1:a=\\ 2:b=2",
		`a\=b\ c=d`:                      "1:a=b c=d",
		`a=\u00e4\ud83d\ude00`:           "1:a=ä😀",
		`a=\u00e`:                        `1:! has a \u without`,
		`a=\u+0e4`:                       `1:! has a \u without`,
		"=1\nb=2":                        "1:! has no key 2:b=2",
		"a=\xff":                         "1:! is not UTF-8",
		"\ufeffa=1":                      "1:a=1",
		"brokerIP1=10.0.0.1\nlistenPort": "1:brokerIP1=10.0.0.1 2:listenPort=",
	} {
		var got []string
		for _, p := range properties(text) {
			if p.problem != "" {
				got = append(got, fmt.Sprintf("%d:! %s", p.line, p.problem))
				continue
			}
			got = append(got, fmt.Sprintf("%d:%s=%s", p.line, p.key, p.value))
		}
		if joined := strings.Join(got, " "); joined != want && !(strings.Contains(want, "!") && sameBegin(joined, want)) {
			t.Errorf("%q: got %q, want %q", text, joined, want)
		}
	}
}

// sameBegin holds problems against their beginnings.
func sameBegin(got, want string) bool {
	for part := range strings.SplitSeq(want, " 2:") {
		if !strings.Contains(got, part) {
			return false
		}
	}
	return true
}

// existing is the broker.conf of an installation, as the distribution has it and people add to it.
const existing = `# Licensed to somebody
brokerClusterName = DefaultCluster
brokerName = broker-a
brokerId = 0
deleteWhen = 04
fileReservedTime = 48
brokerRole = ASYNC_MASTER
flushDiskType = ASYNC_FLUSH
storePathRootDir = /home/rocketmq/store
autoCreateTopicEnable = false
transactionCheckInterval=5000
timerMaxDelaySec=604800
enablePropertyFilter=true
popPollingMapSize=1
`

func TestParseBroker(t *testing.T) {
	c := Default(testEnv)
	notices, faults := c.parseBroker("f", existing)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	got := c.Local
	want := defaultLocal(testEnv)
	want.Retention, want.Flush, want.StorePath, want.AutoCreateTopics = 48*time.Hour, FlushAsync, "/home/rocketmq/store", false
	want.TransactionCheckInterval, want.TimerMax = 5*time.Second, 168*time.Hour
	if got != want {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if origin := c.Origin("fileReservedTime"); origin != "f:6" {
		t.Errorf("origin %s", origin)
	}
	if len(notices) != 7 {
		t.Errorf("got %d notices: %v", len(notices), notices)
	}
	for _, n := range notices {
		if !n.Minor || strings.Contains(n.Text, "did you mean") {
			t.Errorf("notice %s", n)
		}
	}
}

func TestParseBrokerFaults(t *testing.T) {
	for _, test := range []struct {
		name    string
		text    string
		faults  []string
		notices []string
	}{
		{name: "all at once", text: "fileReservedTime=soon\n\nautoCreateTopicEnable=1\nflushIntervalCommitLog=1.5\n\\u1=2", faults: []string{
			`f:1: fileReservedTime is "soon", expected a number of hours from 1 to 876000`,
			`f:3: autoCreateTopicEnable is "1", expected true or false`,
			`f:4: flushIntervalCommitLog is "1.5", expected a number of milliseconds`,
			`f:5: has a \u without`,
		}},
		{name: "twice", text: "fileReservedTime=soon\nFileReservedTime=5", notices: []string{"f:2: FileReservedTime is there twice; this one counts, not the one at f:1"}},
		{name: "a slip", text: "storePathRotDir=/data", notices: []string{"did you mean storePathRootDir?"}},
		{name: "a door that must not stay open", text: "aclEnable=true\nauthenticationEnabled=TRUE\nauthorizationEnabled=false", faults: []string{"f:1: aclEnable is true, but", "f:2: authenticationEnabled is true, but"}, notices: []string{"authorizationEnabled is none"}},
		{name: "keys of rmq-proxy.json are not read here", text: "grpcServerPort=1", notices: []string{"grpcServerPort is none"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Default(testEnv)
			notices, faults := c.parseBroker("f", test.text)
			checkFaults(t, faults, test.faults)
			if len(notices) != len(test.notices) {
				t.Fatalf("got %v", notices)
			}
			for i, n := range notices {
				if !strings.Contains(n.String(), test.notices[i]) {
					t.Errorf("got %q, want a part %q", n, test.notices[i])
				}
			}
		})
	}
}

// TestEveryBrokerKeyTakesItsValue: what rmq-proxy.json can say of the broker, broker.conf can, and
// of one key that both have.
func TestEveryBrokerKeyTakesItsValue(t *testing.T) {
	if want := reflect.TypeFor[Local]().NumField() + 1; len(brokerKeys) != want {
		t.Fatalf("%d keys, want %d", len(brokerKeys), want)
	}
	before := Default(testEnv)
	for _, k := range brokerKeys {
		after := before
		value := strings.Trim(other(k, &before), `"`)
		if notices, faults := after.parseBroker("f", k.name+"="+value); len(notices)+len(faults) > 0 {
			t.Errorf("%s=%s: %v %v", k.name, value, notices, faults)
		}
		if k.in(&before).Equal(k.in(&after)) || after.Origin(k.name) != "f:1" {
			t.Errorf("%s=%s changes nothing", k.name, value)
		}
	}
}

func FuzzParseBroker(f *testing.F) {
	f.Add(existing)
	f.Add("a=\\u00e4\\ud83d\\ude00\\\n\\")
	f.Add("fileReservedTime:5\nfileReservedTime 1e3\r\rstorePathRootDir\\\n=\\:")
	f.Add("\ufeff#\n!\n=\\u\nflushDiskType=\xff")
	base := Default(testEnv)
	f.Fuzz(func(t *testing.T, text string) {
		c := base
		notices, faults := c.parseBroker("f", text)
		for _, n := range notices {
			_ = n.String()
		}
		for _, fault := range faults {
			if fault.Problem == "" || fault.Origin == "" {
				t.Errorf("a fault without words: %+v", fault)
			}
		}
		line := 0
		for _, p := range properties(text) {
			if p.line <= line || p.line > 1+strings.Count(text, "\n")+strings.Count(text, "\r") {
				t.Errorf("line %d after %d", p.line, line)
			}
			line = p.line
		}
		again, _, err := Parse("again", []byte(c.String()), base)
		if err != nil || again.Local != c.Local {
			t.Errorf("%v prints what cannot be read: %v", c.Local, err)
		}
	})
}
