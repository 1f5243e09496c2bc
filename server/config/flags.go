package config

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// Flags are what the command line says. A blank value counts as not given, as in the Java proxy.
type Flags struct {
	NameServers      string // -n
	ProxyConfigPath  string // -pc
	ProxyMode        string // -pm
	BrokerConfigPath string // -bc
	StorePath        string // -store, our own
}

// definition is one flag.
type definition struct {
	short, long string
	value       func(*Flags) *string
	key         string // in rmq-proxy.json; "" for none
}

// definitions are all flags. The help text, which is written by hand, is held against them.
var definitions = []definition{
	{"n", "namesrvAddr", func(f *Flags) *string { return &f.NameServers }, "namesrvAddr"},
	{"pc", "proxyConfigPath", func(f *Flags) *string { return &f.ProxyConfigPath }, ""},
	{"pm", "proxyMode", func(f *Flags) *string { return &f.ProxyMode }, "proxyMode"},
	{"bc", "brokerConfigPath", func(f *Flags) *string { return &f.BrokerConfigPath }, "brokerConfigPath"},
	{"store", "storePathRootDir", func(f *Flags) *string { return &f.StorePath }, "storePathRootDir"},
}

// UsageError is a command line that makes no sense.
type UsageError struct{ Problem string }

// Error says what is wrong with the command line.
func (e *UsageError) Error() string { return e.Problem }

//go:embed help.txt
var help string

// Help is the text for -h.
func Help() string { return help }

// ParseFlags reads the arguments after the program's name. It returns [flag.ErrHelp] when help
// is asked for, and a [UsageError] when the arguments make no sense. Every flag has the Java
// proxy's short and long name, if it has it, with one hyphen or two.
func ParseFlags(args []string) (Flags, error) {
	var f Flags
	set := flag.NewFlagSet("rocketmq-proxy", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, d := range definitions {
		set.StringVar(d.value(&f), d.short, "", "")
		set.StringVar(d.value(&f), d.long, "", "")
	}
	switch err := set.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return f, flag.ErrHelp
	case err != nil:
		return f, &UsageError{err.Error()}
	case set.NArg() > 0:
		return f, &UsageError{fmt.Sprintf("unexpected argument %q", set.Arg(0))}
	}
	return f, nil
}

// over sets what the flags say in c.
func (f Flags) over(c *Config) {
	for _, d := range definitions {
		if value := *d.value(&f); d.key != "" && strings.TrimSpace(value) != "" {
			c.setText(d.key, value, "flag -"+d.short)
		}
	}
}

// Resolve is the whole way from the arguments after the program's name to a checked Config.
// The error is [flag.ErrHelp], a [UsageError] or [Faults] with everything that is wrong.
func Resolve(args []string, env Environment) (Config, []Notice, error) {
	flags, err := ParseFlags(args)
	if err != nil {
		return Config{}, nil, err
	}
	c, hasFile, notices, err := loadFile(flags, env)
	faults, _ := errors.AsType[Faults](err)
	flags.over(&c)
	c.chooseMode(hasFile)
	if c.Proxy.Mode == ModeLocal {
		more, wrong := c.settleLocal()
		notices, faults = append(notices, more...), append(faults, wrong...)
	}
	if strings.TrimSpace(c.Proxy.LocalAddr) == "" {
		c.Proxy.LocalAddr = env.Addr // blank means: find it, as in the Java proxy
	}
	for _, f := range c.Validate() {
		// A key whose value could not even be read still has its default; one word about it is enough.
		if !slices.ContainsFunc(faults, func(known *Fault) bool { return f.Key != "" && known.Key == f.Key }) {
			faults = append(faults, f)
		}
	}
	return c, notices, faults.err()
}

// loadFile reads the file of -pc, which must exist, or the one at the default place, which need
// not: the defaults are a working configuration. The Java proxy refuses to start then.
func loadFile(flags Flags, env Environment) (c Config, hasFile bool, notices []Notice, err error) {
	base := Default(env)
	path := flags.ProxyConfigPath
	if strings.TrimSpace(path) == "" {
		path = env.DefaultPath()
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return base, false, []Notice{{Origin: path, Text: "there is no such file: the defaults apply", Minor: true}}, nil
		}
	}
	c, notices, err = Load(path, base)
	return c, true, notices, err
}

// Exit prints what an error of Resolve has to say and returns the exit code: help is an answer
// and no failure; all else is 1, as in the Java proxy.
func Exit(err error, stdout, stderr io.Writer) int {
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, help)
		return 0
	}
	if usage, ok := errors.AsType[*UsageError](err); ok {
		fmt.Fprintf(stderr, "rocketmq-proxy: %s\n\n%s", usage.Problem, help)
		return 1
	}
	fmt.Fprintf(stderr, "rocketmq-proxy cannot start: its configuration is wrong\n%v\n", err)
	return 1
}
