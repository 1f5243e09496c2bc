// Command benchrelay runs the raw byte relay as a process of its own.
package main

import (
	"flag"
	"log"

	"rocketmq-proxy/bench/proc"
	"rocketmq-proxy/bench/relay"
)

func main() {
	upstream := flag.String("upstream", "", "address to relay to")
	flag.Parse()
	r, err := relay.Start(*upstream)
	if err != nil {
		log.Fatal(err)
	}
	if err := proc.Serve(map[string]string{"grpc": r.Addr}); err != nil {
		log.Fatal(err)
	}
	if err := r.Close(); err != nil {
		log.Fatal(err)
	}
}
