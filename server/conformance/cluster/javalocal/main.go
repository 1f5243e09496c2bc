// Command javalocal is a peer of the bench: the Java proxy in Local mode, flushing before it
// acknowledges. It says where it serves and as which process, in the line that the bench waits
// for, and ends it on SIGTERM.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"rocketmq-proxy/server/conformance/cluster"
)

// exitUnavailable, of sysexits.h, tells the bench that this machine cannot run it.
const exitUnavailable = 69

func main() {
	dir := flag.String("dir", "", "where store and logs go; it is the caller's to remove")
	topic := flag.String("topic", "BenchTopic", "topic to be made")
	queues := flag.Int("queues", 4, "queues of the topic")
	group := flag.String("group", "BenchGroup", "consumer group to be made")
	flag.Parse()
	if missing := cluster.Missing(); missing != "" {
		fmt.Println(missing, "is missing")
		os.Exit(exitUnavailable)
	}
	if err := run(*dir, *topic, *queues, *group); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func run(dir, topic string, queues int, group string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	java, err := cluster.StartLocal(ctx, dir, "SYNC_FLUSH")
	defer java.Stop()
	if err != nil {
		return err
	}
	err = errors.Join(java.CreateTopic(ctx, topic, "NORMAL", queues), java.CreateGroup(ctx, group, cluster.Group{RetryMax: 16}))
	if err != nil {
		return fmt.Errorf("%w; the proxy last said:\n%s", err, java.LogTail(20))
	}
	fmt.Printf("bench-ready grpc=%s broker=%s pid=%d\n", java.Endpoint, cluster.BrokerName, java.Pid())
	select {
	case <-ctx.Done():
		return nil
	case <-java.Exited():
		return fmt.Errorf("the Java proxy ended; it last said:\n%s", java.LogTail(20))
	}
}
