// Command rocketmq-proxy lets RocketMQ 5 clients talk gRPC to a RocketMQ cluster. Run it with
// -h for its flags.
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
	"rocketmq-proxy/server/config"
)

func main() { os.Exit(run()) }

func run() int {
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
	s.Announce()
	<-signals
	ctx, cancel := context.WithTimeout(context.Background(), c.GRPC.ShutdownTime)
	defer cancel()
	go func() { // a second signal is for now
		<-signals
		cancel()
	}()
	s.Shutdown(ctx)
	return 0
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
