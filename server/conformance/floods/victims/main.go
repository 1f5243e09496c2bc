// Command victims is what the floods are tried on besides proxies: the two HTTP/2 servers that a Go
// programmer would take, each as its documentation sets it up. Both answer every call with an empty
// message.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/h2c" //nolint:staticcheck // deprecated, and what programs run that speak HTTP/2 in cleartext
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

func main() {
	kind := flag.String("server", "grpc-go", "grpc-go or x/net")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	switch *kind {
	case "grpc-go":
		log.Fatal(grpcGo().Serve(listener))
	case "x/net":
		log.Fatal(http.Serve(listener, h2c.NewHandler(http.HandlerFunc(answer), &http2.Server{}))) //nolint:staticcheck // see above
	}
	log.Fatalf("no server %q", *kind)
}

func grpcGo() *grpc.Server {
	return grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		if err := stream.RecvMsg(new(emptypb.Empty)); err != nil {
			return err
		}
		return stream.SendMsg(new(emptypb.Empty))
	}))
}

func answer(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status")
	_, _ = w.Write(make([]byte, 5)) // the prefix of an empty message
	w.Header().Set("Grpc-Status", "0")
}
