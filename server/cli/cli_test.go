package cli

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rocketmq-proxy/server/local/catalog/fakecatalog"
)

func TestHas(t *testing.T) {
	for _, c := range commands {
		if !Has([]string{c.name, "-h"}) {
			t.Errorf("%s is no command", c.name)
		}
	}
	for _, args := range [][]string{nil, {"-n", "send"}, {"Send"}} {
		if Has(args) {
			t.Errorf("%v is a command", args)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, args := range []string{"send -h", "receive --help", "topic -h", "group -h", "topic create -h", "topic list x -help", "group describe -h"} {
		got := run(t, nil, strings.Fields(args)...)
		if got.code != ExitOK || got.err != "" || !strings.Contains(got.out, "Usage:\n\n  bin/rocketmq-proxy ") || !strings.Contains(got.out, "Exit code: 0") {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

// TestHelpNamesEveryFlag keeps the texts, which are written by hand, and the flags together.
func TestHelpNamesEveryFlag(t *testing.T) {
	w := &World{Program: "p"}
	all := map[string]*flags{}
	seen := func(f *flags) { all[f.command] = f }
	parsed = seen
	defer func() { parsed = nil }()
	for _, args := range []string{"send", "receive", "topic create", "topic list", "topic describe", "topic delete", "group create", "group list", "group describe", "group delete"} {
		run(t, w, append(strings.Fields(args), "-h")...)
	}
	if len(all) != 10 {
		t.Fatalf("saw the flags of %d commands", len(all))
	}
	for command, f := range all {
		f.VisitAll(func(one *flag.Flag) {
			if !strings.Contains(f.help, "-"+one.Name) && !longOfMqadmin(one.Name) {
				t.Errorf("the help of %s does not name -%s", command, one.Name)
			}
		})
		for i, line := range strings.Split(f.help, "\n") {
			if len(line) > 100 {
				t.Errorf("line %d of the help of %s is too long for a terminal", i+1, command)
			}
		}
	}
}

// longOfMqadmin are long names whose short ones the help has.
func longOfMqadmin(name string) bool {
	for i, long := range append(append([]string{"", "storePathRootDir", "", "proxyConfigPath", "", "brokerConfigPath", "", "consumeEnable"}, mqadminTopic...), mqadminGroup...) {
		if i%2 == 1 && long == name {
			return true
		}
	}
	return false
}

func TestWrongCommandLine(t *testing.T) {
	for args, want := range map[string]string{
		"send":                               "send: wants a topic and a text",
		"send hello":                         "wants a topic and a text",
		"send hello hi there":                "wants a topic and a text",
		"send hello hi -x":                   "flag provided but not defined: -x",
		"send hello hi -addr nowhere":        "-addr nowhere is not host:port",
		"send hello hi -plaintext -insecure": "is the opposite of -tls",
		"send hello hi -property x":          "-property x is not NAME=VALUE",
		"send hello hi -delay soon":          `invalid value "soon" for flag -delay`,
		"send hello hi -delay -1s":           "-delay -1s is in the past",
		"send hello hi -delay 1s -message-group g -priority 1": "-delay and -message-group and -priority make messages of different types",
		"send hello hi -priority -1":                           "-priority -1 is negative",
		"send hello hi -count 0":                               "-count 0 is less than 1",
		"receive":                                              "receive: wants a topic",
		"receive a b":                                          "wants a topic",
		"receive a -count -1":                                  "-count -1 is negative",
		"receive a -wait 0s":                                   "-wait 0s is no time",
		"receive a -tag x -sql y":                              "a filter is -tag or -sql, not both",
		"receive a -invisible 0s":                              "-invisible 0s is no time",
		"topic":                                                "wants one of create, list, describe and delete",
		"topic creat x":                                        `there is no "creat", there is create, list, describe and delete`,
		"topic create":                                         "topic create: wants the name of a topic",
		"topic create a b":                                     "wants the name of one topic",
		"topic create a -t b":                                  "wants the name of one topic",
		"topic create a -queues 4 -r 8":                        "-queues is -r and -w in one",
		"topic list a":                                         "topic describe NAME shows one",
		"topic describe":                                       "topic describe: wants the name of a topic",
		"group create":                                         "group create: wants the name of a group",
		"group create g -r many":                               "-r many is no number",
		"group create g -o perhaps":                            "expected true or false",
		"group create g -s false":                              "a group cannot be kept from consuming here",
		"group create g -retry 1s,x":                           `-retry 1s,x: time: invalid duration "x"`,
		"group create g -retry 1s -p {}":                       "choose one",
		"group create g -p {":                                  "-p {: unexpected end of JSON input",
		"group delete -yes":                                    "wants the name of a group",
	} {
		got := run(t, nil, strings.Fields(args)...)
		if got.code != ExitUsage || got.out != "" || !strings.Contains(got.err, want) || !strings.Contains(got.err, " -h says more\n") {
			t.Errorf("%s: %+v, want %q", args, got, want)
		}
	}
}

// TestWordsAndFlags: flags may stand anywhere, and behind "--" nothing is a flag.
func TestWordsAndFlags(t *testing.T) {
	for _, args := range []string{"-tag a hello -- -x", "hello -tag a -- -x", "-tag=a -- hello -x"} {
		o, err := parseSend(strings.Fields(args), &World{})
		if err != nil || o.topic != "hello" || o.body != "-x" || o.tag != "a" {
			t.Errorf("%q: %+v, %v", args, o, err)
		}
	}
}

// TestPlace shows how a store is found.
func TestPlace(t *testing.T) {
	store := &fakecatalog.Fake{}
	w, dir := stopped(t, store)
	if got := run(t, w, "topic", "list"); got.code != ExitOK || !strings.HasPrefix(got.out, "TOPIC") || store.Closed != 1 {
		t.Errorf("where it is by default: %+v, closed %d times", got, store.Closed)
	}
	broker := filepath.Join(dir, "broker.conf")
	if err := os.WriteFile(broker, []byte("storePathRootDir="+dir+"/other"), 0o600); err != nil {
		t.Fatal(err)
	}
	none := "there is no store in " + dir + "/other"
	for _, args := range []string{"topic list -bc " + broker, "group list -store " + dir + "/other", "topic delete x -storePathRootDir " + dir + "/other"} {
		if got := run(t, w, strings.Fields(args)...); got.code != ExitFailed || !strings.Contains(got.err, none) {
			t.Errorf("%s: %+v", args, got)
		}
	}
	if got := run(t, w, "topic", "create", "x", "-store", dir+"/other"); got.code != ExitOK {
		t.Errorf("create makes a store: %+v", got)
	}
	if got := run(t, w, "topic", "list", "-pc", "/nowhere.json"); got.code != ExitFailed || !strings.Contains(got.err, "the configuration is wrong") {
		t.Errorf("a wrong configuration: %+v", got)
	}
}
