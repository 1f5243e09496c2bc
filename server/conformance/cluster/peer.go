package cluster

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// exitUnavailable, of sysexits.h, tells the bench that this machine cannot run it.
const exitUnavailable = 69

// Peer is a Java proxy that the bench measures.
type Peer struct {
	Endpoint string // host:port of its gRPC server
	Broker   string // that clients are to receive from; may be empty
	Process  *Process
}

// ServePeer is the main function of a peer's command. start returns what it has started also beside an
// error, and stop ends it. Where the peer serves, and as which process, is said in the line that the
// bench waits for; on SIGTERM it ends.
func ServePeer(start func(ctx context.Context) (p Peer, stop func(), err error)) {
	if missing := Missing(); missing != "" {
		fmt.Println(missing, "is missing")
		os.Exit(exitUnavailable)
	}
	if err := servePeer(start); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func servePeer(start func(ctx context.Context) (Peer, func(), error)) error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	p, stop, err := start(ctx)
	defer stop()
	if err != nil {
		return err
	}
	fmt.Printf("bench-ready grpc=%s", p.Endpoint)
	if p.Broker != "" {
		fmt.Printf(" broker=%s", p.Broker)
	}
	fmt.Printf(" pid=%d\n", p.Process.Pid())
	select {
	case <-ctx.Done():
		return nil
	case <-p.Process.Exited():
		return fmt.Errorf("the Java proxy ended; it last said:\n%s", p.Process.LogTail(20))
	}
}
