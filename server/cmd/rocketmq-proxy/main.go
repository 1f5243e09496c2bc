// Command rocketmq-proxy lets RocketMQ 5 clients talk gRPC to a RocketMQ cluster, or to a broker
// of its own. Run it with -h for its flags and subcommands.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"rocketmq-proxy/server"
	"rocketmq-proxy/server/cli"
	"rocketmq-proxy/server/config"
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
	log := newLogger(c.Operator.LogLevel)
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
	s.Announce(os.Stdout, os.Args[0])
	log.Info().Stringer("signal", <-signals).Dur("atMostMillis", c.GRPC.ShutdownTime).Msg("shutting down; another signal ends at once")
	go exitAtOnce(signals, log)
	time.AfterFunc(c.GRPC.ShutdownTime+overtime, func() { exitLate(log) })
	ctx, cancel := context.WithTimeout(context.Background(), c.GRPC.ShutdownTime)
	defer cancel()
	s.Shutdown(ctx)
	return 0
}

// exitAtOnce is for whoever asks twice. The code is what a shell gives to a process that the signal
// has killed.
func exitAtOnce(signals <-chan os.Signal, log zerolog.Logger) {
	again := <-signals
	code := 1
	if number, is := again.(syscall.Signal); is {
		code = 128 + int(number)
	}
	log.Error().Stringer("signal", again).Int("exitCode", code).Msg("a second signal: exiting at once, calls in flight are cut off")
	os.Exit(code)
}

// overtime is how long what comes after the calls, such as closing the store, may go on when they
// have taken all the time there is.
const overtime = time.Second

// exitLate is for what should never happen.
func exitLate(log zerolog.Logger) {
	log.Error().Msg("the shutdown did not end in grpcShutdownTimeSeconds: exiting")
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

// newLogger writes lines to stdout: for people on a terminal, JSON everywhere else.
func newLogger(level string) zerolog.Logger {
	parsed, err := zerolog.ParseLevel(level)
	if err != nil {
		parsed = zerolog.InfoLevel
	}
	if info, err := os.Stdout.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		return zerolog.New(zerolog.ConsoleWriter{Out: os.Stdout, TimeFormat: time.DateTime}).Level(parsed).With().Timestamp().Logger()
	}
	return zerolog.New(os.Stdout).Level(parsed).With().Timestamp().Logger()
}
