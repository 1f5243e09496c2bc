// Command baseline is the same service on grpc-go: generated protobuf types, a
// goroutine per stream, and an ordinary Go Remoting client behind it. It is
// what a good engineer would have written in a day, neither slowed down nor
// tuned, and the peer that the proxy's own figures are compared with.
package main

import (
	_ "expvar" // serves /debug/vars with memstats
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof" // serves /debug/pprof/
	"os"
	"os/signal"
	"syscall"

	v2 "github.com/apache/rocketmq-clients/golang/v5/protocol/v2"
	"google.golang.org/grpc"
)

const messageBytesMax = 136314880 // grpcMaxInboundMessageSize of the Java proxy

func main() {
	nameServer := flag.String("namesrv", "127.0.0.1:9876", "address of the name server")
	listen := flag.String("listen", "127.0.0.1:0", "gRPC address")
	flag.Parse()
	if err := run(*nameServer, *listen); err != nil {
		log.Fatal(err)
	}
}

func run(nameServer, listen string) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	admin, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go http.Serve(admin, nil) //nolint:errcheck // ends with the process
	server := grpc.NewServer(grpc.MaxRecvMsgSize(messageBytesMax))
	v2.RegisterMessagingServiceServer(server, newService(nameServer))
	go func() {
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
		<-stop
		server.Stop()
	}()
	fmt.Printf("bench-ready admin=%s grpc=%s\n", admin.Addr(), l.Addr())
	return server.Serve(l)
}
