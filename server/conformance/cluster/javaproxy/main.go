// Command javaproxy is a peer of the bench: the Java proxy in Cluster mode, in front of the stub. It
// says where it serves and as which process, in the line that the bench waits for, and ends it on
// SIGTERM.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"rocketmq-proxy/server/conformance/cluster"
)

// exitUnavailable, of sysexits.h, tells the bench that this machine cannot run it.
const exitUnavailable = 69

// stopPatience is how long the Java proxy may take to end.
const stopPatience = 10 * time.Second

func main() {
	dir := flag.String("dir", "", "where configuration and logs go; it is the caller's to remove")
	namesrv := flag.String("namesrv", "", "host:port of the name server")
	flag.Parse()
	if missing := cluster.Missing(); missing != "" {
		fmt.Println(missing, "is missing")
		os.Exit(exitUnavailable)
	}
	if err := run(*dir, *namesrv); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func run(dir, namesrv string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	java, endpoint, err := cluster.StartMeasured(ctx, dir, namesrv)
	if java != nil {
		defer java.Stop(stopPatience)
	}
	if err != nil {
		return err
	}
	fmt.Printf("bench-ready grpc=%s pid=%d\n", endpoint, java.Pid())
	select {
	case <-ctx.Done():
		return nil
	case <-java.Exited():
		return fmt.Errorf("the Java proxy ended; it last said:\n%s", java.LogTail(20))
	}
}
