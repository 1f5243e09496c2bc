// Package cli is the subcommands of the program, one file each: send and receive, a client of
// any running proxy, and topic and group, which look after a Local mode proxy whether it runs
// or not. They know what anybody outside can know and share no machine with the proxy.
//
// [Run] is all that main needs. A subcommand answers on stdout, one line a thing so that other
// programs can read it too, says everything else on stderr, and ends with one of the exit codes
// below.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"rocketmq-proxy/server/config"
	"rocketmq-proxy/server/local/catalog"
)

// The exit codes.
const (
	ExitOK      = 0
	ExitFailed  = 1 // it did not work; stderr says why
	ExitUsage   = 2 // the command line makes no sense
	ExitNothing = 3 // of receive: fewer messages came than were wanted
)

// World is what subcommands touch of the world.
type World struct {
	Program        string // how the user called it
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Environment    config.Environment
	// OpenStore opens the store of a proxy that does not run.
	OpenStore func(c config.Config) (catalog.Store, error)
}

// command is a subcommand. Run gets what is behind its name.
type command struct {
	name string
	run  func(ctx context.Context, args []string, w *World) error
}

var commands = []command{
	{"send", runSend},
	{"receive", runReceive},
	{"topic", runTopic},
	{"group", runGroup},
}

// Has tells whether the arguments after the program's name begin with a subcommand.
func Has(args []string) bool {
	return len(args) > 0 && slices.ContainsFunc(commands, func(c command) bool { return c.name == args[0] })
}

// Run runs the subcommand that args begin with, and returns the exit code.
func Run(ctx context.Context, args []string, w *World) int {
	i := slices.IndexFunc(commands, func(c command) bool { return c.name == args[0] })
	err := commands[i].run(ctx, args[1:], w)
	usage, isUsage := errors.AsType[*usageError](err)
	help, isHelp := errors.AsType[*helpAsked](err)
	switch {
	case err == nil:
		return ExitOK
	case isHelp:
		fmt.Fprint(w.Stdout, strings.ReplaceAll(help.text, program+" ", w.Program+" "))
		return ExitOK
	case isUsage:
		fmt.Fprintf(w.Stderr, "%s: %s\n%s %s -h says more\n", w.Program, usage.problem, w.Program, usage.command)
		return ExitUsage
	case errors.Is(err, errNothing):
		fmt.Fprintf(w.Stderr, "%s: %v\n", w.Program, err)
		return ExitNothing
	}
	fmt.Fprintf(w.Stderr, "%s: %v\n", w.Program, err)
	return ExitFailed
}

// program stands for what the user called in help texts.
const program = "rocketmq-proxy"

// usageError is a command line that makes no sense.
type usageError struct {
	command string // whose help says more
	problem string
}

func (e *usageError) Error() string { return e.problem }

// helpAsked is -h.
type helpAsked struct{ text string }

func (*helpAsked) Error() string { return "help" }

// flags are the flags of one command line, which may stand before, between and after its words.
type flags struct {
	*flag.FlagSet
	command string // as "topic create"
	help    string
}

func newFlags(command, help string) *flags {
	set := flag.NewFlagSet(command, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	return &flags{FlagSet: set, command: command, help: help}
}

// parsed, when set, sees the flags of every command line: for the test of the help texts.
var parsed func(*flags)

// parse returns the words. Behind "--" everything is a word.
func (f *flags) parse(args []string) (words []string, err error) {
	if parsed != nil {
		parsed(f)
	}
	var behind []string
	if at := slices.Index(args, "--"); at >= 0 {
		args, behind = args[:at], args[at+1:]
	}
	for len(args) > 0 {
		switch err := f.Parse(args); {
		case errors.Is(err, flag.ErrHelp):
			return nil, &helpAsked{f.help}
		case err != nil:
			return nil, f.wrong("%v", err)
		}
		if args = f.Args(); len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	return append(words, behind...), nil
}

func (f *flags) wrong(problem string, args ...any) error {
	return &usageError{f.command, f.command + ": " + fmt.Sprintf(problem, args...)}
}

// text is a flag with several names.
func (f *flags) text(into *string, names ...string) {
	for _, name := range names {
		f.StringVar(into, name, *into, "")
	}
}

// number is a flag with several names.
func (f *flags) number(into *int, names ...string) {
	for _, name := range names {
		f.IntVar(into, name, *into, "")
	}
}

// list is a flag that may be given again and again.
type list []string

// String implements flag.Value.
func (l *list) String() string { return strings.Join(*l, ",") }

// Set implements flag.Value.
func (l *list) Set(s string) error {
	*l = append(*l, s)
	return nil
}
