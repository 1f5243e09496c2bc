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
// proxy's short and long name, with one hyphen or two.
func ParseFlags(args []string) (Flags, error) {
	var f Flags
	set := flag.NewFlagSet("rocketmq-proxy", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, d := range []struct {
		value       *string
		short, long string
	}{
		{&f.NameServers, "n", "namesrvAddr"},
		{&f.ProxyConfigPath, "pc", "proxyConfigPath"},
		{&f.ProxyMode, "pm", "proxyMode"},
		{&f.BrokerConfigPath, "bc", "brokerConfigPath"},
	} {
		set.StringVar(d.value, d.short, "", "")
		set.StringVar(d.value, d.long, "", "")
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
	for _, s := range []struct{ value, key, flag string }{
		{f.NameServers, "namesrvAddr", "flag -n"},
		{f.ProxyMode, "proxyMode", "flag -pm"},
		{f.BrokerConfigPath, "brokerConfigPath", "flag -bc"},
	} {
		if strings.TrimSpace(s.value) != "" {
			c.setText(s.key, s.value, s.flag)
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
	c, notices, err := loadFile(flags, env)
	faults, _ := errors.AsType[Faults](err)
	flags.over(&c)
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
func loadFile(flags Flags, env Environment) (Config, []Notice, error) {
	base := Default(env)
	if path := flags.ProxyConfigPath; strings.TrimSpace(path) != "" {
		return Load(path, base)
	}
	path := env.DefaultPath()
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return base, []Notice{{Origin: path, Text: "there is no such file: the defaults apply", Minor: true}}, nil
	}
	return Load(path, base)
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
