// Package proc is what the bench's own commands share: a debug port, the line
// that says they are ready, and a quiet end on SIGTERM.
package proc

import (
	_ "expvar" // serves /debug/vars with memstats
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof" // serves /debug/pprof/
	"os"
	"os/signal"
	"syscall"
)

// Ready begins the line that a command prints when it serves; "name=address"
// pairs follow it.
const Ready = "bench-ready"

// Serve opens the debug port, announces the addresses and waits for SIGTERM or
// SIGINT.
func Serve(addrs map[string]string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go http.Serve(l, nil) //nolint:errcheck // ends with the process
	fmt.Print(Ready, " admin=", l.Addr())
	for name, addr := range addrs {
		fmt.Print(" ", name, "=", addr)
	}
	fmt.Println()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
	return nil
}
