// Command javaproxy is a peer of the bench: the Java proxy in Cluster mode, in front of the stub.
package main

import (
	"context"
	"flag"
	"time"

	"rocketmq-proxy/server/conformance/cluster"
)

// stopPatience is how long the Java proxy may take to end.
const stopPatience = 10 * time.Second

func main() {
	dir := flag.String("dir", "", "where configuration and logs go; it is the caller's to remove")
	namesrv := flag.String("namesrv", "", "host:port of the name server")
	flag.Parse()
	cluster.ServePeer(func(ctx context.Context) (cluster.Peer, func(), error) {
		java, endpoint, err := cluster.StartMeasured(ctx, *dir, *namesrv)
		stop := func() {
			if java != nil {
				java.Stop(stopPatience)
			}
		}
		return cluster.Peer{Endpoint: endpoint, Process: java}, stop, err
	})
}
