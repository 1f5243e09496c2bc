// Command benchstub runs the stub name server, brokers and gRPC server as a
// process of its own.
package main

import (
	"expvar"
	"flag"
	"log"
	"strings"

	"rocketmq-proxy/bench/proc"
	"rocketmq-proxy/bench/stub"
)

func main() {
	body := flag.Int("body", 256, "body of each received message, in bytes")
	brokers := flag.Int("brokers", 1, "number of brokers")
	flag.Parse()
	s, err := stub.Start(stub.Config{BodyBytes: *body, Brokers: *brokers, GRPC: true})
	if err != nil {
		log.Fatal(err)
	}
	expvar.Publish("stub", expvar.Func(func() any { return s.Counters() }))
	addrs := map[string]string{"namesrv": s.NameServer, "brokers": strings.Join(s.Brokers, ","), "grpc": s.GRPC}
	if err := proc.Serve(addrs); err != nil {
		log.Fatal(err)
	}
	s.Close()
}
