// Command javalocal is a peer of the bench: the Java proxy in Local mode, flushing before it
// acknowledges.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"rocketmq-proxy/server/conformance/cluster"
)

func main() {
	dir := flag.String("dir", "", "where store and logs go; it is the caller's to remove")
	topic := flag.String("topic", "BenchTopic", "topic to be made")
	queues := flag.Int("queues", 4, "queues of the topic")
	group := flag.String("group", "BenchGroup", "consumer group to be made")
	flag.Parse()
	cluster.ServePeer(func(ctx context.Context) (cluster.Peer, func(), error) {
		java, err := cluster.StartLocal(ctx, *dir, "SYNC_FLUSH")
		if err != nil {
			return cluster.Peer{}, java.Stop, err
		}
		err = errors.Join(java.CreateTopic(ctx, *topic, "NORMAL", *queues), java.CreateGroup(ctx, *group, cluster.Group{RetryMax: 16}))
		if err != nil {
			err = fmt.Errorf("%w; the proxy last said:\n%s", err, java.LogTail(20))
		}
		return cluster.Peer{Endpoint: java.Endpoint, Broker: cluster.BrokerName, Process: java.Process()}, java.Stop, err
	})
}
