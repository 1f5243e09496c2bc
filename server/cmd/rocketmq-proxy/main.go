// Command rocketmq-proxy lets RocketMQ 5 clients talk gRPC to a RocketMQ cluster, or to a broker
// of its own. Run it with -h for its flags and subcommands.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"rocketmq-proxy/server"
	"rocketmq-proxy/server/cli"
	"rocketmq-proxy/server/config"
	"rocketmq-proxy/server/lines"
)

func main() { os.Exit(run()) }

func run() int {
	if cli.Has(os.Args[1:]) {
		return runCommand(os.Args[1:])
	}
	c, notices, err := config.Resolve(os.Args[1:], config.FromOS())
	if err != nil {
		return config.Exit(err, os.Stdout, os.Stderr)
	}
	log, out := newLogger(c.Operator.LogLevel, os.Stdout)
	defer out.Flush()
	for _, n := range notices {
		level := zerolog.WarnLevel
		if n.Minor {
			level = zerolog.DebugLevel
		}
		log.WithLevel(level).Msg(n.String())
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	s, err := server.New(c, log)
	if err != nil {
		fmt.Fprintln(os.Stderr, "rocketmq-proxy cannot start:", err)
		return 1
	}
	s.Announce(out, os.Args[0])
	log.Info().Stringer("signal", <-signals).Dur("atMostMillis", c.GRPC.ShutdownTime).Msg("shutting down; another signal ends at once")
	go exitAtOnce(signals, log, out)
	time.AfterFunc(c.GRPC.ShutdownTime+overtime, func() { exitLate(log, out) })
	ctx, cancel := context.WithTimeout(context.Background(), c.GRPC.ShutdownTime)
	defer cancel()
	s.Shutdown(ctx)
	return 0
}

// exitAtOnce is for whoever asks twice. The code is what a shell gives to a process that the signal
// has killed.
func exitAtOnce(signals <-chan os.Signal, log zerolog.Logger, out *lines.Writer) {
	again := <-signals
	code := 1
	if number, is := again.(syscall.Signal); is {
		code = 128 + int(number)
	}
	log.Error().Stringer("signal", again).Int("exitCode", code).Msg("a second signal: exiting at once, calls in flight are cut off")
	out.Flush()
	os.Exit(code)
}

// overtime is how long what comes after the calls, such as closing the store, may go on when they
// have taken all the time there is.
const overtime = time.Second

// exitLate is for what should never happen.
func exitLate(log zerolog.Logger, out *lines.Writer) {
	log.Error().Msg("the shutdown did not end in grpcShutdownTimeSeconds: exiting")
	out.Flush()
	os.Exit(1)
}

// runCommand runs a subcommand; a signal ends it politely, and the next one at once.
func runCommand(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	context.AfterFunc(ctx, stop)
	return cli.Run(ctx, args, &cli.World{
		Program: os.Args[0], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Environment: config.FromOS(), OpenStore: server.OpenStore,
	})
}

// newLogger writes lines to stdout, for people on a terminal, JSON everywhere else, and waits for no reader. What
// is to be heard to the end is flushed.
func newLogger(level string, stdout *os.File) (zerolog.Logger, *lines.Writer) {
	parsed, err := zerolog.ParseLevel(level)
	if err != nil {
		parsed = zerolog.InfoLevel
	}
	info, err := stdout.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	to := func(out io.Writer) zerolog.Logger {
		if terminal {
			out = zerolog.ConsoleWriter{Out: out, TimeFormat: time.DateTime}
		}
		return zerolog.New(out).With().Timestamp().Logger()
	}
	out := lines.New(stdout, func(dropped int) []byte {
		var line bytes.Buffer
		log := to(&line)
		log.Warn().Int("lines", dropped).Msg("nobody read the log: lines were dropped")
		return line.Bytes()
	})
	return to(out).Level(parsed), out
}
